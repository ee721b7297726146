"""`live-nst convert` of pictures, folders and streams, with the real model at a small size."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.cli import main
from live_nst.cli.convert_words import describe_folder
from live_nst.conversion.batch.folder import BatchReport
from live_nst.errors import SourceError
from live_nst.sources.demo_video import DemoVideo

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def convert(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process: (exit code, stdout, stderr)."""

    def run(*arguments: Any) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["live-nst", "convert", *map(str, arguments)])
        try:
            main()
        except SystemExit as exc:
            code = int(exc.code or 0)
        else:
            code = 0
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


def scene(path: Path, width: int = 90, height: int = 61) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = DemoVideo(width, height).image_at(1.0)[..., ::-1]
    Pillow.fromarray(np.ascontiguousarray(image)).save(path)
    return image


def read(path: Path) -> Any:
    with Pillow.open(path) as picture:
        return np.asarray(picture.convert("RGB"), int)


def test_image_equals_that_of_the_stylizer(convert: Run, tmp_path: Path) -> None:
    import live_nst

    image = scene(tmp_path / "a.png")
    code, _, err = convert(tmp_path / "a.png", tmp_path / "b.png", "--style", "candy")
    assert code == 0
    assert "b.png" in err
    with live_nst.Stylizer("mobile", ["candy"], device="cpu") as stylizer:
        bgr = np.ascontiguousarray(image[..., ::-1])
        expected = stylizer.still(bgr)
    np.testing.assert_array_equal(read(tmp_path / "b.png"), expected[..., ::-1])


def test_strength_and_size_of_images(convert: Run, tmp_path: Path) -> None:
    image = scene(tmp_path / "a.png", 200, 100)
    assert convert(tmp_path / "a.png", tmp_path / "b.png", "--strength", "0")[0] == 0
    np.testing.assert_array_equal(read(tmp_path / "b.png"), image)
    assert convert(tmp_path / "a.png", tmp_path / "c.png", "--size", "64")[0] == 0
    assert convert(tmp_path / "a.png", tmp_path / "d.png")[0] == 0
    small, full = read(tmp_path / "c.png"), read(tmp_path / "d.png")
    assert small.shape == full.shape == image.shape
    sharpness = [float(np.abs(np.diff(each, axis=1)).mean()) for each in (small, full)]
    assert sharpness[0] < 0.7 * sharpness[1]  # what was painted at 64 is enlarged


def test_folder(convert: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    for name in ("a.png", "b/c.jpg", "b/d.webp"):
        scene(source / name)
    (source / "bad.png").write_text("no picture")
    command = (source, target, "--size", "64", "--jobs", "2")
    code, out, err = convert(*command)
    assert code == 1
    assert "Files: 3 converted, 1 failed" in out
    assert "bad.png" in err
    assert "1 of 4 files" in err
    assert read(target / "b" / "c.jpg").shape == (61, 90, 3)
    times = {path: path.stat().st_mtime_ns for path in target.rglob("*.*") if path.is_file()}
    code, out, err = convert(*command)
    assert code == 1
    assert "3 done already" in out
    assert all(path.stat().st_mtime_ns == times[path] for path in target.rglob("[abc].*"))
    (source / "bad.png").unlink()
    code, out, _ = convert(*command, "--style", "ink")
    assert code == 0
    assert "Files: 3 converted" in out


def test_folder_as_json(convert: Run, tmp_path: Path) -> None:
    scene(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "bad.png").touch()
    code, out, _ = convert(tmp_path / "in", tmp_path / "out", "--size", "64", "--json")
    assert code == 1
    events = [json.loads(line) for line in out.splitlines()]
    (folder,) = [event for event in events if event["event"] == "folder"]
    assert folder["done"] == ["a.png"]
    assert folder["failed"][0]["name"] == "bad.png"
    assert [e["files"] for e in events if e["event"] == "file"] == [1, 2]
    assert events[-1]["event"] == "error"


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_standard_input_and_output(tmp_path: Path, suffix: str) -> None:
    scene(tmp_path / f"a{suffix}")
    command = [sys.executable, "-m", "live_nst", "convert", "-", "-", "--model", "mobile"]
    done = subprocess.run(
        command, input=(tmp_path / f"a{suffix}").read_bytes(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with Pillow.open(io.BytesIO(done.stdout)) as picture:
        assert picture.size == (90, 61)
        assert picture.format == {".jpg": "JPEG", ".png": "PNG"}[suffix]


def refusal(convert: Run, *arguments: Any, code: int) -> str:
    got, out, err = convert(*arguments)
    assert got == code, err
    assert out == ""
    assert "Model" not in err  # refused before one was loaded
    assert "Hint:" in err or "no pictures and no videos" in err
    return err


def test_invalid_input_is_refused_before_the_model_is_loaded(
    convert: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene(tmp_path / "a.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("no picture")
    a, out = tmp_path / "a.png", tmp_path / "out.png"
    assert "There is no" in refusal(convert, tmp_path / "none.png", out, code=1)
    assert "not a picture" in refusal(convert, tmp_path / "text.png", out, code=1)
    assert "cannot write" in refusal(convert, a, tmp_path / "out.xyz", code=2)
    assert "output is the input" in refusal(convert, a, a, code=2)
    assert "no times" in refusal(convert, a, out, "--start", "3", code=2)
    assert "no times" in refusal(convert, a, out, "--codec", "h264", code=2)
    assert "no times" in refusal(convert, a, out, "--strength", "0.5@0:30", code=2)
    assert "no.png" in refusal(convert, a, out, "--only", tmp_path / "no.png", code=2)
    assert "no pictures" in refusal(convert, tmp_path / "empty", tmp_path / "b", code=1)
    assert "output folder" in refusal(convert, tmp_path, tmp_path, code=2)
    assert "no folder" in refusal(convert, a, tmp_path / "none" / "b.png", code=2)
    out.write_text("precious")
    assert "already" in refusal(convert, a, out, code=1)
    assert out.read_text() == "precious"
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: SIM115
    assert "is empty" in refusal(convert, "-", tmp_path / "b.png", code=1)


def test_dry_run_of_a_picture(convert: Run, tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x010F] = "x" * 70_000
    Pillow.new("RGB", (40, 24)).save(tmp_path / "a.webp", exif=exif)
    code, _, err = convert(tmp_path / "a.webp", tmp_path / "b.jpg", "--dry-run")
    assert code == 0
    assert "b.jpg has no EXIF data: they are too long for a JPEG." in err
    assert "a.webp would become b.jpg: 40x24, JPEG." in err
    assert "Running" not in err  # no model was loaded
    assert [path.name for path in tmp_path.iterdir()] == ["a.webp"]
    code, _, err = convert(tmp_path, tmp_path / "out", "--dry-run")
    assert code == 2 and "for one file" in err


def test_describe_folder() -> None:
    report = BatchReport(["a"], ["b", "c"], [("d", SourceError("It is empty"))])
    assert describe_folder(report) == "Files: 1 converted, 2 done already, 1 failed"
    report = BatchReport(["a"], others=["notes.txt"])
    assert describe_folder(report) == "Files: 1 converted, 1 other file left out"
