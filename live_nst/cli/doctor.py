"""`live-nst doctor`: what this machine has, and what is wrong with it."""

from collections.abc import Callable, Iterable

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from live_nst.doctor.checks import Finding, Severity, run_checks

_COLORS = {Severity.OK: "green", Severity.NOTE: "yellow", Severity.FAULT: "bold red"}
_WIDTHS = (5, 14)
"""Of the state and the topic, in characters."""


def run(findings: Callable[[], Iterable[Finding]] = run_checks) -> None:
    """Print every finding as it comes, and what they add up to.

    Raises:
        typer.Exit: With exit code 1 if there is a fault.
    """
    console = Console(highlight=False)
    counts = dict.fromkeys(Severity, 0)
    for finding in findings():
        _show(console, finding)
        counts[finding.severity] += 1
    faults, notes = counts[Severity.FAULT], counts[Severity.NOTE]
    if faults:
        console.print(f"{_count(faults, 'fault')}, {_count(notes, 'note')}.", soft_wrap=True)
        raise typer.Exit(1)
    console.print(f"Nothing essential is wrong; {_count(notes, 'note')}.", soft_wrap=True)


def _show(console: Console, finding: Finding) -> None:
    """One finding: in columns on a terminal, in whole lines where something reads them."""
    severity = f"{finding.severity:{_WIDTHS[0]}}"
    topic = f"{finding.topic:{_WIDTHS[1]}}"
    if console.is_terminal:
        grid = Table.grid(padding=(0, 2, 0, 0))
        for width in _WIDTHS:
            grid.add_column(width=width, no_wrap=True)
        grid.add_column()
        grid.add_row(Text(severity, _COLORS[finding.severity]), topic, Text(finding.text))
        console.print(grid)
    else:
        console.print(f"{severity}  {topic}  {finding.text}", markup=False, soft_wrap=True)
    if finding.hint:
        # Never wrapped: a command in it can be copied.
        hint = Text(f"{' ' * (sum(_WIDTHS) + 4)}Hint: {finding.hint}", "dim")
        console.print(hint, soft_wrap=True)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
