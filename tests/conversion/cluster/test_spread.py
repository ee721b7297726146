"""A film that workers paint is the same file, byte for byte, whatever shapes it."""

import errno
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from live_nst.conversion.cluster import examination, painting, spread
from live_nst.conversion.cluster.examination import Examination
from live_nst.conversion.cluster.job import StylizerSetup
from live_nst.conversion.cluster.packets import ChunkMismatch
from live_nst.conversion.cluster.roster import Roster
from live_nst.conversion.cluster.spread import SpreadPainter, default_chunk
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ConversionProgress, ProgressReporter
from live_nst.conversion.timetable import LookChange, StyleChange
from live_nst.conversion.video.convert import convert_video
from live_nst.conversion.video.segments import work_folder
from live_nst.conversion.video.task import VideoTask
from live_nst.errors import ConversionCancelled, ConversionError
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions
from tests.conversion.cluster.threads import ThreadWorkers
from tests.conversion.make_videos import frames_of, write

FRAMES, CHUNK = 60, 16
OPTIONS = StylizerOptions(
    model="mobile", styles=("ink",), size=64, device="cpu", concurrency=2, stabilize="fast"
)
PLAIN = ConvertOptions(changes=(StyleChange("ink", 0.0, 1.0),), chunk=CHUNK)


@pytest.fixture(scope="module")
def images(clips: dict[str, Path]) -> list[np.ndarray]:
    return frames_of(clips["bikes"], FRAMES, (96, 64))


@pytest.fixture(scope="module")
def film(images: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    x264 = {"x264-params": "open-gop=1:keyint=15:bframes=3:b-adapt=0:scenecut=0"}
    return write(path, images, options=x264, audio=[("aac", "stereo", 300)])


@pytest.fixture(scope="module")
def stylizer() -> StylizerCore:
    return StylizerCore(OPTIONS)


@pytest.fixture
def workers() -> Iterator[ThreadWorkers]:
    made = ThreadWorkers("one", "two")
    yield made
    made.close()


def run(
    film: Path,
    output: Path,
    stylizer: StylizerCore,
    workers: ThreadWorkers | None,
    options: ConvertOptions = PLAIN,
    stylizer_options: StylizerOptions = OPTIONS,
    on_progress: Callable[[ConversionProgress], None] = lambda progress: None,
    cancel: threading.Event | None = None,
) -> list[str]:
    said: list[str] = []
    stylizer.look = Look()
    reporter = ProgressReporter(notify=said.append, progress=on_progress, cancel=cancel)
    painter = None
    if workers is not None:
        painter = SpreadPainter(workers, stylizer_options, reporter)
    convert_video(VideoTask.open(film, output, options), stylizer, reporter, painter)
    return said


def looks(mask: Path) -> tuple[LookChange, ...]:
    return (
        LookChange(Look(strength=0.5, only="person"), 0.0),
        LookChange(Look(keep_colors=0.4, detail=0.5, only=str(mask)), 0.8),
        LookChange(Look(blend="styles", strength=0.6), 1.6),
    )


@pytest.mark.parametrize("name", ["plain.mp4", "out.mkv", "out.gif", "out.webp", "out.mov"])
def test_same_file(
    film: Path, tmp_path: Path, stylizer: StylizerCore, workers: ThreadWorkers, name: str
) -> None:
    codec = "ffv1" if name.endswith("mkv") else None
    options = replace(PLAIN, codec=codec, chunk=20)
    alone, spread_out = tmp_path / f"alone-{name}", tmp_path / name
    run(film, alone, stylizer, None, options)
    said = run(film, spread_out, stylizer, workers, options)
    assert any("2 workers paint with openvino" in line for line in said)
    if codec is None:
        assert spread_out.read_bytes() == alone.read_bytes()
    else:  # Matroska stores random numbers
        assert spread_out.stat().st_size == alone.stat().st_size
    # A worker that is free may repeat the last one, where that looks faster.
    assert 3 <= workers.tasks.count("paint_chunk") <= 4


@pytest.mark.parametrize("start", [0.0, 0.35])
def test_everything_that_shapes_the_film_travels(
    film: Path, tmp_path: Path, stylizer: StylizerCore, workers: ThreadWorkers, start: float
) -> None:
    mask = tmp_path / "mask.png"
    cv2.imwrite(str(mask), np.tile(np.arange(96, dtype=np.uint8) * 2, (64, 1)))
    options = ConvertOptions(
        changes=(
            StyleChange("ink", 0.0, 1.0),
            StyleChange("ink", 0.6, 2.0),
            StyleChange("starry:0.3+wave:0.7", 1.0, 2.0),
        ),
        looks=looks(mask), fade=0.5, start=start, end=2.1, crf=25, preset="medium", chunk=14,
    )  # fmt: skip
    alone, spread_out = tmp_path / "alone.mp4", tmp_path / "spread.mp4"
    run(film, alone, stylizer, None, options)
    run(film, spread_out, stylizer, workers, options)
    assert spread_out.read_bytes() == alone.read_bytes()


@pytest.mark.parametrize("stabilize", ["off", "best"])
def test_stabilizer_and_every(
    film: Path, tmp_path: Path, workers: ThreadWorkers, stabilize: str
) -> None:
    made = replace(OPTIONS, stabilize=stabilize)
    options = replace(PLAIN, every=2, chunk=9)
    with StylizerCore(made) as stylizer:
        run(film, tmp_path / "alone.mp4", stylizer, None, options)
        run(film, tmp_path / "spread.mp4", stylizer, workers, options, made)
    assert (tmp_path / "spread.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()


def test_hdr_and_uneven_times(
    images: list[np.ndarray], tmp_path: Path, stylizer: StylizerCore, workers: ThreadWorkers
) -> None:
    steps = np.random.default_rng(5).integers(200, 4000, FRAMES)
    film = write(
        tmp_path / "hdr.mp4", images, codec="libx265", pixels="yuv420p10le", color=(9, 1, 9, 16),
        ticks=np.cumsum(steps).tolist(), aspect=Fraction(4, 3),
        options={"preset": "ultrafast", "x265-params": "log-level=none:keyint=15:max-cll=600,200"},
    )  # fmt: skip
    run(film, tmp_path / "alone.mp4", stylizer, None)
    run(film, tmp_path / "spread.mp4", stylizer, workers)
    assert (tmp_path / "spread.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()


def test_damaged_film_goes_on_here(
    images: list[np.ndarray], tmp_path: Path, stylizer: StylizerCore, workers: ThreadWorkers
) -> None:
    film = write(
        tmp_path / "film.ts", images, time_base=Fraction(1, 90_000),
        ticks=[90_000 + 3600 * number for number in range(FRAMES)],
        options={"x264-params": "keyint=10:scenecut=0"},
    )  # fmt: skip
    data = bytearray(film.read_bytes())
    begin = len(data) // 188 * 2 // 3 * 188
    del data[begin : begin + 188 * 6]
    film.write_bytes(data)
    outputs = [tmp_path / "alone.mp4", tmp_path / "spread.mp4"]
    for output, place in zip(outputs, [None, workers], strict=True):
        with pytest.raises(ConversionError, match="is damaged"):
            run(film, output, stylizer, place)
    incomplete = [path.with_name(f"{path.stem}.incomplete.mp4") for path in outputs]
    # What FFmpeg conceals the damage with is what its buffers held: it differs from run to run.
    alone, spread = (frames_of(path, FRAMES) for path in incomplete)
    assert len(alone) == len(spread) > 2 * CHUNK
    np.testing.assert_array_equal(alone[: 2 * CHUNK], spread[: 2 * CHUNK])
    assert workers.tasks.count("paint_chunk") >= 1


def test_mismatch_goes_on_here(
    film: Path, tmp_path: Path, stylizer: StylizerCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mismatch(function: str, number: int) -> None:
        if function == "paint_chunk" and number > 3:
            raise ChunkMismatch("there is no frame at 7")

    run(film, tmp_path / "alone.mp4", stylizer, None)
    workers = ThreadWorkers("one", on_task=mismatch)
    said = run(film, tmp_path / "spread.mp4", stylizer, workers)
    workers.close()
    assert any("what is left is painted on this machine" in line for line in said)
    assert (tmp_path / "spread.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()


def test_stop_and_go_on_elsewhere(film: Path, tmp_path: Path, stylizer: StylizerCore) -> None:
    """What workers began goes on alone, and what was begun alone goes on at workers."""
    run(film, tmp_path / "whole.mp4", stylizer, None)
    for first in ("workers", "alone"):
        output, stop = tmp_path / f"{first}.mp4", threading.Event()
        one, two = ThreadWorkers("one"), ThreadWorkers("two")

        def stop_in_the_middle(progress: ConversionProgress, stop: threading.Event = stop) -> None:
            if progress.frames > CHUNK:
                stop.set()

        with pytest.raises(ConversionCancelled):
            place = one if first == "workers" else None
            run(film, output, stylizer, place, on_progress=stop_in_the_middle, cancel=stop)
        assert (work_folder(output) / "000000.json").exists()
        said = run(film, output, stylizer, two if first == "alone" else None)
        assert any("Continuing after" in line for line in said)
        assert output.read_bytes() == (tmp_path / "whole.mp4").read_bytes()
        one.close()
        two.close()


def test_chunks_that_came_early_are_kept(
    film: Path, tmp_path: Path, stylizer: StylizerCore
) -> None:
    run(film, tmp_path / "alone.mp4", stylizer, None)
    output = tmp_path / "out.mp4"
    workers = ThreadWorkers("one")
    with pytest.MonkeyPatch.context() as patch:  # the head dies before it joins
        patch.setattr(spread.SpreadPainter, "paint", _paint_and_die)
        with pytest.raises(KeyboardInterrupt):
            run(film, output, stylizer, workers)
    for kind in ("json", "packets"):
        (work_folder(output) / f"000001.{kind}").unlink()
    workers.tasks.clear()
    said = run(film, output, stylizer, workers)
    workers.close()
    assert f"Continuing after {FRAMES - CHUNK} frames" in said
    assert workers.tasks.count("paint_chunk") == 1
    assert output.read_bytes() == (tmp_path / "alone.mp4").read_bytes()


def _paint_and_die(self: SpreadPainter, job: Any) -> str:
    _original(self, job)
    raise KeyboardInterrupt


_original = spread.SpreadPainter.paint


def test_progress_has_a_row_for_each_worker(
    film: Path, tmp_path: Path, stylizer: StylizerCore, workers: ThreadWorkers
) -> None:
    seen: list[ConversionProgress] = []
    run(film, tmp_path / "out.mp4", stylizer, workers, on_progress=seen.append)
    painted = [progress for progress in seen if progress.workers][-1]
    assert [worker.name for worker in painted.workers] == ["one", "two"]
    assert painted.frames == sum(worker.frames for worker in painted.workers) == FRAMES
    values = painted.as_dict()["workers"][0]
    assert set(values) == {"name", "state", "frames", "fps"}


def test_worker_that_would_paint_otherwise_is_left_out(
    film: Path, tmp_path: Path, stylizer: StylizerCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = painting.describe

    def describe(stylizer: StylizerCore, digest: str = "") -> Examination:
        found = original(stylizer, digest)
        if threading.current_thread().name.startswith("other"):
            found = replace(found, settings={**found.settings, "precision": "bfloat16"})
        return found

    monkeypatch.setattr(painting, "describe", describe)
    workers = ThreadWorkers("one", "other")
    said = run(film, tmp_path / "out.mp4", stylizer, workers)
    workers.close()
    assert (
        "Worker other is left out: its precision is bfloat16, not float32, so it would paint "
        "otherwise (with --precision float32 every worker computes in the same precision)"
    ) in said


def test_nobody_can_paint(film: Path, tmp_path: Path, stylizer: StylizerCore) -> None:
    def missing(function: str, number: int) -> None:
        raise ModuleNotFoundError("No module named 'live_nst'")

    workers = ThreadWorkers("one", on_task=missing)
    with pytest.raises(ConversionError, match="none of the workers can paint"):
        run(film, tmp_path / "out.mp4", stylizer, workers)
    workers.close()
    assert not work_folder(tmp_path / "out.mp4").exists()


def test_full_disk_of_a_worker(
    film: Path, tmp_path: Path, stylizer: StylizerCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: StylizerSetup, folder: Path) -> StylizerSetup:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(StylizerSetup, "unpacked", full)
    monkeypatch.setattr(painting, "_kept", painting._Kept())
    workers = ThreadWorkers("one")
    said: list[str] = []
    monkeypatch.setattr(Roster, "leave_out", _saying(Roster.leave_out, said))
    mask = tmp_path / "mask.png"  # what a worker keeps on its disk
    cv2.imwrite(str(mask), np.full((64, 96, 3), 255, np.uint8))
    options = replace(PLAIN, looks=looks(mask))
    with pytest.raises(ConversionError, match="none of the workers can paint"):
        run(film, tmp_path / "out.mp4", stylizer, workers, options)
    workers.close()
    assert len(said) == 1 and said[0].startswith("The disk is full")


def _saying(original: Any, said: list[str]) -> Any:
    def leave_out(self: Roster, address: str, reason: str, hint: str = "") -> None:
        said.append(f"{reason} ({hint})")
        original(self, address, reason, hint)

    return leave_out


def examined(digest: str = "a", **settings: str) -> Examination:
    usual = {"model": "m", "engine": "e", "device": "cpu", "precision": "float32"}
    return Examination({**usual, **settings}, {"numpy": "2"}, ("avx2",), digest)


def test_examinations_tell_what_differs() -> None:
    one = examined()
    assert one.difference(examined()) == ""
    assert one.difference(examined(digest="")) == ""
    assert "bytes" in one.difference(examined(digest="b"))
    assert "engine is x" in one.difference(examined(engine="x"))
    assert "numpy 3" in one.difference(replace(one, versions={"numpy": "3"}))
    assert "amx" in one.difference(replace(one, instructions=("avx2", "amx")))
    group = [examined("b"), examined("a"), examined("a")]
    assert examination.majority(group).digest == "a"


def test_default_chunk_of_lossless_film_is_shorter() -> None:
    options = ConvertOptions()
    assert default_chunk(Path("a.mp4"), options) == 384
    assert default_chunk(Path("a.gif"), options) == 96
    assert default_chunk(Path("a.mkv"), replace(options, codec="ffv1")) == 96
    assert default_chunk(Path("folder"), options) == 384
