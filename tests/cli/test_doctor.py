from collections.abc import Callable, Iterator

import pytest
import typer
from rich.text import Text
from typer.testing import CliRunner

from live_nst.cli import doctor
from live_nst.cli.app import app
from live_nst.doctor.checks import Finding, Severity

FINE = Finding("model", Severity.OK, "mobile, whole")
NOTED = Finding("camera", Severity.NOTE, "no camera [0] was found", "connect one")
BROKEN = Finding("opencv", Severity.FAULT, "two of them", "remove one")

Output = pytest.CaptureFixture[str]


def giving(*findings: Finding) -> Callable[[], tuple[Finding, ...]]:
    return lambda: findings


def test_notes_are_no_failure(capsys: Output) -> None:
    doctor.run(giving(FINE, NOTED))
    assert capsys.readouterr().out.splitlines() == [
        "ok     model           mobile, whole",
        "note   camera          no camera [0] was found",
        "                       Hint: connect one",
        "Nothing essential is wrong; 1 note.",
    ]


def test_a_fault_fails_but_everything_is_told_first(capsys: Output) -> None:
    with pytest.raises(typer.Exit) as caught:
        doctor.run(giving(BROKEN, NOTED, NOTED, FINE))
    assert caught.value.exit_code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "fault  opencv          two of them"
    assert lines[-2:] == ["ok     model           mobile, whole", "1 fault, 2 notes."]


def test_long_lines_are_whole_in_a_pipe_and_in_columns_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    long = Finding("camera", Severity.NOTE, "word " * 40, "sudo " * 40)
    doctor.run(giving(long))
    assert len(capsys.readouterr().out.splitlines()) == 3

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    doctor.run(giving(long))
    *columns, hint, _ = Text.from_ansi(capsys.readouterr().out).plain.splitlines()
    assert max(map(len, columns)) <= 80
    assert all(line[:22].strip() == "" for line in columns[1:])
    assert "".join(columns).count("word") == 40
    assert hint.count("sudo") == 40  # a command can be copied whole


def test_a_finding_is_shown_before_the_next_check_runs(capsys: Output) -> None:
    def findings() -> Iterator[Finding]:
        yield FINE
        assert "mobile" in capsys.readouterr().out
        yield NOTED

    doctor.run(findings)


@pytest.mark.slow
def test_the_real_machine_is_told_of() -> None:
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    for topic in ("live-nst", "processor", "packages", "engine", "model", "cache", "display"):
        assert f"  {topic}" in result.stdout
