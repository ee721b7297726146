"""The record keeps what its parts give, part by part, and its exit code says what holds."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.speed import record
from benchmarks.speed.part import NotMeasuredError, Part, Promise, Settings, TooBusyError
from benchmarks.speed.parts.scaling import fit

Output = pytest.CaptureFixture[str]


class Machine:
    """Two parts that measure what they are told: `fast`, `slow`, in frames per second."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.gives: dict[str, Any] = {"fast": 60.0, "slow": 30.0}
        self.measured: list[str] = []
        self.settings = Settings()
        self.out = folder / "record.json"
        self.out.with_suffix(".md").write_text(
            "<!-- table: fast -->\n<!-- end -->\n<!-- table: slow -->\n<!-- end -->\n"
            "<!-- table: promises -->\n<!-- end -->\n",
            "utf-8",
        )
        patch.setattr(record, "NAMES", ("fast", "slow"))
        patch.setattr(record, "find_part", self.part)
        patch.setattr(record, "apart", self.apart)
        patch.setattr("benchmarks.speed.plot.plot", lambda record, path: path.write_bytes(b"png"))

    def part(self, name: str) -> Part:
        return Part(
            name,
            name.title(),
            lambda settings: {},
            lambda result: [Promise(f"{name}: 20 fps", result["fps"], 20.0, form="{:.0f}")],
            lambda result: f"{result['fps']:.0f} fps",
        )

    def apart(self, name: str, settings: Settings) -> dict[str, Any]:
        self.measured.append(name)
        self.settings = settings
        if isinstance(self.gives[name], Exception):
            raise self.gives[name]
        return {"fps": self.gives[name]}

    def run(self, *options: str) -> int:
        return record.main([*options, "--out", str(self.out)])

    @property
    def parts(self) -> dict[str, Any]:
        return {n: p["fps"] for n, p in json.loads(self.out.read_text("utf-8"))["parts"].items()}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    return Machine(monkeypatch, tmp_path)


def test_all_of_it(machine: Machine, capsys: Output) -> None:
    assert machine.run() == 0
    assert machine.parts == {"fast": 60.0, "slow": 30.0}
    assert machine.out.with_suffix(".png").read_bytes() == b"png"
    page = machine.out.with_suffix(".md").read_text("utf-8")
    assert "<!-- table: fast -->\n60 fps\n<!-- end -->" in page
    assert "| slow: 20 fps | 30 | kept |" in page
    assert "kept:         fast: 20 fps: 60" in capsys.readouterr().out


def test_a_broken_promise(machine: Machine, capsys: Output) -> None:
    machine.gives["slow"] = 19.0
    assert machine.run() == 1
    assert "BROKEN:       slow: 20 fps: 19" in capsys.readouterr().out
    assert "| slow: 20 fps | 19 | BROKEN |" in machine.out.with_suffix(".md").read_text("utf-8")


def test_parts_are_measured_anew_and_the_others_stay(machine: Machine) -> None:
    machine.run()
    machine.gives = {"fast": 15.0, "slow": 99.0}
    assert machine.run("--only", "slow") == 0  # the other's promises were not measured now
    assert machine.parts == {"fast": 60.0, "slow": 99.0}
    assert machine.measured == ["fast", "slow", "slow"]


def test_what_is_not_there_is_no_failure(machine: Machine, capsys: Output) -> None:
    machine.gives["slow"] = NotMeasuredError("the peer is not installed")
    assert machine.run() == 0
    assert machine.parts == {"fast": 60.0}
    assert "not measured: the peer is not installed" in capsys.readouterr().out


@pytest.mark.parametrize("error", [TooBusyError("others took half"), RuntimeError("it broke")])
def test_what_fails_is_one_and_the_rest_is_kept(
    machine: Machine, capsys: Output, error: Exception
) -> None:
    machine.gives["fast"] = error
    assert machine.run() == 1
    assert machine.parts == {"slow": 30.0}
    assert "BROKEN: " in capsys.readouterr().out


def test_a_trial_writes_nothing(machine: Machine) -> None:
    page = machine.out.with_suffix(".md").read_text("utf-8")
    assert machine.run("--trial", "--rounds", "2") == 0
    assert machine.settings == Settings(2, True, machine.out.parent)
    assert not machine.out.exists()
    assert machine.out.with_suffix(".md").read_text("utf-8") == page


def test_figures_of_another_machine_are_dropped(machine: Machine) -> None:
    machine.run()
    kept = json.loads(machine.out.read_text("utf-8"))
    kept["machine"]["processor"] = "another"
    machine.out.write_text(json.dumps(kept), "utf-8")
    machine.run("--only", "slow")
    assert machine.parts == {"slow": 30.0}


@pytest.mark.parametrize(
    "options", [["--only", "sped"], ["--rounds", "none"], ["--rounds", "0"], ["--out", "no/a.json"]]
)
def test_wrong_usage(options: list[str], capsys: Output) -> None:
    with pytest.raises(SystemExit) as caught:
        record.main(options)
    assert caught.value.code == 2
    assert (
        options[0].lstrip("-") in capsys.readouterr().err or "no folder" in capsys.readouterr().err
    )


@pytest.mark.parametrize("name", record.NAMES)
def test_every_part_can_be_found(name: str) -> None:
    assert record.find_part(name).name == name


def test_the_line_through_the_costs() -> None:
    import numpy as np

    pixels = np.array([1e4, 1e5, 1e6])
    fixed, slope = fit(pixels, 2 + 3e-5 * pixels)
    assert fixed == pytest.approx(2)
    assert slope == pytest.approx(3e-5)
    # A tenth more at the largest size moves the line at small sizes by little.
    fixed, _ = fit(pixels, (2 + 3e-5 * pixels) * np.array([1, 1, 1.1]))
    assert fixed == pytest.approx(2, abs=0.15)
