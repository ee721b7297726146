"""`python -m benchmarks SUBJECT`: subjects are found by name and keep one small contract."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarks
from benchmarks import __main__ as dispatch

SUBJECTS = dispatch.subjects()


@pytest.fixture
def two_subjects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fine` returns what it is told, `bad` breaks a promise; a module is no subject."""
    bodies = {
        "fine": '"""Measures well."""\ndef main(argv): print("fine", *argv); return 0\n',
        "bad": '"""Measures badly."""\ndef main(argv): print("BROKEN: it"); return 1\n',
    }
    for name, body in bodies.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(body, "utf-8")
    (tmp_path / "helper.py").write_text("", "utf-8")
    monkeypatch.setattr(benchmarks, "__path__", [str(tmp_path)])
    for name in bodies:
        monkeypatch.delitem(sys.modules, f"benchmarks.{name}", raising=False)


def test_packages_are_subjects(two_subjects: None) -> None:
    assert dispatch.subjects() == ("bad", "fine")


def test_a_subject_gets_its_options_and_gives_the_exit_code(
    two_subjects: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch.main(["fine", "--rounds", "3"]) == 0
    assert dispatch.main(["bad"]) == 1
    assert capsys.readouterr().out == "fine --rounds 3\nBROKEN: it\n"


def test_an_unknown_subject_is_refused_with_the_list(
    two_subjects: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dispatch.main(["sped"]) == 2
    told = capsys.readouterr().err
    assert "'sped'" in told
    assert "Measures well." in told


@pytest.mark.parametrize("argv", [[], ["all"]])
def test_all_runs_each_and_fails_if_one_did(
    two_subjects: None,
    argv: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ran = []

    def run(command: list[str], **_: object) -> "subprocess.CompletedProcess[bytes]":
        ran.append(command[-1])
        return subprocess.CompletedProcess(command, int(command[-1] == "bad"))

    monkeypatch.setattr(subprocess, "run", run)
    assert dispatch.main(argv) == 1
    assert ran == ["bad", "fine"]
    assert "Not everything held: bad." in capsys.readouterr().out


def test_all_takes_no_options() -> None:
    assert dispatch.main(["all", "--rounds", "3"]) == 2


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_subject_keeps_the_contract(name: str) -> None:
    subject = importlib.import_module(f"benchmarks.{name}")
    assert (subject.__doc__ or "").split("\n", 1)[0]
    assert callable(subject.main)


def test_the_list_imports_nothing_heavy() -> None:
    program = (
        "import sys; from benchmarks.__main__ import main; main(['--help']);"
        "print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    )
    root = Path(benchmarks.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    *usage, modules = done.stdout.splitlines()
    assert any(line.split()[:1] == ["speed"] for line in usage)
    assert not {"tensorflow", "openvino", "cv2", "numpy", "matplotlib"} & set(modules.split())
