"""Paint a film on the workers of a cluster: the `ChunkPainter` of a conversion."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from live_nst.conversion.cluster.chunks import ChunkCutter
from live_nst.conversion.cluster.dispatch import Dispatch
from live_nst.conversion.cluster.examination import describe
from live_nst.conversion.cluster.job import FilmJob
from live_nst.conversion.cluster.packets import Chunk
from live_nst.conversion.cluster.painting import PaintedChunk, examine_for_film
from live_nst.conversion.cluster.roster import Roster
from live_nst.conversion.cluster.workers import Workers
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ProgressReporter
from live_nst.conversion.video.codecs import CONTAINERS, choose_codec
from live_nst.conversion.video.painter import CannotSpread, PaintingJob
from live_nst.conversion.video.segments import Segment, SegmentStore
from live_nst.conversion.video.task import VideoTask
from live_nst.runtime.machine import free_memory
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions

DEFAULT_CHUNK, DEFAULT_LOSSLESS_CHUNK = 384, 96
"""Frames of a chunk: the warm-up adds 8% to the longer one. A chunk is held in memory."""

_MEMORY_SHARE = 4  # one part in so many of the free memory holds packets in flight
_MIN_BYTES = 64 << 20


def default_chunk(output: Path, options: ConvertOptions) -> int:
    """Return the number of frames of a chunk, unless the user gives one.

    Args:
        output: The output, a video or a folder.
        options: How it is converted.

    Raises:
        UsageError: The output's container cannot store the codec.
    """
    if options.codec is None and output.suffix.lower() not in CONTAINERS:
        return DEFAULT_CHUNK
    name = output if output.suffix.lower() in CONTAINERS else output / "film.mkv"
    codec = choose_codec(name, options.codec, options.crf, options.preset)
    return DEFAULT_LOSSLESS_CHUNK if codec.pixels.startswith("bgr") else DEFAULT_CHUNK


class SpreadPainter:
    """Paints films on workers; see `ChunkPainter`.

    Args:
        workers: The workers. They are not closed.
        options: The options of the stylizer.
        reporter: Told which workers paint; may cancel.
    """

    def __init__(
        self, workers: Workers, options: StylizerOptions, reporter: ProgressReporter
    ) -> None:
        self._workers, self._options, self._reporter = workers, options, reporter
        self._job: FilmJob | None = None
        self._roster: Roster | None = None

    def settings(
        self, task: VideoTask, stylizer: StylizerCore, stored: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Examine the workers; return engine, device and precision of those that will paint."""
        reporter = self._reporter
        self._job = FilmJob.of(task, self._options, stylizer)
        self._roster = Roster(
            self._workers, examine_for_film, self._job, reporter.notify, reporter.clock
        )
        reference = self._roster.settle(reporter.check, describe(stylizer), stored)
        count = len(self._roster.accepted)
        reporter.notify(
            f"{count} {'worker paints' if count == 1 else 'workers paint'} with {reference}"
        )
        return {name: reference.settings[name] for name in ("engine", "device", "precision")}

    def paint(self, job: PaintingJob) -> str:
        """Store all chunks that are missing; see `ChunkPainter.paint`."""
        assert self._job is not None and self._roster is not None
        store, reporter, meter = job.store, job.reporter, job.meter
        missing = _Missing(store)
        cutter = ChunkCutter(job.task.info, job.task.options, self._job.warm_up, missing.wants)
        seams = _Seams(store)
        size = sum(each.size for each in (*store.segments, *store.ahead.values()))
        resized = False

        def take(chunk: Chunk, painted: PaintedChunk) -> None:
            nonlocal resized, size
            seams.check(painted)
            store.add(painted.segment, painted.payload, {})
            resized |= painted.resized
            size += painted.segment.size

        dispatch = Dispatch(
            self._workers,
            self._roster,
            self._job,
            cutter.chunks(),
            take,
            reporter.clock,
            max(_MIN_BYTES, free_memory() // _MEMORY_SHARE),
        )

        def tick() -> None:
            reporter.check()
            progress = meter.read("painting", store.frames + dispatch.frames, size)
            reporter.progress(replace(progress, workers=dispatch.progress()))

        dispatch.run(tick)
        if resized:
            reporter.notify(
                "The size of the video's frames changes: all are scaled to the first one's size"
            )
        return ""


class _Missing:
    """The chunks that are not stored when the painting begins."""

    def __init__(self, store: SegmentStore) -> None:
        self._begin = len(store.segments)
        self._ahead = frozenset(store.ahead)

    def wants(self, number: int) -> bool:
        return number >= self._begin and number not in self._ahead


class _Seams:
    """Checks that two workers decoded the frame at their seam alike."""

    def __init__(self, store: SegmentStore) -> None:
        self._store = store
        self._before: dict[int, int] = {}  # of the chunks that came earlier than the one before

    def check(self, painted: PaintedChunk) -> None:
        """Compare a chunk with its neighbors.

        Raises:
            CannotSpread: A frame differs.
        """
        segment = painted.segment
        earlier = self._stored(segment.number - 1)
        if painted.before is not None:
            if earlier is None:
                self._before[segment.number] = painted.before
            elif earlier.checksum != painted.before:
                raise _seam_error(earlier)
        later = self._before.pop(segment.number + 1, None)
        if later is not None and later != segment.checksum:
            raise _seam_error(segment)

    def _stored(self, number: int) -> Segment | None:
        if 0 <= number < len(self._store.segments):
            return self._store.segments[number]
        return self._store.ahead.get(number)


def _seam_error(earlier: Segment) -> CannotSpread:
    return CannotSpread(f"frame {earlier.frames - 1} does not decode alike from two key frames")
