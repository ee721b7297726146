import shlex

import pytest
from typer.testing import CliRunner

from live_nst.bench.report import HEADROOM, BenchResult, EngineSetup, recommend

FAST, EXACT = EngineSetup("openvino", "bfloat16"), EngineSetup("openvino", "float32")
OTHER = EngineSetup("tensorflow", "float32")


def row(setup: EngineSetup, size: int, fps: float) -> BenchResult:
    return BenchResult(setup, size, (size, size * 9 // 16), fps, 1000 / fps, 1200 / fps, 0.5)


ROWS = [row(FAST, 384, 90), row(FAST, 640, 38), row(FAST, 1280, 9), row(EXACT, 384, 60),
        row(EXACT, 640, 37.5), row(OTHER, 384, 40), row(OTHER, 640, 14)]  # fmt: skip


def test_the_largest_picture_that_has_headroom() -> None:
    choice = recommend(ROWS, 30, FAST)
    assert choice.row == row(FAST, 640, 38)
    assert choice.enough
    assert choice.command == "live-nst --size 640"
    assert "640x360" in choice.sentence
    assert "38" in choice.sentence


def test_without_headroom_a_size_is_not_recommended() -> None:
    assert HEADROOM * 31 > 38
    assert recommend(ROWS, 31, FAST).row.size == 384


def test_what_live_nst_would_not_pick_by_itself_is_named() -> None:
    assert recommend(ROWS, 30, EXACT).command == "live-nst --precision bfloat16 --size 640"
    assert recommend(ROWS, 30, OTHER, ("--model", "hub")).command == (
        "live-nst --model hub --engine openvino --precision bfloat16 --size 640"
    )


@pytest.mark.parametrize(("fps", "words"), [(100, "fewer than 100"), (85, "too few to spare any")])
def test_a_slow_machine_is_told_the_fastest(fps: float, words: str) -> None:
    choice = recommend(ROWS, fps, FAST)
    assert choice.row.fps == 90
    assert not choice.enough
    assert words in choice.sentence


def test_paths_can_be_pasted() -> None:
    command = recommend(ROWS, 30, FAST, ("--model", "my models/one")).command
    assert shlex.split(command)[2] == "my models/one"


def test_the_command_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    from live_nst.cli.app import app

    ran = []
    monkeypatch.setattr("live_nst.cli.live.run", lambda **options: ran.append(options))
    command = recommend(ROWS, 30, FAST, ("--model", "hub", "--device", "cpu")).command
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
    assert (ran[0]["model"], ran[0]["size"]) == ("hub", 640)
