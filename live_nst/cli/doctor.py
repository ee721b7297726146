"""`live-nst doctor`: check this machine."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from live_nst.cli.console import count

if TYPE_CHECKING:
    from rich.console import Console

    from live_nst.doctor.finding import Finding

_COLORS = {"ok": "green", "note": "yellow", "fault": "bold red"}
_WIDTHS = (5, 14)  # of severity and topic, in characters


def doctor() -> None:
    """Show what this machine has, and what is wrong with it."""
    from live_nst.doctor.checks import run_checks

    run(run_checks())


def run(findings: "Iterable[Finding]") -> None:
    """Print every finding when its check is done, and a summary.

    Raises:
        typer.Exit: With exit code 1 if there is a fault.
    """
    from rich.console import Console

    console = Console(highlight=False)
    counts = dict.fromkeys(_COLORS, 0)
    for finding in findings:
        _show_finding(console, finding)
        counts[finding.severity] += 1
    notes = count(counts["note"], "note")
    if counts["fault"]:
        console.print(f"{count(counts['fault'], 'fault')}, {notes}.", soft_wrap=True)
        raise typer.Exit(1)
    console.print(f"Nothing essential is wrong; {notes}.", soft_wrap=True)


def _show_finding(console: "Console", finding: "Finding") -> None:
    """Print a finding: in columns on a terminal, in one line in a pipe."""
    from rich.table import Table
    from rich.text import Text

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
        # Not wrapped, so that a command in it can be copied.
        hint = Text(f"{' ' * (sum(_WIDTHS) + 4)}Hint: {finding.hint}", "dim")
        console.print(hint, soft_wrap=True)
