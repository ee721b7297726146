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


def test_recommend_largest_size_with_headroom() -> None:
    choice = recommend(ROWS, 30, FAST)
    assert choice.row == row(FAST, 640, 38)
    assert choice.enough
    assert choice.command == "live-nst --size 640"
    assert "640x360" in choice.sentence
    assert "38" in choice.sentence


def test_recommend_needs_headroom() -> None:
    assert HEADROOM * 31 > 38
    assert recommend(ROWS, 31, FAST).row.size == 384


def test_recommend_names_other_than_default() -> None:
    assert recommend(ROWS, 30, EXACT).command == "live-nst --precision bfloat16 --size 640"
    assert recommend(ROWS, 30, OTHER, ("--model", "hub")).command == (
        "live-nst --model hub --engine openvino --precision bfloat16 --size 640"
    )


@pytest.mark.parametrize(("fps", "words"), [(100, "fewer than 100"), (85, "too few to spare any")])
def test_recommend_fastest_on_a_slow_machine(fps: float, words: str) -> None:
    choice = recommend(ROWS, fps, FAST)
    assert choice.row.fps == 90
    assert not choice.enough
    assert words in choice.sentence


def test_recommend_another_device() -> None:
    gpu = EngineSetup("openvino", "float16", "gpu")
    rows = [*ROWS, row(gpu, 1280, 50)]
    choice = recommend(rows, 30, FAST)
    assert choice.command == "live-nst --device gpu --precision float16 --size 1280"
    assert "openvino in float16 on the GPU at 1280x720" in choice.sentence
    assert recommend(rows, 30, gpu).command == "live-nst --size 1280"
    given = recommend(rows, 30, gpu, ("--device", "gpu"))
    assert given.command == "live-nst --device gpu --size 1280"
    assert row(gpu, 1280, 50).as_dict()["device"] == "gpu"


def test_recommend_quotes_paths() -> None:
    command = recommend(ROWS, 30, FAST, ("--model", "my models/one")).command
    assert shlex.split(command)[2] == "my models/one"


def test_recommended_command_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    from live_nst.cli.app import app

    ran = []
    monkeypatch.setattr("live_nst.cli.live.run", lambda options, stats: ran.append(options))
    command = recommend(ROWS, 30, FAST, ("--model", "hub", "--device", "cpu")).command
    result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert result.exit_code == 0, result.output
    assert (ran[0].stylizer.model, ran[0].stylizer.size) == ("hub", 640)
