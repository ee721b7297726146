"""A video painted in chunks: each by itself, after some frames of warm-up."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_nst.conversion.api import convert
from live_nst.conversion.options import WARM_UP_FRAMES, ConvertOptions
from live_nst.conversion.video.segments import Segment, SegmentStore, StoredPacket, digest_of
from live_nst.conversion.video.task import VideoTask
from live_nst.errors import ConversionCancelled, UsageError
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from tests.conversion.fakes import Negative
from tests.conversion.make_videos import frames_of, write
from tests.conversion.reading import read

FRAMES, CHUNK = 100, 40
OPTIONS = StylizerOptions(
    model="mobile", styles=("ink",), size=64, device="cpu", concurrency=2, stabilize="fast"
)


@pytest.fixture(scope="module")
def film(clips: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    images = frames_of(clips["bikes"], FRAMES, (96, 64))
    return write(tmp_path_factory.mktemp("film") / "film.mp4", images)


@pytest.fixture(scope="module")
def stylizer() -> StylizerCore:
    return StylizerCore(OPTIONS)


def run(film: Path, output: Path, stylizer: Any, **options: Any) -> list[str]:
    said: list[str] = []
    options = {"chunk": CHUNK, "codec": "libx264rgb", **options}
    convert(film, output, ["ink"], stylizer=stylizer, notify=said.append, **options)
    return said


def test_chunk_is_warmed_up_and_else_independent(
    film: Path, tmp_path: Path, stylizer: StylizerCore
) -> None:
    output = tmp_path / "out.mkv"
    run(film, output, stylizer)
    painted = read(output, "bgr24").images
    images, times = read(film, "bgr24").images, read(film).times
    stylizer.restore_state({})
    begin = CHUNK - WARM_UP_FRAMES
    expected = [
        stylizer(image, float(time))
        for image, time in zip(images[begin : 2 * CHUNK], times[begin : 2 * CHUNK], strict=True)
    ][WARM_UP_FRAMES:]
    for one, other in zip(painted[CHUNK : 2 * CHUNK], expected, strict=True):
        assert np.array_equal(one, other)


def test_seam_does_not_show(film: Path, tmp_path: Path, stylizer: StylizerCore) -> None:
    chunks, whole = tmp_path / "chunks.mkv", tmp_path / "whole.mkv"
    run(film, chunks, stylizer)
    run(film, whole, stylizer, chunk=None)
    pairs = zip(read(chunks, "bgr24").images, read(whole, "bgr24").images, strict=True)
    differences = [np.abs(one.astype(int) - other.astype(int)) for one, other in pairs]
    assert all(each.max() == 0 for each in differences[:CHUNK])
    assert max(each.mean() for each in differences) < 0.1


def test_cut_is_a_free_seam(clips: dict[str, Path], tmp_path: Path, stylizer: StylizerCore) -> None:
    """What follows a cut within the warm-up is exactly what it is in an unbroken film."""
    images = frames_of(clips["bikes"], 30, (96, 64))
    images += [255 - image for image in frames_of(clips["bigbuckbunny"], 30, (96, 64))]
    film = write(tmp_path / "cut.mp4", images)
    chunks, whole = tmp_path / "chunks.mkv", tmp_path / "whole.mkv"
    run(film, chunks, stylizer)  # the seam is 10 frames behind the cut
    run(film, whole, stylizer, chunk=None)
    for one, other in zip(read(chunks, "bgr24").images, read(whole, "bgr24").images, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize(("chunk", "after"), [(40, 50), (40, 90), (8, 45), (50, 60)])
def test_resume_gives_same_file(
    film: Path, tmp_path: Path, stylizer: StylizerCore, chunk: int, after: int
) -> None:
    whole, output = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    run(film, whole, stylizer, chunk=chunk)
    stop = threading.Event()
    with StoppingCore(OPTIONS, stop, after / 25) as stopping, pytest.raises(ConversionCancelled):
        run(film, output, stopping, chunk=chunk, cancel=stop)
    said = run(film, output, stylizer, chunk=chunk)
    assert any("Continuing after" in line for line in said)
    assert output.read_bytes() == whole.read_bytes()


class StoppingCore(StylizerCore):
    """Asks for a stop at a time of the film, and holds it up until that must have been seen."""

    def __init__(self, options: StylizerOptions, stop: threading.Event, time: float) -> None:
        super().__init__(options)
        self._stop, self._stop_time = stop, time

    def postprocess(self, image: Any, stylized: Any, time: float = 0.0) -> Any:
        if time >= self._stop_time:
            self._stop.set()
            threading.Event().wait(0.5)
        return super().postprocess(image, stylized, time)


def test_warm_up_runs_the_network_on_no_frame_twice(film: Path, tmp_path: Path) -> None:
    stylizer = Negative()
    run(film, tmp_path / "out.mkv", stylizer)
    assert len(stylizer.seen) == len(stylizer.finished) == FRAMES


def test_chunk_is_a_setting(film: Path, tmp_path: Path) -> None:
    output, stop = tmp_path / "out.mkv", threading.Event()
    stylizer = Negative(lambda count: stop.set() if count > 50 else None)
    with pytest.raises(ConversionCancelled):
        run(film, output, stylizer, cancel=stop)
    assert run(film, output, Negative(), chunk=20)[0].startswith("Starting again: chunk")


def test_encoder_of_chunks_does_not_depend_on_the_machine(film: Path, tmp_path: Path) -> None:
    task = VideoTask.open(film, tmp_path / "out.mp4", ConvertOptions(chunk=40))
    assert task.encoder_settings(2) == task.encoder_settings(64)
    assert task.encoder_settings(2).segment_frames == 40


@pytest.mark.parametrize("chunk", [0, -1, 10_001])
def test_invalid_chunk(film: Path, tmp_path: Path, chunk: int) -> None:
    with pytest.raises(UsageError, match="--chunk"):
        run(film, tmp_path / "out.mkv", Negative(), chunk=chunk)


def test_content_style_needs_the_whole_film(film: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        run(film, tmp_path / "out.mkv", None, content_style_seconds=2.0)


def segment(number: int, payload: bytes) -> Segment:
    return Segment(
        number=number, frames=number + 1, first=number, last=number, end=number + 1, checksum=0,
        reorder=0, extradata="", digest=digest_of(payload), ending=None, stateful=False,
        packets=(StoredPacket(0, True, len(payload)),),
    )  # fmt: skip


def test_segments_in_any_order_survive(tmp_path: Path) -> None:
    store = SegmentStore(tmp_path / "out.mkv")
    for number in (2, 0, 4):
        store.add(segment(number, b"abc"), b"abc", {})
    assert [len(store.segments), sorted(store.ahead), store.frames] == [1, [2, 4], 3]
    store.close()

    again = SegmentStore(tmp_path / "out.mkv")
    (again.folder / "000004.packets").write_bytes(b"ab")
    again.load(ahead=True)
    assert [len(again.segments), sorted(again.ahead)] == [1, [2]]
    assert not (again.folder / "000004.json").exists()
    again.add(segment(1, b"abc"), b"abc", {})
    assert [len(again.segments), again.ahead] == [3, {}]
    again.close()

    alone = SegmentStore(tmp_path / "out.mkv")
    (alone.folder / "000001.json").unlink()
    alone.load()
    assert [len(alone.segments), alone.ahead, alone.frames] == [1, {}, 1]
    assert not (alone.folder / "000002.packets").exists()
    alone.close(remove=True)
