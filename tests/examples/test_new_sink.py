"""Example: a new sink. It records an animated WebP.

To add such a sink to the program, move the class to a file of its own in `live_nst/sinks/`, let
`live_nst/live/session.py` open it, and add it to `tests/sinks/test_contract.py`.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.errors import RecordingError, SinkError
from live_nst.files.atomic import atomic_write
from live_nst.files.output import check_output
from live_nst.sinks.base import Sink
from live_nst.sinks.geometry import letterbox
from live_nst.types import Closeable, Frame
from tests.sinks.conftest import frames, plain
from tests.sinks.test_contract import (  # noqa: F401
    MakeSink,
    test_close_without_a_frame,
    test_first_frame_of_any_size,
    test_name_and_rate,
    test_with_block_closes,
    test_write_after_close,
    test_write_and_close_in_another_thread,
    test_write_and_close_twice,
    test_write_any_size,
    test_write_leaves_the_image_alone,
)


class WebPRecorder(Closeable):
    """A recording in an animated WebP. All frames have the size of the first one.

    Args:
        path: The file; it appears when the recording is closed.

    Raises:
        RecordingError: The file cannot be created.
    """

    rate = None  # each frame once, when it comes

    def __init__(self, path: Path) -> None:
        check_output(path, kind="a recording", suffixes=[".webp"], error=RecordingError)
        self.name = f"recording {path.name}"
        self._path = path
        self._images: list[Pillow.Image] = []
        self._times: list[float] = []
        self._closed = False

    def write(self, frame: Frame) -> None:
        """Keep one frame: BGR uint8 of any size."""
        if self._closed:
            raise RecordingError(f"The {self.name} is closed.")
        size = self._images[0].size if self._images else frame.size
        image = letterbox(frame.image, size)
        self._images.append(Pillow.fromarray(np.ascontiguousarray(image[..., ::-1])))
        self._times.append(frame.time)

    def close(self) -> None:
        """Write the file. Calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        if not self._images:
            return
        durations = [round(1000 * seconds) for seconds in np.diff(self._times)] + [40]
        try:
            with atomic_write(self._path) as file:
                first, *others = self._images
                first.save(file, "WEBP", save_all=True, append_images=others, duration=durations)
        except (OSError, ValueError) as exc:
            raise RecordingError(f"The {self.name} cannot be written: {exc}.") from exc


@pytest.fixture
def make(tmp_path: Path) -> MakeSink:
    return lambda: WebPRecorder(tmp_path / "out.webp")


def test_written_file(make: MakeSink, tmp_path: Path) -> None:
    sink: Sink = make()
    for number in range(3):
        sink.write(Frame(plain((64, 48)) + np.uint8(60 * number), number, number / 10))
    assert list(tmp_path.iterdir()) == []
    sink.close()
    with Pillow.open(tmp_path / "out.webp") as recording:
        assert (recording.size, recording.n_frames) == ((64, 48), 3)


def test_folder_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SinkError) as caught:
        WebPRecorder(tmp_path / "missing" / "out.webp")
    assert caught.value.hint


def test_nothing_is_written_without_frames(make: MakeSink, tmp_path: Path) -> None:
    make().close()
    assert frames(1) and list(tmp_path.iterdir()) == []
