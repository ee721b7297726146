"""`live-nst convert`, from end to end, in processes of their own, with the real model."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from live_nst import cli
from live_nst.cli.convert_words import (
    describe_progress,
    format_bytes,
    format_duration,
    format_time_taken,
    format_timestamp,
)
from live_nst.conversion.progress import ConversionProgress
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions
from tests.conversion.make_videos import frames_of, write
from tests.conversion.reading import read

MODEL = ("--model", "mobile", "--device", "cpu", "--size", "128")


@pytest.fixture(scope="module")
def film(clips: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    pictures = frames_of(clips["bikes"], 30, (160, 90))
    return write(
        tmp_path_factory.mktemp("film") / "film.mp4", pictures, audio=[("aac", "mono", 300)]
    )


def start(own_cache: Path, *arguments: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            sys.executable, "-m", "live_nst", "convert", *map(str, arguments), *MODEL,
        ],
        env={**os.environ, "LIVE_NST_CACHE": str(own_cache), "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


def test_json_and_frames(film: Path, tmp_path: Path, own_cache: Path) -> None:
    output = tmp_path / "out.mkv"
    process = start(
        own_cache, film, output, "--style", "starry", "--style", "wave@0:00.6", "--fade", "0.2s",
        "--codec", "libx264rgb", "--json", "--stabilize", "off", "--precision", "float32",
        "--engine", "tensorflow",
    )  # fmt: skip
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events if event["event"] in ("plan", "done")] == [
        "plan",
        "done",
    ]
    assert any(event["event"] == "progress" for event in events)
    assert events[-1]["frames"] == 30
    after = read(output, "bgr24")
    assert after.times == read(film).times

    before = read(film, "bgr24")
    with StylizerCore(
        StylizerOptions(
            model="mobile",
            styles=("starry",),
            size=128,
            device="cpu",
            engine="tensorflow",
            precision="float32",
        )
    ) as stylizer:
        stylizer.select("wave", fade=0.2, time=0.6)
        for number in (0, 14, 15, 17, 19, 20, 29):
            expected = stylizer(before.images[number], float(before.times[number]))
            assert np.array_equal(after.images[number], expected), number


def test_interrupt_and_resume(clips: dict[str, Path], tmp_path: Path, own_cache: Path) -> None:
    output = tmp_path / "out.mp4"
    process = start(own_cache, clips["bikes"], output, "--style", "starry")
    segment = tmp_path / ".out.mp4.live-nst" / "000000.json"
    deadline = time.monotonic() + 60
    while not segment.exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Error: Stopped." in err and "Traceback" not in err
    assert segment.exists() and not output.exists()

    again = start(own_cache, clips["bikes"], output, "--style", "starry")
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert "Continuing after" in err
    assert "250 frames" in out
    assert len(read(output).times) == 250


def test_dry_run_and_preview(film: Path, tmp_path: Path, own_cache: Path) -> None:
    output = tmp_path / "out.mp4"
    dry = start(own_cache, film, output, "--dry-run")
    out, err = dry.communicate(timeout=120)
    assert dry.returncode == 0, err
    assert "It would take" in out and "30 frames" in out
    assert list(tmp_path.iterdir()) == []

    shown = start(own_cache, film, output, "--preview")
    _, err = shown.communicate(timeout=120)
    assert shown.returncode == 0, err
    assert [path.name for path in tmp_path.iterdir()] == ["out.preview.png"]


def test_timetable_of_looks(
    film: Path,
    tmp_path: Path,
    own_cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each frame is what the stylizer makes of it with the look of its time."""
    output = tmp_path / "out.mkv"
    timetable = (
        "--strength", "0.3", "--strength", "1@0:00.6", "--keep-colors", "1@0.8", "--fade", "0.2s",
        "--stroke", "2@0.6", "--detail", "0.5",
    )  # fmt: skip
    shared = ("--codec", "libx264rgb", "--stabilize", "off", "--precision", "float32",
              "--engine", "tensorflow")  # fmt: skip
    # In this process, which has TensorFlow loaded: it compares with the stylizer below.
    arguments = [str(film), str(output), *timetable, *shared, *MODEL, "--dry-run"]
    monkeypatch.setattr(sys, "argv", ["live-nst", "convert", *arguments])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, err = capsys.readouterr()
    assert end.value.code == 0, err
    assert "From 0:00 on: style starry, strength 30%, detail 50%\n" in out
    assert "From 0:00.6 on, over 0.2 s: stroke 200%, strength 100%\n" in out
    assert "From 0:00.8 on, over 0.2 s: keep-colors 100%\n" in out

    process = start(own_cache, film, output, *timetable, *shared, "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    (plan,) = [e for e in map(json.loads, out.splitlines()) if e["event"] == "plan"]
    assert plan["timetable"][1:] == [
        {"time": 0.6, "stroke": 2.0, "strength": 1.0},
        {"time": 0.8, "keep_colors": 1.0},
    ]
    before, after = read(film, "bgr24"), read(output, "bgr24")
    with StylizerCore(
        StylizerOptions(
            model="mobile",
            styles=("starry",),
            size=128,
            device="cpu",
            engine="tensorflow",
            precision="float32",
            look=Look(strength=0.3, detail=0.5),
        )
    ) as stylizer:
        stylizer.select("starry", stroke=2.0, fade=0.2, time=0.6)
        stylizer.change_look(Look(detail=0.5), fade=0.2, time=0.6)
        stylizer.change_look(Look(detail=0.5, keep_colors=1.0), fade=0.2, time=0.8)
        for number in (0, 14, 15, 17, 20, 22, 25, 29):
            expected = stylizer(before.images[number], float(before.times[number]))
            assert np.array_equal(after.images[number], expected), number


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--strength", "1.5@0:30"), "strength 1.5"),
        (("--strength", "1@soon"), "Invalid number '1@soon' for --strength"),
        (("--strength", "0.1", "--strength", "0.2"), "Two values of --strength"),
        (("--keep-colors", "2@3"), "keep-colors 2"),
        (("--detail", "much"), "Invalid number 'much' for --detail"),
        (("--stroke", "9@0:30"), "stroke"),
        (("--only", "none.png@0:30"), "none.png"),
    ],
)
def test_invalid_timetable(
    arguments: tuple[str, ...],
    word: str,
    film: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        sys, "argv", ["live-nst", "convert", str(film), str(tmp_path / "out.mp4"), *arguments]
    )
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 2  # a sentence and a hint, before a model is loaded
    assert word in err and "Hint: " in err
    assert list(tmp_path.iterdir()) == []


def test_keep_colors_with_and_without_a_number() -> None:
    """What follows it may be a file, as well."""
    for given, completed in (
        ("--keep-colors in.mp4 out.mp4", "--keep-colors 1 in.mp4 out.mp4"),
        ("in.mp4 out.mp4 --keep-colors", "in.mp4 out.mp4 --keep-colors 1"),
        ("--keep-colors --split", "--keep-colors 1 --split"),
        ("--keep-colors 0.5 in.mp4", "--keep-colors 0.5 in.mp4"),
        ("--keep-colors .5@1:30 in.mp4", "--keep-colors .5@1:30 in.mp4"),
        ("--keep-colors -1", "--keep-colors -1"),
        ("--keep-colors 1.mp4 out.mp4", "--keep-colors 1 1.mp4 out.mp4"),
    ):
        assert cli.add_optional_values(given.split()) == completed.split()


def test_errors(tmp_path: Path, own_cache: Path) -> None:
    (tmp_path / "text.mp4").write_text("no film\n")
    process = start(own_cache, tmp_path / "text.mp4", tmp_path / "out.mp4", "--json")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert json.loads(out.splitlines()[-1])["event"] == "error"
    assert err.startswith("Error: text.mp4") and err.count("\n") == 2

    usage = start(own_cache, tmp_path / "text.mp4", tmp_path / "out.mp4", "--start", "soon")
    _, err = usage.communicate(timeout=60)
    assert usage.returncode == 2 and "Invalid time 'soon'" in err


def test_describe_progress() -> None:
    step = ConversionProgress("painting", 120, 250, 0, 31.25, 4.0, 4.2, 1_234_567)
    assert describe_progress(step) == "120/250 48% 31.2 fps, 0:04, 0:04 left, 1.2 MB"
    assert describe_progress(step, 45) == describe_progress(step)
    assert describe_progress(step, 44) == "120/250 48% 31.2 fps, 0:04 left"
    assert format_duration(3723) == "1:02:03"
    assert [format_time_taken(each) for each in (0.04, 0.44, 9.94, 9.96, 10.4, 75)] == [
        "0.0 s",
        "0.4 s",
        "9.9 s",
        "0:10",
        "0:10",
        "1:15",
    ]
    assert [format_timestamp(each) for each in (0, 90, 0.6, 3599.25)] == [
        "0:00",
        "1:30",
        "0:00.6",
        "59:59.25",
    ]
    assert format_bytes(999) == "1.0 kB"
