"""Find the images and videos of a folder, and choose the paths of their outputs."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from live_nst.errors import SourceError, UsageError
from live_nst.files.formats import (
    IMAGE_FORMATS,
    IMAGE_SUFFIXES,
    OUTPUT_VIDEO_SUFFIXES,
    VIDEO_SUFFIXES,
)


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
            target = self.target.with_suffix("")  # "a.gif.png" becomes "a.gif"
        else:
            target = _append_suffix(self.target, ".mp4")
        return BatchItem(self.source, target, self.name, is_video=True)


def find_items(source: Path, target: Path) -> list[BatchItem]:
    """Return the images and videos in a folder and its subfolders, sorted by their paths.

    Hidden files, the output folder if it lies inside, and folders that a link leads back to are
    left out. A file whose format is not written keeps its whole name: "a.ppm" becomes "a.ppm.png".

    Args:
        source: The input folder.
        target: The output folder.

    Raises:
        UsageError: The output folder is the input folder, or contains it.
        SourceError: A folder cannot be read.
    """
    if not source.is_dir():
        raise SourceError(f"There is no folder {source}")
    if _is_within(source, target):
        raise UsageError(
            "The output folder is the input folder, or contains it", "choose another folder"
        )
    items = []
    for path in _files(source, target, frozenset()):
        name = path.relative_to(source)
        is_video = path.suffix.lower() in VIDEO_SUFFIXES
        if is_video or path.suffix.lower() in IMAGE_SUFFIXES:
            items.append(BatchItem(path, target / _target_name(name), str(name), is_video))
    return items


def _files(folder: Path, left_out: Path, parents: frozenset[tuple[int, int]]) -> Iterator[Path]:
    """Yield the files below a folder, sorted, without hidden ones.

    Args:
        folder: The folder.
        left_out: A folder that is left out.
        parents: (device, inode) of the folders above, to stop at links that lead back.
    """
    try:
        status = folder.stat()
        entries = sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as exc:
        raise SourceError(
            f"The folder {folder} cannot be read: {exc.strerror}", "check its permissions"
        ) from exc
    here = (status.st_dev, status.st_ino)
    if here in parents or _is_same(folder, left_out):
        return
    for path in entries:
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _files(path, left_out, parents | {here})
        else:
            yield path


def _target_name(name: Path) -> Path:
    suffix = name.suffix.lower()
    if suffix == ".gif":
        return _append_suffix(name, ".png")
    if suffix in IMAGE_FORMATS or suffix in OUTPUT_VIDEO_SUFFIXES:
        return name
    return _append_suffix(name, ".mp4" if suffix in VIDEO_SUFFIXES else ".png")


def _append_suffix(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _is_within(path: Path, folder: Path) -> bool:
    """Return whether `path` is `folder` or lies inside it."""
    return any(_is_same(each, folder) for each in (path, *path.resolve().parents))


def _is_same(path: Path, other: Path) -> bool:
    return path.exists() and other.exists() and os.path.samefile(path, other)
