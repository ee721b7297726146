"""Test `python -m benchmarks` and the contract of each benchmark."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarks
from benchmarks import __main__ as dispatch

NAMES = dispatch.benchmark_names()


@pytest.fixture
def two_benchmarks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Create the benchmarks `fine` and `bad`, which breaks a promise, and a module."""
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


def test_benchmark_names(two_benchmarks: None) -> None:
    assert dispatch.benchmark_names() == ("bad", "fine")


def test_main_one_benchmark(two_benchmarks: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch.main(["fine", "--rounds", "3"]) == 0
    assert dispatch.main(["bad"]) == 1
    assert capsys.readouterr().out == "fine --rounds 3\nBROKEN: it\n"


def test_main_unknown_name(two_benchmarks: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert dispatch.main(["sped"]) == 2
    error = capsys.readouterr().err
    assert "'sped'" in error
    assert "Measures well." in error


@pytest.mark.parametrize("argv", [[], ["all"]])
def test_main_all(
    two_benchmarks: None,
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
    assert "Failed: bad." in capsys.readouterr().out


def test_main_all_with_options() -> None:
    assert dispatch.main(["all", "--rounds", "3"]) == 2


@pytest.mark.parametrize("name", NAMES)
def test_contract(name: str) -> None:
    package = importlib.import_module(f"benchmarks.{name}")
    assert (package.__doc__ or "").split("\n", 1)[0]
    assert callable(package.main)


def test_help_imports_nothing_heavy() -> None:
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
