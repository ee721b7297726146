from collections.abc import Iterator

import pytest
import typer
from rich.text import Text
from typer.testing import CliRunner

from live_nst.cli import doctor
from live_nst.cli.app import app
from live_nst.doctor.finding import Finding, Severity

FINE = Finding("model", Severity.OK, "mobile, whole")
NOTED = Finding("camera", Severity.NOTE, "no camera [0] was found", "connect one")
BROKEN = Finding("opencv", Severity.FAULT, "two of them", "remove one")

Output = pytest.CaptureFixture[str]


def test_notes(capsys: Output) -> None:
    doctor.run([FINE, NOTED])
    assert capsys.readouterr().out.splitlines() == [
        "ok     model           mobile, whole",
        "note   camera          no camera [0] was found",
        "                       Hint: connect one",
        "Nothing essential is wrong; 1 note.",
    ]


def test_faults(capsys: Output) -> None:
    with pytest.raises(typer.Exit) as caught:
        doctor.run([BROKEN, NOTED, NOTED, FINE])
    assert caught.value.exit_code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "fault  opencv          two of them"
    assert lines[-2:] == ["ok     model           mobile, whole", "1 fault, 2 notes."]


def test_long_lines(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    long = Finding("camera", Severity.NOTE, "word " * 40, "sudo " * 40)
    doctor.run([long])
    assert len(capsys.readouterr().out.splitlines()) == 3

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    doctor.run([long])
    *columns, hint, _ = Text.from_ansi(capsys.readouterr().out).plain.splitlines()
    assert max(map(len, columns)) <= 80
    assert all(line[:22].strip() == "" for line in columns[1:])
    assert "".join(columns).count("word") == 40
    assert hint.count("sudo") == 40  # a command can be copied whole


def test_findings_are_shown_one_by_one(capsys: Output) -> None:
    def findings() -> Iterator[Finding]:
        yield FINE
        assert "mobile" in capsys.readouterr().out
        yield NOTED

    doctor.run(findings())


@pytest.mark.slow
def test_real_machine() -> None:
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    for topic in ("live-nst", "processor", "packages", "engine", "model", "cache", "display"):
        assert f"  {topic}" in result.stdout
