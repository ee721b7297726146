"""Find an `ffmpeg` program that knows SRT, which PyAV does not."""

import functools
import importlib.util
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path


@functools.cache
def find_ffmpeg(*, needs_secrets: bool) -> str | None:
    """Return an `ffmpeg` program that knows SRT: the system's, else that of a package.

    Args:
        needs_secrets: Whether it must take options from a file. All users can read arguments.
    """
    candidates = [shutil.which("ffmpeg")]
    if importlib.util.find_spec("imageio_ffmpeg") is not None:
        import imageio_ffmpeg

        with suppress(RuntimeError):  # no binary for this system
            candidates.append(imageio_ffmpeg.get_ffmpeg_exe())
    for program in candidates:
        with suppress(OSError, subprocess.SubprocessError):
            if program is None or not _knows_srt(program):
                continue
            if not needs_secrets or _takes_options_from_file(program):
                return program
    return None


def _knows_srt(program: str) -> bool:
    command = [program, "-hide_banner", "-protocols"]
    answer = subprocess.run(command, capture_output=True, timeout=10, text=True)
    return "srt" in answer.stdout.split()


def _takes_options_from_file(program: str) -> bool:
    """Return whether `-fpre` works. In some versions it does nothing, without a message."""
    with tempfile.TemporaryDirectory() as folder:
        preset = Path(folder) / "test.ffpreset"
        preset.write_text("mpegts_transport_stream_id=4660\n")
        command = [program, "-loglevel", "error", "-f", "s16le", "-ar", "48000", "-i", "pipe:0"]
        command += ["-c:a", "mp2", "-f", "mpegts", "-fpre", str(preset), "pipe:1"]
        answer = subprocess.run(command, input=bytes(9600), capture_output=True, timeout=10)
    packets = [answer.stdout[at : at + 188] for at in range(0, len(answer.stdout), 188)]
    # The program association table has the identifier 0 and, after five more bytes, that number.
    return any(p[:3] == b"\x47\x40\x00" and p[8:10] == b"\x12\x34" for p in packets)
