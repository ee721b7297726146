"""Sound that goes along with the pictures: from a microphone or line input, or from a file."""

import contextlib
import os
import queue
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import av.error
import numpy as np
from numpy.typing import NDArray

from live_nst.errors import SourceError, SourceLostError
from live_nst.files.formats import VIDEO_SUFFIXES
from live_nst.runtime.pyav import fraction, open_for_reading
from live_nst.types import Closeable

_SILENT_SECONDS = 2.0  # without a block, until a device counts as lost
_QUEUE_BLOCKS = 500
_FILE_SUFFIXES = VIDEO_SUFFIXES | {".aac", ".flac", ".m4a", ".mp3", ".ogg", ".opus", ".wav", ".wma"}
"""A name with one of these is that of a file."""


@dataclass(frozen=True, slots=True)
class SoundBlock:
    """Some samples.

    Attributes:
        frame: The samples, of any format, rate and layout. Its `pts` means nothing.
        time: When the first one was heard, in seconds: of `time.monotonic()` for a device, since
            the beginning for a file.
    """

    frame: av.AudioFrame
    time: float


class SoundSource(Protocol):
    """A source of sound. One thread opens, reads and closes it.

    Attributes:
        name: What messages call it.
        live: Whether it gives samples when they are heard, as a device does. A file gives them as
            fast as they are read.
    """

    name: str
    live: bool

    def read(self) -> SoundBlock | None:
        """Return the next samples, within about two seconds; None after the last ones of a file.

        Raises:
            SourceLostError: A device is gone; opening it again may help.
            SourceError: A file is damaged.
        """
        ...

    def close(self) -> None:
        """Release the device or file. Calling it again does nothing."""
        ...


def open_sound(name: str) -> SoundSource:
    """Open what `--audio` names: a file, else a device.

    Args:
        name: A path, or "default", a number or a name of an input device, or a part of one.

    Raises:
        SourceError: There is no such file or device, or it has no sound.
    """
    if not name:
        raise SourceError("no sound is given", "name a file or an input device, or use default")
    if os.path.isfile(name):  # unlike that of `Path`, it takes any text
        return SoundFile(Path(name))
    if os.path.isdir(name):
        raise SourceError(f"{name} is a folder", "name a sound file in it")
    if "/" in name or "\\" in name or Path(name).suffix.lower() in _FILE_SUFFIXES:
        raise SourceError(f"there is no sound file {name}", "check its name and folder")
    return SoundDevice(name)


class SoundFile(Closeable):
    """The sound of an audio or video file, once.

    The time 0 is that of its first picture, or of its first sample where it has no pictures.

    Args:
        path: The file.

    Raises:
        SourceError: It cannot be read, or has no sound.
    """

    live = False

    def __init__(self, path: Path) -> None:
        self.name = f"sound file {path.name}"
        try:
            self._container = open_for_reading(path)
        except (OSError, av.error.FFmpegError) as exc:
            raise SourceError(
                f"{self.name} cannot be read: {(exc.strerror or 'it is no sound').lower()}",
                "choose an audio or video file",
            ) from exc
        if not self._container.streams.audio:
            self.close()
            raise SourceError(f"{path.name} holds no sound", "choose another file")
        self._stream = self._container.streams.audio[0]
        self._begin = self._find_begin()
        self._blocks = self._decode()

    def read(self) -> SoundBlock | None:
        """Return the next samples; None after the last ones.

        Raises:
            SourceError: The file is damaged.
        """
        return next(self._blocks, None)

    def close(self) -> None:
        """Close the file. Calling it again does nothing."""
        self._container.close()

    def _find_begin(self) -> Fraction:
        """Return the time in the file, in seconds, at which its first picture or sound begins."""
        first = next(iter(self._container.streams.video), self._stream)
        base = fraction(first.time_base)
        if first.start_time is None or base is None:
            return Fraction(0)
        return first.start_time * base

    def _decode(self) -> Iterator[SoundBlock]:
        try:
            for frame in self._container.decode(self._stream):
                base = fraction(frame.time_base)
                if isinstance(frame, av.AudioFrame) and frame.pts is not None and base is not None:
                    yield SoundBlock(frame, float(frame.pts * base - self._begin))
        except av.error.FFmpegError as exc:
            raise SourceError(
                f"{self.name} cannot be read further: {(exc.strerror or '').lower()}",
                "the file is damaged",
            ) from exc


class SoundDevice(Closeable):
    """An input device, through PortAudio.

    Args:
        name: "default", a number, or a name or a part of it.
        sounddevice: The library; None to import it.

    Raises:
        SourceError: The library is missing, or there is no such device.
    """

    live = True

    def __init__(self, name: str, sounddevice: Any = None) -> None:
        self.name = f"sound device {name}"
        library = sounddevice or _import_sounddevice()
        self._blocks: queue.Queue[SoundBlock] = queue.Queue(_QUEUE_BLOCKS)
        device: int | str | None = int(name) if name.isdigit() else name
        try:
            info = library.query_devices(None if name == "default" else device, "input")
            self._rate = int(info["default_samplerate"])
            self._channels = min(2, int(info["max_input_channels"]))
            self._stream = library.InputStream(
                device=info["index"],
                samplerate=self._rate,
                channels=self._channels,
                dtype="int16",
                latency="low",
                callback=self._on_samples,
            )
            self._stream.start()
        except (ValueError, library.PortAudioError) as exc:
            raise SourceError(
                f"the {self.name} cannot be opened",
                _advise(library),
            ) from exc

    def read(self) -> SoundBlock | None:
        """Wait for the next samples, some milliseconds as a rule."""
        try:
            return self._blocks.get(timeout=_SILENT_SECONDS)
        except queue.Empty:
            raise SourceLostError(
                f"the {self.name} gives no sound", "check whether it is still connected"
            ) from None

    def close(self) -> None:
        """Release the device. Calling it again does nothing."""
        with contextlib.suppress(Exception):  # of PortAudio, for a device that was unplugged
            self._stream.close()

    def _on_samples(
        self, samples: NDArray[np.int16], count: int, times: Any, status: object
    ) -> None:
        """Take samples; called by a thread of PortAudio."""
        age = times.currentTime - times.inputBufferAdcTime
        if not 0 <= age < 1:  # some drivers do not tell
            age = count / self._rate
        layout = "mono" if self._channels == 1 else "stereo"
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples).reshape(1, -1), format="s16", layout=layout
        )
        frame.sample_rate = self._rate
        with contextlib.suppress(queue.Full):
            self._blocks.put_nowait(SoundBlock(frame, time.monotonic() - age))


def _import_sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as exc:
        raise SourceError(
            "sound devices need the package sounddevice",
            "run `pip install 'live-nst[sound]'`, or name a sound file",
        ) from exc
    except OSError as exc:  # it does not find PortAudio, which its wheel for Linux lacks
        raise SourceError(
            "sound devices need the library PortAudio",
            "run `sudo apt install libportaudio2`, or name a sound file",
        ) from exc
    return sounddevice


def _advise(library: Any) -> str:
    """Return a hint that names all input devices."""
    try:
        found = [d["name"] for d in library.query_devices() if d["max_input_channels"] > 0]
    except library.PortAudioError:
        found = []
    if not found:
        return "this machine has no input device; name a sound file"
    return f"use a file, or one of these inputs: {', '.join(dict.fromkeys(found))}"
