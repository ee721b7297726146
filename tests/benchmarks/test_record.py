"""Test the record, the page and the exit code of the speed benchmark."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.speed import record
from benchmarks.speed.part import NotMeasuredError, Part, Promise, Settings, TooBusyError
from benchmarks.speed.parts.scaling import fit_line

Output = pytest.CaptureFixture[str]


class Machine:
    """Two parts with given results: `fast` and `slow`, in frames per second."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.results: dict[str, Any] = {"fast": 60.0, "slow": 30.0}
        self.measured: list[str] = []
        self.settings = Settings()
        self.out = folder / "record.json"
        self.out.with_suffix(".md").write_text(
            "<!-- table: fast -->\n<!-- end -->\n<!-- table: slow -->\n<!-- end -->\n"
            "<!-- table: promises -->\n<!-- end -->\n",
            "utf-8",
        )
        patch.setattr(record, "PART_NAMES", ("fast", "slow"))
        patch.setattr(record, "find_part", self.part)
        patch.setattr(record, "measure_in_process", self.measure_in_process)
        patch.setattr(
            "benchmarks.speed.plot.write_plot", lambda record, path: path.write_bytes(b"png")
        )

    def part(self, name: str) -> Part:
        return Part(
            name,
            name.title(),
            lambda settings: {},
            lambda result: [Promise(f"{name}: 20 fps", result["fps"], 20.0, value_format="{:.0f}")],
            lambda result: f"{result['fps']:.0f} fps",
        )

    def measure_in_process(self, name: str, settings: Settings) -> dict[str, Any]:
        self.measured.append(name)
        self.settings = settings
        if isinstance(self.results[name], Exception):
            raise self.results[name]
        return {"fps": self.results[name]}

    def run(self, *options: str) -> int:
        return record.main([*options, "--out", str(self.out)])

    @property
    def parts(self) -> dict[str, Any]:
        return {n: p["fps"] for n, p in json.loads(self.out.read_text("utf-8"))["parts"].items()}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


def test_main(machine: Machine, capsys: Output) -> None:
    assert machine.run() == 0
    assert machine.parts == {"fast": 60.0, "slow": 30.0}
    assert machine.out.with_suffix(".png").read_bytes() == b"png"
    page = machine.out.with_suffix(".md").read_text("utf-8")
    assert "<!-- table: fast -->\n60 fps\n<!-- end -->" in page
    assert "| slow: 20 fps | 30 | kept |" in page
    assert "kept:         fast: 20 fps: 60" in capsys.readouterr().out


def test_main_broken_promise(machine: Machine, capsys: Output) -> None:
    machine.results["slow"] = 19.0
    assert machine.run() == 1
    assert "BROKEN:       slow: 20 fps: 19" in capsys.readouterr().out
    assert "| slow: 20 fps | 19 | BROKEN |" in machine.out.with_suffix(".md").read_text("utf-8")


def test_main_only(machine: Machine) -> None:
    machine.run()
    machine.results = {"fast": 15.0, "slow": 99.0}
    assert machine.run("--only", "slow") == 0  # the other's promises were not measured now
    assert machine.parts == {"fast": 60.0, "slow": 99.0}
    assert machine.measured == ["fast", "slow", "slow"]


def test_main_not_measured(machine: Machine, capsys: Output) -> None:
    machine.results["slow"] = NotMeasuredError("the peer is not installed")
    assert machine.run() == 0
    assert machine.parts == {"fast": 60.0}
    assert "not measured: the peer is not installed" in capsys.readouterr().out


@pytest.mark.parametrize("error", [TooBusyError("others took half"), RuntimeError("it broke")])
def test_main_failed_part(machine: Machine, capsys: Output, error: Exception) -> None:
    machine.results["fast"] = error
    assert machine.run() == 1
    assert machine.parts == {"slow": 30.0}
    assert "BROKEN: " in capsys.readouterr().out


def test_main_trial(machine: Machine) -> None:
    page = machine.out.with_suffix(".md").read_text("utf-8")
    assert machine.run("--trial", "--rounds", "2") == 0
    assert machine.settings == Settings(2, True, machine.out.parent)
    assert not machine.out.exists()
    assert machine.out.with_suffix(".md").read_text("utf-8") == page


def test_main_other_machine(machine: Machine) -> None:
    machine.run()
    kept = json.loads(machine.out.read_text("utf-8"))
    kept["machine"]["processor"] = "another"
    machine.out.write_text(json.dumps(kept), "utf-8")
    machine.run("--only", "slow")
    assert machine.parts == {"slow": 30.0}


@pytest.mark.parametrize(
    "options", [["--only", "sped"], ["--rounds", "none"], ["--rounds", "0"], ["--out", "no/a.json"]]
)
def test_main_usage_errors(options: list[str], capsys: Output) -> None:
    with pytest.raises(SystemExit) as caught:
        record.main(options)
    assert caught.value.code == 2
    assert (
        options[0].lstrip("-") in capsys.readouterr().err or "not found" in capsys.readouterr().err
    )


@pytest.mark.parametrize("name", record.PART_NAMES)
def test_find_part(name: str) -> None:
    assert record.find_part(name).name == name


def test_fit_line() -> None:
    import numpy as np

    pixels = np.array([1e4, 1e5, 1e6])
    fixed, slope = fit_line(pixels, 2 + 3e-5 * pixels)
    assert fixed == pytest.approx(2)
    assert slope == pytest.approx(3e-5)
    # A tenth more at the largest size moves the line at small sizes by little.
    fixed, _ = fit_line(pixels, (2 + 3e-5 * pixels) * np.array([1, 1, 1.1]))
    assert fixed == pytest.approx(2, abs=0.15)
