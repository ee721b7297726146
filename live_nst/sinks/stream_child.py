"""Send MPEG-TS from standard input to a server; a program of its own that `stream_process.py` runs.

FFmpeg inside of Python holds the interpreter's lock while it connects, and has no time-outs. Here
that stops nobody, and a kill ends it.

The first line of standard input is {"url": ..., "format": ..., "options": {...}}, so that no list
of processes shows the address with its key. Standard output gets lines of JSON: {"live": true}
once the server has accepted the stream, {"frames": n} while it takes it, and {"error": number}
with the system's number of an error.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import av
from av.bitstream import BitStreamFilterContext

_PROGRESS_SECONDS = 0.2
_LONGEST_WAIT = 10  # seconds that one call may take; the parent usually kills earlier
_SAMPLE_RATE = 48_000


def main() -> None:
    """Run until standard input ends, or the server breaks the connection."""
    av.logging.set_level(av.logging.PANIC)  # messages of FFmpeg contain the key
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it, after the last frame
    task = json.loads(_read_line())
    try:
        _push(task["url"], task["format"], task["options"])
    except (OSError, ValueError) as exc:  # all errors of FFmpeg are of one of these types
        _report(error=getattr(exc, "errno", None) or 0)


def _push(url: str, format: str, options: dict[str, str]) -> None:
    open_any: Any = av.open
    with open_any(
        "pipe:0",
        format="mpegts",
        options={"fpsprobesize": "0", "analyzeduration": "1000000"},
    ) as source:
        video, audio = source.streams.video[0], source.streams.audio[0]
        target = open_any(url, "w", format=format, options=options)
        outputs = {
            video.index: target.add_stream_from_template(video),
            audio.index: target.add_stream("aac", rate=_SAMPLE_RATE),
        }
        outputs[audio.index].codec_context.layout = "stereo"
        outputs[audio.index].time_base = Fraction(1, _SAMPLE_RATE)
        # MPEG-TS stores the sound with ADTS headers, which most others do not know.
        strip_adts = format != "mpegts" and BitStreamFilterContext("aac_adtstoasc", audio)
        with _limited():
            target.start_encoding()  # connects
        _report(live=True)
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
                _report(frames=frames)
        with _limited():
            target.close()


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
