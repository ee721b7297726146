"""A folder of pictures and videos, converted into another of the same structure."""

import errno
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from live_nst.conversion.batch.manifest import Manifest, TargetStatus
from live_nst.conversion.images.reading import IMAGE_FORMATS, IMAGE_SUFFIXES
from live_nst.conversion.video.codecs import CONTAINERS
from live_nst.errors import (
    ConversionCancelled,
    ConversionError,
    LiveNstError,
    SourceError,
    UsageError,
)
from live_nst.files.output import write_errors

VIDEO_SUFFIXES = frozenset(
    {*CONTAINERS, ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".3gp", ".ogv"}
) - {".gif"}
"""Files in a folder that are taken for videos. A GIF is taken for a picture, which may move."""

_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class BatchItem:
    """A file of the input folder.

    Attributes:
        source: The file.
        target: Where it goes.
        name: Its path inside the folder, for people.
        moves: Whether it is a video.
    """

    source: Path
    target: Path
    name: str
    moves: bool

    def as_video(self) -> "BatchItem":
        """The same when its picture turned out to move."""
        if self.source.suffix.lower() == ".gif":
            return BatchItem(self.source, self.target.with_suffix(""), self.name, moves=True)
        return BatchItem(self.source, _appended(self.target, ".mp4"), self.name, moves=True)


@dataclass(frozen=True)
class BatchReport:
    """What became of the files of a folder.

    Attributes:
        done: Names of those that were converted.
        skipped: Names of those that were done already.
        failed: Names of the others, and what was wrong.
    """

    done: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[tuple[str, LiveNstError]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.done) + len(self.skipped) + len(self.failed)


class ItemConverter(Protocol):
    """Converts files of one kind.

    Attributes:
        settings: All that shapes what it makes: a file that was made with others is made again.
    """

    settings: str

    def __call__(self, item: BatchItem) -> bool:
        """Convert a file, replacing what is at its target.

        Returns:
            Whether it could. A picture that moves is none that a converter of pictures can
            convert; it is then given to that of videos.

        Raises:
            LiveNstError: It cannot be converted.
        """
        ...


def find_items(source: Path, target: Path) -> list[BatchItem]:
    """The pictures and videos in a folder and those in it, in the order of their names.

    Left out are hidden files, the output folder where it lies inside, and folders that a link leads
    back to. A file whose format is not written keeps its whole name: "a.ppm" goes to "a.ppm.png".

    Raises:
        UsageError: The output is the input, or holds it.
        SourceError: A folder cannot be read.
    """
    if not source.is_dir():
        raise SourceError(f"There is no folder {source}.")
    if _within(source, target):
        raise UsageError("The output folder is the input, or around it.", "choose another folder")
    return [
        BatchItem(
            path, target / _target(path.relative_to(source)), str(path.relative_to(source)), moves
        )
        for path in _files(source, target, frozenset())
        if (moves := path.suffix.lower() in VIDEO_SUFFIXES) or path.suffix.lower() in IMAGE_SUFFIXES
    ]


def convert_items(
    items: Sequence[BatchItem],
    target: Path,
    pictures: ItemConverter,
    videos: ItemConverter,
    *,
    jobs: int,
    restart: bool = False,
    on_file: Callable[[BatchReport, str], None] = lambda report, name: None,
    check: Callable[[], None] = lambda: None,
) -> BatchReport:
    """Convert the files of a folder: pictures several at once, then videos one by one.

    One that cannot be converted does not keep the others from it.

    Args:
        items: What `find_items` found.
        target: The output folder; it is made if need be.
        pictures: Converts pictures; called from several threads.
        videos: Converts videos, in this thread.
        jobs: How many pictures at once.
        restart: Convert also what is done already.
        on_file: Called, in this thread, with what is done so far and the name of what was last, or
            of the video that begins.
        check: Called now and then, in this thread; what it raises ends the work.

    Raises:
        SinkError: The folder cannot be made, or the disk is full: what is done is kept.
        ConversionError: Another process works on that folder.
    """
    with write_errors(target / "its files"):
        target.mkdir(parents=True, exist_ok=True)
        record = Manifest(target)
    report = BatchReport()
    moving: list[BatchItem] = []
    with record:
        stills = [item for item in items if not item.moves]
        for item, outcome in _in_threads(
            lambda item: _outcome(item, pictures, record, restart), stills, jobs, check
        ):
            if outcome is _Outcome.MOVES:
                moving.append(item.as_video())
                continue
            _note(report, item, outcome)
            on_file(report, item.name)
        for item in sorted([*moving, *(item for item in items if item.moves)], key=_by_name):
            check()
            on_file(report, item.name)
            _note(report, item, _outcome(item, videos, record, restart))
            on_file(report, item.name)
    return report


class _Outcome(Enum):
    DONE = auto()
    SKIPPED = auto()
    MOVES = auto()


def _outcome(
    item: BatchItem, converter: ItemConverter, record: Manifest, restart: bool
) -> _Outcome | LiveNstError:
    """Convert one file, unless it is done; what is wrong with it is the outcome, too.

    Raises:
        SinkError: The disk is full.
    """
    try:
        return _convert(item, converter, record, restart)
    except ConversionCancelled:
        raise
    except LiveNstError as exc:
        if getattr(exc.__cause__, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise
        return exc


def _convert(
    item: BatchItem, converter: ItemConverter, record: Manifest, restart: bool
) -> _Outcome:
    place = record.state(item.source, item.target, converter.settings)
    if place is TargetStatus.DONE and not restart:
        return _Outcome.SKIPPED
    if place is TargetStatus.TAKEN and not restart:
        raise ConversionError(
            f"There is a file {item.target} already, which live-nst did not make",
            "move it away; --restart replaces it",
        )
    with write_errors(item.target):
        item.target.parent.mkdir(parents=True, exist_ok=True)
        record.begin(item.target)
    if not converter(item):
        return _Outcome.MOVES
    with write_errors(item.target):
        record.done(item.source, item.target, converter.settings)
    return _Outcome.DONE


def _note(report: BatchReport, item: BatchItem, outcome: _Outcome | LiveNstError) -> None:
    if isinstance(outcome, LiveNstError):
        report.failed.append((item.name, outcome))
    else:
        (report.done if outcome is _Outcome.DONE else report.skipped).append(item.name)


def _in_threads(
    work: Callable[[BatchItem], _Outcome | LiveNstError],
    items: Sequence[BatchItem],
    jobs: int,
    check: Callable[[], None],
) -> Iterator[tuple[BatchItem, _Outcome | LiveNstError]]:
    """Items with their outcomes, as they come, from so many threads."""
    futures: dict[Future[_Outcome | LiveNstError], BatchItem] = {}
    coming = iter(items)
    with ThreadPoolExecutor(jobs, thread_name_prefix="picture") as pool:
        try:
            while True:
                # Only as many as keep the threads busy: an error soon ends the work.
                for item in itertools.islice(coming, 2 * jobs - len(futures)):
                    futures[pool.submit(work, item)] = item
                if not futures:
                    return
                check()
                for future in wait(futures, _LOOK_SECONDS, FIRST_COMPLETED).done:
                    yield futures.pop(future), future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _files(folder: Path, left_out: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    """The files below a folder, sorted, without hidden ones."""
    try:
        status = folder.stat()
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as exc:
        raise SourceError(
            f"The folder {folder} cannot be read: {exc.strerror}.", "check its permissions"
        ) from exc
    here = (status.st_dev, status.st_ino)
    if here in above or _same(folder, left_out):
        return
    for path in entries:
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _files(path, left_out, above | {here})
        else:
            yield path


def _target(name: Path) -> Path:
    """Where a file goes, by its name in the folder."""
    suffix = name.suffix.lower()
    if suffix in IMAGE_FORMATS or suffix in CONTAINERS:
        return name if suffix != ".gif" else _appended(name, ".png")
    return _appended(name, ".mp4" if suffix in VIDEO_SUFFIXES else ".png")


def _appended(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _within(path: Path, folder: Path) -> bool:
    """Whether `path` is `folder` or lies in it."""
    return folder.exists() and any(_same(each, folder) for each in (path, *path.resolve().parents))


def _same(path: Path, other: Path) -> bool:
    return other.exists() and path.exists() and os.path.samefile(path, other)


def _by_name(item: BatchItem) -> str:
    return item.name
