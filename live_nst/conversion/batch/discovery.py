"""Find the images and videos of a folder, and choose the paths of their outputs."""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from live_nst.conversion.batch.content import Kind, kind_of
from live_nst.errors import SourceError, UsageError
from live_nst.files.formats import (
    IMAGE_FORMATS,
    IMAGE_SUFFIXES,
    OUTPUT_VIDEO_SUFFIXES,
    VIDEO_SUFFIXES,
)
from live_nst.files.names import sibling


@dataclass(frozen=True)
class BatchItem:
    """A file of the input folder.

    Attributes:
        source: The file.
        target: The output file.
        name: Its path inside the input folder, for messages.
        is_video: Whether it is converted as a video.
    """

    source: Path
    target: Path
    name: str
    is_video: bool

    def as_video(self) -> "BatchItem":
        """Return the same item for an image that is animated."""
        if self.source.suffix.lower() == ".gif":
            target = self.target.with_name(self.source.name)  # "a.gif.png" becomes "a.gif"
        else:
            target = sibling(self.target, suffix=".mp4")
        return BatchItem(self.source, target, self.name, is_video=True)


@dataclass(frozen=True)
class FolderContents:
    """What a folder and its subfolders contain.

    Attributes:
        items: The images and videos, sorted by their paths.
        unreadable: Names of the subfolders that cannot be read, and the errors.
        others: Names of the files that are neither images nor videos.
    """

    items: list[BatchItem] = field(default_factory=list)
    unreadable: list[tuple[str, SourceError]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.items) + len(self.unreadable)


def find_items(source: Path, target: Path) -> FolderContents:
    """Return the images and videos in a folder and its subfolders.

    Hidden files, the output folder if it lies inside, and folders that a link leads back to are
    left out. A file whose format is not written keeps its whole name: "a.ppm" becomes "a.ppm.png".
    The content tells where the suffix does not.

    Args:
        source: The input folder.
        target: The output folder.

    Raises:
        UsageError: The output folder is the input folder, or contains it.
        SourceError: The input folder cannot be read.
    """
    if not source.is_dir():
        raise SourceError(f"There is no folder {source}")
    if _is_within(source, target):
        raise UsageError(
            "The output folder is the input folder, or contains it", "choose another folder"
        )
    contents = FolderContents()

    def add_unreadable(folder: Path, error: SourceError) -> None:
        if folder == source:
            raise error
        contents.unreadable.append((str(folder.relative_to(source)), error))

    for path in _files(source, target, frozenset(), add_unreadable):
        name = path.relative_to(source)
        kind = _kind_of(path)
        if kind is not Kind.OTHER:
            is_video = kind is Kind.VIDEO
            item = BatchItem(path, target / _target_name(name, is_video), str(name), is_video)
            contents.items.append(item)
        elif os.path.isfile(path):
            contents.others.append(str(name))
    return contents


def _kind_of(path: Path) -> Kind:
    """Return what a file contains: by its suffix, else by its content."""
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return Kind.VIDEO
    if suffix in IMAGE_SUFFIXES:
        return Kind.IMAGE
    return kind_of(path) if os.path.isfile(path) else Kind.OTHER


def _files(
    folder: Path,
    left_out: Path,
    parents: frozenset[tuple[int, int]],
    add_unreadable: Callable[[Path, SourceError], None],
) -> Iterator[Path]:
    """Yield the files below a folder, sorted, without hidden ones.

    Args:
        folder: The folder.
        left_out: A folder that is left out.
        parents: (device, inode) of the folders above, to stop at links that lead back.
        add_unreadable: Called with each folder that cannot be read.
    """
    try:
        status = folder.stat()
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
        if not os.access(folder, os.X_OK):  # the names can be read, but not the files
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        error = SourceError(
            f"The folder {folder} cannot be read: {reason}", "check its permissions"
        )
        error.__cause__ = exc
        add_unreadable(folder, error)
        return
    here = (status.st_dev, status.st_ino)
    if here in parents or _is_same(folder, left_out):
        return
    for path in entries:
        if path.name.startswith("."):
            continue
        if os.path.isdir(path):
            yield from _files(path, left_out, parents | {here}, add_unreadable)
        else:
            yield path


def _target_name(name: Path, is_video: bool) -> Path:
    suffix = name.suffix.lower()
    if suffix == ".gif":
        return sibling(name, suffix=".png")
    if suffix in IMAGE_FORMATS or suffix in OUTPUT_VIDEO_SUFFIXES:
        return name
    return sibling(name, suffix=".mp4" if is_video else ".png")


def _is_within(path: Path, folder: Path) -> bool:
    """Return whether `path` is `folder` or lies inside it."""
    return any(_is_same(each, folder) for each in (path, *path.resolve().parents))


def _is_same(path: Path, other: Path) -> bool:
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)
