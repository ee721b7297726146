"""Example: a new source. It shows the images of a folder, one after the other.

To add such a source to the program, move the class to a file of its own in `live_nst/sources/`, let
`live_nst/sources/factory.py` open it, and add it to `tests/sources/test_contract.py`.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from live_nst.errors import SourceError
from live_nst.files.images import read_image
from live_nst.runtime.timing import Clock
from live_nst.sources.base import Source, SourceInfo
from live_nst.types import Closeable, Frame
from tests.sources.fakes import FakeClock
from tests.sources.test_contract import (  # noqa: F401
    test_close_twice,
    test_close_without_read,
    test_images_differ,
    test_index_and_time_grow,
    test_info,
    test_read_does_not_reuse_images,
    test_read_matches_info,
    test_with_block_passes_errors,
)

COUNT = 12


class ImageFolderSource(Closeable):
    """Frames from the images of a folder, in the order of their names.

    Args:
        folder: Folder with images of one size.
        clock: Time, and the wait between two frames.
        fps: Frames per second.

    Raises:
        SourceError: The folder has no images.
    """

    def __init__(self, folder: Path, clock: Clock, fps: float = 10.0) -> None:
        self._paths = sorted(folder.glob("*.png"))
        if not self._paths:
            raise SourceError(f"{folder} has no PNG images.", "choose another folder")
        self._clock = clock
        self._interval = 1 / fps
        self._next = 0
        height, width = self._read(0).shape[:2]
        self._info = SourceInfo(f"folder {folder.name}", width, height, fps)

    @property
    def info(self) -> SourceInfo:
        """What this source provides."""
        return self._info

    def read(self) -> Frame | None:
        """Wait for the next frame's time and return it; None after the last image."""
        if self._next == len(self._paths):
            return None
        if self._next:
            self._clock.sleep(self._interval)
        frame = Frame(self._read(self._next), self._next, self._clock.now())
        self._next += 1
        return frame

    def close(self) -> None:
        """Do nothing: no file stays open."""

    def _read(self, number: int) -> np.ndarray:
        path = self._paths[number]
        return read_image(path, f"image {path.name}", error=SourceError, hint="remove it")


@pytest.fixture
def open_it(tmp_path: Path) -> Callable[[], Source]:
    for number in range(COUNT):
        image = np.full((48, 64, 3), 20 * number, np.uint8)
        cv2.imwrite(str(tmp_path / f"{number:03}.png"), image)
    return lambda: ImageFolderSource(tmp_path, FakeClock())


def test_read_ends_with_none(open_it: Callable[[], Source]) -> None:
    with open_it() as source:
        frames = [source.read() for _ in range(COUNT + 1)]
    assert [frame.image[0, 0, 0] for frame in frames if frame] == [20 * n for n in range(COUNT)]
    assert frames[-1] is None


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no PNG images"):
        ImageFolderSource(tmp_path, FakeClock())
