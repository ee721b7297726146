"""What a worker does. It keeps one stylizer from task to task, and does one task at a time."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from live_nst.conversion.cluster.examination import (
    Examination,
    describe,
    trial_film,
    trial_picture,
)
from live_nst.conversion.cluster.job import FilmJob, PictureJob, StylizerSetup, mask_folder
from live_nst.conversion.cluster.packets import Chunk, ChunkReader
from live_nst.conversion.images.convert import convert_image_file
from live_nst.conversion.video.pipeline import Pipeline, PipelineStages
from live_nst.conversion.video.segment_writer import OutputFrame, SegmentEncoder
from live_nst.conversion.video.segments import Segment
from live_nst.conversion.video.task import worker_count
from live_nst.errors import LiveNstError, ModelError, SinkError
from live_nst.files.output import write_errors
from live_nst.runtime.machine import available_cores
from live_nst.stylizer.core import StylizerCore
from live_nst.video.color import FromBgr

Report = Callable[[int], None]
"""Called with the number of finished frames of a task."""

_REPORT_SECONDS = 0.5


@dataclass(frozen=True)
class PaintedChunk:
    """The result for a chunk.

    Attributes:
        segment: The chunk, encoded.
        payload: Its packets, concatenated.
        before: `image_checksum` of the frame before it, as the worker decoded it.
        resized: Whether the size of its frames changes.
    """

    segment: Segment
    payload: bytes
    before: int | None
    resized: bool


class _Kept:
    """The stylizer of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        # Made when masks come, as a process that is killed leaves it.
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._options: tuple[object, ...] = ()
        self._stylizer: StylizerCore | None = None
        self._key = ""

    def open(self, setup: StylizerSetup) -> StylizerCore:
        """Return the stylizer of a setup: the same one for the same model and engine.

        Raises:
            LiveNstError: The model or the engine cannot be used here.
        """
        options = setup.options
        needed = (
            options.model,
            options.size,
            options.device,
            options.engine,
            options.precision,
            options.stabilize,
        )
        if setup.key == self._key and self._stylizer is not None:
            return self._stylizer
        if setup.masks:
            path = Path(tempfile.gettempdir()) / "masks"
            with write_errors(path, retry="the worker can join again"):
                self._folder = self._folder or mask_folder()
                setup = setup.unpacked(Path(self._folder.name))
        self._key = ""
        if needed != self._options or self._stylizer is None:
            if self._stylizer is not None:
                self._stylizer.close()
            options = replace(setup.options, concurrency=available_cores())
            self._options, self._stylizer = (), StylizerCore(options)
            self._options = needed
        if self._stylizer.settings([])["model"] != setup.model:
            raise ModelError(
                f"The model {options.model} is another one here", "copy the same files to it"
            )
        self._stylizer.look = setup.options.look
        setup.changes.apply(self._stylizer)
        self._key = setup.key
        return self._stylizer


_kept = _Kept()


def examine_for_film(job: FilmJob, report: Report) -> Examination:
    """Return what decides how this process paints a film.

    Raises:
        LiveNstError: It cannot.
    """
    with _kept.lock:
        stylizer = _kept.open(job.stylizer)
        stylizer.prepare(job.info.size, stylizer.size)
        digest = trial_film(stylizer, job)
        return describe(stylizer, digest)


def examine_for_pictures(job: PictureJob, report: Report) -> Examination:
    """Return what decides how this process paints pictures; see `examine_for_film`."""
    with _kept.lock:
        stylizer = _kept.open(job.stylizer)
        digest = trial_picture(stylizer, job.size)
        return describe(stylizer, digest)


def paint_chunk(job: FilmJob, chunk: Chunk, report: Report) -> PaintedChunk:
    """Decode, paint and encode a chunk.

    Raises:
        ChunkMismatch: Its frames are not those that the head expects.
        LiveNstError: It cannot be painted or encoded.
    """
    with _kept.lock:
        stylizer = _kept.open(job.stylizer)
        stylizer.prepare(job.info.size, stylizer.size)
        return _paint(job, chunk, stylizer, report)


def _paint(job: FilmJob, chunk: Chunk, stylizer: StylizerCore, report: Report) -> PaintedChunk:
    reader = ChunkReader(chunk, job.decoder, job.info)
    first = next(pts for pts, _ in _kept_frames(chunk))
    encoder = SegmentEncoder(job.settings, chunk.number, first)
    last: list[OutputFrame] = []

    def write(frame: OutputFrame) -> None:
        encoder.write(frame.av_frame, frame.pts)
        last[:] = [frame]

    stages = PipelineStages(
        stylizer=stylizer,
        size=job.info.size,
        orientation=job.info.orientation,
        from_bgr=FromBgr(job.settings.pixels, job.settings.color),
        is_last=lambda index: (index + 1) % job.settings.segment_frames == 0,
        write=write,
        workers=worker_count(stylizer),
        first=chunk.first,
        warm_up=job.warm_up,
    )
    Pipeline(reader.frames(), stages).run(lambda: report(encoder.frames), _REPORT_SECONDS)
    encoder.flush()
    end = chunk.first + chunk.length
    segment, payload = encoder.segment(end, last[0], "" if chunk.is_end else None)
    return PaintedChunk(segment, payload, reader.before, reader.resized)


def _kept_frames(chunk: Chunk) -> Iterator[tuple[int, bool]]:
    """Yield the frames of a chunk without its warm-up."""
    kept = [frame for frame in chunk.frames if frame[1]]
    yield from kept[chunk.warm_up :]


def paint_picture(
    job: PictureJob, name: str, data: bytes, suffix: str, report: Report
) -> tuple[bytes, list[str]]:
    """Paint a picture.

    Args:
        job: How it is painted.
        name: The name of its file.
        data: The content of its file.
        suffix: The suffix of the result's file.
        report: Not called.

    Returns:
        The content of the result's file, and sentences about what was lost.

    Raises:
        LiveNstError: It cannot be read, painted or written.
    """
    notes: list[str] = []
    with _kept.lock, mask_folder() as folder:
        source, target = Path(folder) / "in" / name, Path(folder) / f"out{suffix}"
        stylizer = _kept.open(job.stylizer)
        with write_errors(source, error=SinkError, retry="the worker can join again"):
            source.parent.mkdir()
            source.write_bytes(data)
        try:
            convert_image_file(source, target, stylizer, notes.append, size=job.size)
        except LiveNstError as exc:
            exc.message = exc.message.replace(str(source), name)
            raise
        return target.read_bytes(), notes
