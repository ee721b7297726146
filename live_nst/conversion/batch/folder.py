"""Convert a folder of images and videos to another folder with the same structure."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Protocol

from live_nst.conversion.batch.discovery import BatchItem, FolderContents
from live_nst.conversion.batch.manifest import Manifest, TargetStatus
from live_nst.errors import ConversionCancelled, ConversionError, LiveNstError
from live_nst.files.output import is_disk_full, write_errors

_CHECK_SECONDS = 0.2


@dataclass(frozen=True)
class BatchReport:
    """The result for the files of a folder.

    Attributes:
        done: Names of the files that were converted.
        skipped: Names of the files that were finished before.
        failed: Names and errors of the others, and of subfolders that cannot be read.
        others: Names of the files that are neither images nor videos.
    """

    done: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[tuple[str, LiveNstError]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.done) + len(self.skipped) + len(self.failed)


class ItemConverter(Protocol):
    """Converts files of one kind.

    Attributes:
        settings: The fingerprint of everything that determines its outputs. A file that was made
            with other settings is made again.
    """

    settings: str

    def __call__(self, item: BatchItem) -> bool:
        """Convert a file, and replace its target.

        Returns:
            False for an animated image, which the converter of videos must convert.

        Raises:
            LiveNstError: The file cannot be converted.
        """
        ...


def convert_items(
    contents: FolderContents,
    target: Path,
    images: ItemConverter,
    videos: ItemConverter,
    *,
    jobs: int,
    restart: bool = False,
    on_file: Callable[[BatchReport, str], None] = lambda report, name: None,
    check: Callable[[], None] = lambda: None,
) -> BatchReport:
    """Convert files: first the images, several at once, then the videos, one by one.

    A file that cannot be converted does not stop the others.

    Args:
        contents: The files, from `find_items`.
        target: The output folder, which is created if it is missing.
        images: Converts images; called from several threads.
        videos: Converts videos; called from this thread.
        jobs: Number of images at once.
        restart: Convert files that are finished, too, and replace files that live-nst did not make.
        on_file: Called from this thread with the report so far and the name of the last file, or of
            the video that begins.
        check: Called from this thread every now and then; an exception from it stops the work.

    Raises:
        SinkError: The folder cannot be created, or the disk is full. Finished files remain.
        ConversionError: Another process works on that folder.
    """
    with write_errors(target / "its files"):
        target.mkdir(parents=True, exist_ok=True)
        manifest = Manifest(target)
    items = contents.items
    report = BatchReport(failed=list(contents.unreadable), others=contents.others)
    with manifest:
        batch = _Batch(manifest, report, restart)
        video_items = [item for item in items if item.is_video]
        image_items = [item for item in items if not item.is_video]
        for item, result in _in_threads(
            lambda item: batch.convert(item, images), image_items, jobs, check
        ):
            if result is _Result.ANIMATED:
                video_items.append(item.as_video())
            else:
                batch.add(item, result)
                on_file(report, item.name)
        for item in sorted(video_items, key=lambda item: item.name):
            check()
            on_file(report, item.name)
            batch.add(item, batch.convert(item, videos))
            on_file(report, item.name)
    return report


class _Result(Enum):
    DONE = auto()
    SKIPPED = auto()
    ANIMATED = auto()


@dataclass(frozen=True)
class _Batch:
    """One run of `convert_items`."""

    manifest: Manifest
    report: BatchReport
    restart: bool

    def convert(self, item: BatchItem, converter: ItemConverter) -> _Result | LiveNstError:
        """Convert one file, unless it is finished; return what happened, or the error.

        Raises:
            ConversionCancelled: The conversion was cancelled.
            LiveNstError: The disk is full.
        """
        try:
            return self._convert(item, converter)
        except ConversionCancelled:
            raise
        except LiveNstError as exc:
            if is_disk_full(exc.__cause__):
                raise
            return exc
        except Exception as exc:
            # Decoders and encoders of damaged files raise nearly anything.
            reason = (str(exc).splitlines() or [""])[0]
            error = ConversionError(
                f"{item.name} cannot be converted: {type(exc).__name__}: {reason}",
                "report it with the file, if you can",
            )
            error.__cause__ = exc
            if is_disk_full(exc):
                raise error from exc
            return error

    def add(self, item: BatchItem, result: _Result | LiveNstError) -> None:
        """Add a file to the report."""
        if isinstance(result, LiveNstError):
            self.report.failed.append((item.name, result))
        elif result is _Result.DONE:
            self.report.done.append(item.name)
        else:
            self.report.skipped.append(item.name)

    def _convert(self, item: BatchItem, converter: ItemConverter) -> _Result:
        if not self.restart:
            status = self.manifest.status(item.source, item.target, converter.settings)
            if status is TargetStatus.DONE:
                return _Result.SKIPPED
            if status is TargetStatus.FOREIGN:
                raise ConversionError(
                    f"There is a file {item.target} already, which live-nst did not make",
                    "move it away; --restart replaces it",
                )
        with write_errors(item.target):
            item.target.parent.mkdir(parents=True, exist_ok=True)
            self.manifest.begin(item.target)
        if not converter(item):
            return _Result.ANIMATED
        with write_errors(item.target):
            self.manifest.finish(item.source, item.target, converter.settings)
        return _Result.DONE


def _in_threads(
    work: Callable[[BatchItem], _Result | LiveNstError],
    items: Sequence[BatchItem],
    jobs: int,
    check: Callable[[], None],
) -> Iterator[tuple[BatchItem, _Result | LiveNstError]]:
    """Run `work` on items in `jobs` threads; yield each item and its result when it is ready."""
    futures: dict[Future[_Result | LiveNstError], BatchItem] = {}
    remaining = iter(items)
    with ThreadPoolExecutor(jobs, thread_name_prefix="image") as pool:
        try:
            while True:
                # Only as many as keep the threads busy, so that an error stops the work soon.
                for item in itertools.islice(remaining, 2 * jobs - len(futures)):
                    futures[pool.submit(work, item)] = item
                if not futures:
                    return
                check()
                for future in wait(futures, _CHECK_SECONDS, FIRST_COMPLETED).done:
                    yield futures.pop(future), future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
