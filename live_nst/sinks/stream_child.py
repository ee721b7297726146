"""Send MPEG-TS from standard input to a server; a program of its own that `stream_process.py` runs.

FFmpeg inside of Python holds the interpreter's lock while it connects, and has no time-outs. Here
that stops nobody, and a kill ends it.

The first line of standard input is a `StreamTask` as JSON, so that no list of processes shows the
address with its key. Standard output gets lines of JSON: {"live": true} once the server has
accepted the stream, {"frames": n} while it takes and reads it, and {"error": number,
"certificate": true} with the system's number of an error, and whether a certificate is its cause.

This file imports nothing of live-nst, so that it starts fast.
"""

import json
import os
import signal
import socket
import stat
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from typing import Any, TypedDict

import av
from av.bitstream import BitStreamFilterContext

_PROGRESS_SECONDS = 0.2
_LONGEST_WAIT = 10  # seconds that one call may take; the parent usually kills earlier
_SAMPLE_RATE = 48_000
_WINDOW = struct.Struct("=120xQ100xI")  # tcpi_bytes_acked and tcpi_snd_wnd of Linux' tcp_info
_LEAST_SHARE = 0.5


class StreamTask(TypedDict):
    """What to send where.

    Attributes:
        url: The address.
        format: FFmpeg's name of the format.
        options: Options of the format.
        protocol_options: Options of the connection.
    """

    url: str
    format: str
    options: dict[str, str]
    protocol_options: dict[str, str]


def main() -> None:
    """Run until standard input ends, or the server breaks the connection."""
    av.logging.set_level(av.logging.PANIC)  # messages of FFmpeg contain the key
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it, after the last frame
    task: StreamTask = json.loads(_read_line())
    try:
        _push(task)
    except (OSError, ValueError) as exc:  # all errors of FFmpeg are of one of these types
        _report(
            error=getattr(exc, "errno", None) or 0, certificate=isinstance(exc, _CertificateError)
        )


def _push(task: StreamTask) -> None:
    open_any: Any = av.open
    format = task["format"]
    with open_any(
        "pipe:0",
        format="mpegts",
        options={"fpsprobesize": "0", "analyzeduration": "1000000"},
    ) as source:
        video, audio = source.streams.video[0], source.streams.audio[0]
        if task["protocol_options"]:
            target = open_any(tee_address(task), "w", format="tee")
        else:
            target = open_any(task["url"], "w", format=format, options=task["options"])
        outputs = {
            video.index: target.add_stream_from_template(video),
            audio.index: target.add_stream("aac", rate=_SAMPLE_RATE),
        }
        outputs[audio.index].codec_context.layout = "stereo"
        outputs[audio.index].time_base = Fraction(1, _SAMPLE_RATE)
        # MPEG-TS stores the sound with ADTS headers, which most others do not know.
        strip_adts = format != "mpegts" and BitStreamFilterContext("aac_adtstoasc", audio)
        with _limited(), _certificate_errors():
            target.start_encoding()  # connects
        _report(live=True)
        reader = find_reader()
        frames, reported = 0, time.monotonic()
        for packet in source.demux(video, audio):
            if packet.dts is None:
                continue
            is_video = packet.stream is video
            output = outputs[packet.stream.index]
            with _limited():
                for each in strip_adts.filter(packet) if strip_adts and not is_video else (packet,):
                    each.stream = output
                    target.mux(each)
            frames += is_video
            if is_video and time.monotonic() >= reported + _PROGRESS_SECONDS:
                reported = time.monotonic()
                if reader is None or reader.reads():
                    _report(frames=frames)
        with _limited():
            target.close()


class Reader:
    """Tells whether the program at the other end of a TCP connection reads what it is sent.

    The system there goes on taking data for a frozen program, until its buffer is full; at a low
    bitrate that lasts long. But the window that it offers shrinks by what nobody reads, so that its
    right edge stays (RFC 9293, 3.8.6). Of a program that reads, the edge moves by as many bytes as
    are acknowledged. Linux rounds the window up to a kilobyte or so: the edge may move a little
    with each packet, and below about 0.2 Mbit/s that hides a frozen program.

    Args:
        connection: The connection. It is looked at only.

    Raises:
        OSError: The system does not tell.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._acknowledged, self._edge = self._look()

    def reads(self) -> bool:
        """Return whether it has read at least half of what came since this last was true.

        If nothing came and the window is open, the network is to blame. That is no reason to say
        no: it may recover, and if not, the writes block.
        """
        acknowledged, edge = self._look()
        arrived = acknowledged - self._acknowledged
        if edge - self._edge < _LEAST_SHARE * arrived or edge == acknowledged:
            return False
        self._acknowledged, self._edge = acknowledged, edge
        return True

    def _look(self) -> tuple[int, int]:
        """Return how many bytes were acknowledged, and the right edge of the window."""
        info = self._connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        if len(info) < _WINDOW.size:
            raise OSError("this version of Linux does not tell the window")
        acknowledged, window = _WINDOW.unpack_from(info)
        return acknowledged, acknowledged + window


def find_reader() -> Reader | None:
    """Return the reader of this process' only TCP connection; None where it cannot be known."""
    try:
        found = [Reader(connection) for connection in _tcp_connections()]
    except OSError:
        return None
    return found[0] if len(found) == 1 else None


def _tcp_connections() -> Iterator[socket.socket]:
    """Yield copies of all TCP connections of this process, where the system lists them."""
    numbers = []
    for name in os.listdir("/proc/self/fd") if sys.platform == "linux" else ():
        with suppress(FileNotFoundError):  # what listed them is closed again
            if stat.S_ISSOCK(os.stat(f"/proc/self/fd/{name}").st_mode):
                numbers.append(int(name))
    for number in numbers:  # only now, as each copy is a further one
        connection = socket.socket(fileno=os.dup(number))
        internet = connection.family in (socket.AF_INET, socket.AF_INET6)
        if internet and connection.type == socket.SOCK_STREAM:
            yield connection


def tee_address(task: StreamTask) -> str:
    """Return an address for FFmpeg's format "tee", which passes options on to the connection.

    PyAV connects without any. Then no certificate is verified.
    """
    options = {"f": task["format"], **task["options"], **task["protocol_options"]}
    listed = ":".join(f"{name}={_escape(value, ':]')}" for name, value in options.items())
    return _escape(f"[{listed}]{task['url']}", "|")


def _escape(text: str, special: str) -> str:
    return "".join(f"\\{char}" if char in special + "\\'" else char for char in text)


class _CertificateError(OSError):
    """The certificate of the server cannot be verified."""


@contextmanager
def _certificate_errors() -> Iterator[None]:
    """Tell from FFmpeg's messages whether a failure has to do with a certificate."""
    av.logging.set_level(av.logging.ERROR)
    with av.logging.Capture(local=False) as messages:
        try:
            yield
        except OSError as exc:
            text = " ".join(message for _, _, message in messages).lower()
            if "certificate" in text or "verif" in text or "match hostname" in text:
                raise _CertificateError(exc.errno, "") from None
            raise
        finally:
            av.logging.set_level(av.logging.PANIC)


@contextmanager
def _limited() -> Iterator[None]:
    """End the process if a block takes too long and the parent is gone, which would kill it."""
    if hasattr(signal, "alarm"):
        signal.alarm(_LONGEST_WAIT)
    yield
    if hasattr(signal, "alarm"):
        signal.alarm(0)


def _read_line() -> bytes:
    """Read one line and not a byte of what follows."""
    line = bytearray()
    while (byte := os.read(0, 1)) not in (b"\n", b""):
        line += byte
    return bytes(line)


def _report(**values: Any) -> None:
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
