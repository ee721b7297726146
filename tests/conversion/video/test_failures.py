"""Inputs, outputs and options that fail: one sentence, and what is finished is kept."""

import os
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from live_nst.conversion.api import convert
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ProgressReporter
from live_nst.conversion.video import task as task_module
from live_nst.conversion.video.preview import estimate, preview
from live_nst.conversion.video.segments import work_folder
from live_nst.conversion.video.task import VideoTask
from live_nst.errors import ConversionError, LiveNstError, SinkError, SourceError, UsageError
from tests.conversion.fakes import Negative
from tests.conversion.make_videos import cut, frames_of, write
from tests.conversion.reading import read

KEY = "00112233445566778899aabbccddeeff"


@pytest.fixture(scope="module")
def images(clips: dict[str, Path]) -> list[np.ndarray]:
    return frames_of(clips["bikes"], 50, (160, 90))


def run(source: Path, output: Path, stylizer: Negative | None = None, **options: Any) -> Any:
    return convert(source, output, stylizer=stylizer or Negative(), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_truncated_input(images: list[np.ndarray], tmp_path: Path, suffix: str) -> None:
    whole = write(
        tmp_path / f"whole{suffix}",
        images,
        audio=[("aac", "mono", 300)],
        container_options={"movflags": "+faststart"} if suffix == ".mp4" else {},
    )
    source = cut(whole, tmp_path / f"cut{suffix}", 0.7)
    output = tmp_path / "out.mp4"
    with pytest.raises(ConversionError, match="cut off or damaged after 1\\.") as caught:
        run(source, output)
    assert caught.value.exit_code == 1
    assert not output.exists()
    kept = read(tmp_path / "out.incomplete.mp4")
    assert 20 < len(kept.times) < 50
    assert kept.times == read(whole).times[: len(kept.times)]
    assert not work_folder(output).exists()


def test_input_without_video(images: list[np.ndarray], tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is no video\n")
    (tmp_path / "folder.mp4").mkdir()
    with av.open(str(tmp_path / "song.m4a"), "w", format="mp4") as out:
        track: Any = out.add_stream("aac", rate=48000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        silence.sample_rate = 48000
        out.mux([*track.encode(silence), *track.encode(None)])
    whole = write(tmp_path / "whole.mp4", images)
    cut(whole, tmp_path / "head.mp4", 0.5)  # its index was at its end
    for name, words in {
        "empty.mp4": "is empty",
        "text.mp4": "cannot be read as a video|is no video",
        "folder.mp4": "is a folder",
        "song.m4a": "contains no video",
        "head.mp4": "cannot be read as a video",
        "missing.mp4": "there is no file",
    }.items():
        with pytest.raises(SourceError, match=words):
            run(tmp_path / name, tmp_path / "out.mp4")
    assert not list(tmp_path.glob("*out*"))


def test_encrypted_input(images: list[np.ndarray], tmp_path: Path) -> None:
    source = write(
        tmp_path / "in.mp4",
        images,
        container_options={
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": KEY,
            "encryption_kid": KEY,
        },
    )
    with pytest.raises(SourceError, match="is encrypted"):
        run(source, tmp_path / "out.mp4")


def test_estimate_and_preview_without_frames(images: list[np.ndarray], tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", images)
    output = tmp_path / "out.mp4"
    task = VideoTask.open(source, output, ConvertOptions(start=99.0))
    stylizer: Any = Negative()
    for look in (
        lambda: preview(task, stylizer, tmp_path / "out.png"),
        lambda: estimate(task, stylizer, ProgressReporter()),
        lambda: run(source, output, start=99.0),
    ):
        with pytest.raises(SourceError, match="has no frame between --start and --end"):
            look()
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_input_changes_while_read(
    images: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_module, "segment_frames", lambda codec, threads: 8)
    source = write(tmp_path / "in.mp4", images)

    def change(count: int) -> None:
        if count == 20:
            os.utime(source, (1, 1))

    with pytest.raises(SourceError, match="was changed while it was read"):
        run(source, tmp_path / "out.mp4", Negative(change))
    assert not (tmp_path / "out.mp4").exists()
    stylizer = Negative()
    run(source, tmp_path / "out.mp4", stylizer)
    assert len(stylizer.seen) == len(images)


def test_output_folder_disappears(
    images: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_module, "segment_frames", lambda codec, threads: 8)
    source = write(tmp_path / "in.mp4", images)
    folder = tmp_path / "folder"
    folder.mkdir()

    def vanish(count: int) -> None:
        if count == 20:
            folder.rename(tmp_path / "elsewhere")

    with pytest.raises(SinkError, match="has disappeared"):
        run(source, folder / "out.mp4", Negative(vanish))


def test_output_errors(images: list[np.ndarray], tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", images[:2])
    before = source.read_bytes()
    for output, kind, words in (
        (source, UsageError, "The output is the input"),
        (tmp_path / "none" / "out.mp4", UsageError, "There is no folder"),
        (tmp_path, UsageError, "is a folder"),
        (tmp_path / "out.avi", UsageError, "cannot write a video to"),
    ):
        with pytest.raises(kind, match=words):
            run(source, output)
    (tmp_path / "there.mp4").write_text("mine")
    with pytest.raises(ConversionError, match="There is a file"):
        run(source, tmp_path / "there.mp4")
    assert (tmp_path / "there.mp4").read_text() == "mine"
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    "options",
    [
        {"start": -1.0},
        {"start": 3.0, "end": 2.0},
        {"every": 0},
        {"fade": -1.0},
        {"codec": "mpeg9"},
        {"codec": "ffv1"},
        {"crf": 99},
        {"preset": "warp"},
        {"styles": ["starry", "wave"]},
        {"styles": ["starry@3"]},
        {"styles": []},
    ],
    ids=str,
)
def test_option_errors(images: list[np.ndarray], tmp_path: Path, options: dict[str, Any]) -> None:
    source = write(tmp_path / "in.mp4", images[:2])
    with pytest.raises(UsageError) as caught:
        run(source, tmp_path / "out.mp4", **options)
    assert caught.value.exit_code == 2 and caught.value.hint


def test_no_frames_between_start_and_end(images: list[np.ndarray], tmp_path: Path) -> None:
    source = write(tmp_path / "in.mp4", images[:5])
    with pytest.raises(SourceError, match="no frame between"):
        run(source, tmp_path / "out.mp4", start=100.0)
    assert not work_folder(tmp_path / "out.mp4").exists()


def test_nvenc_without_gpu(images: list[np.ndarray], tmp_path: Path) -> None:
    try:
        context: Any = av.CodecContext.create("h264_nvenc", "w")
        context.width, context.height, context.pix_fmt = 160, 90, "yuv420p"
        context.open()
    except (av.FFmpegError, ValueError):
        pass
    else:
        pytest.skip("there is NVENC here")
    source = write(tmp_path / "in.mp4", images[:2])
    with pytest.raises(LiveNstError, match="no NVIDIA GPU"):
        run(source, tmp_path / "out.mp4", codec="nvenc")
