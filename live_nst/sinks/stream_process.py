"""The process that sends one stream: PyAV in a Python of its own, or an `ffmpeg` program.

PyAV knows no SRT and verifies no certificate. An `ffmpeg` program does, where there is one.
"""

import errno
import functools
import importlib.util
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from live_nst.errors import StreamError
from live_nst.runtime.timing import Clock
from live_nst.sinks.stream_address import (
    HLS,
    SRT_SECRETS,
    StreamAddress,
    rtmp_app_and_key,
    srt_parameters,
)

_CHILD = Path(__file__).with_name("stream_child.py")
_FORMATS: dict[str, tuple[str, dict[str, str]]] = {
    "rtmp": ("flv", {"flvflags": "no_duration_filesize"}),
    "rtmps": ("flv", {"flvflags": "no_duration_filesize"}),
    "rtsp": ("rtsp", {"rtsp_transport": "tcp"}),
    "rtsps": ("rtsp", {"rtsp_transport": "tcp"}),
    "udp": ("mpegts", {"flush_packets": "1"}),
    "srt": ("mpegts", {}),
    HLS: (
        "hls",
        {
            "hls_time": "2",
            "hls_list_size": "6",
            # A name is not used again after a restart: players would show what they have of it.
            "hls_start_number_source": "epoch",
            "hls_flags": "delete_segments+independent_segments+temp_file",
        },
    ),
}
"""FFmpeg's name and options of the format for each scheme."""


class StreamProcess:
    """A running process. `write` blocks while it takes nothing; all else returns at once.

    Args:
        command: What to run.
        head: Written to its standard input before all else.
        clock: Times its progress.
        secrets: A descriptor that the process inherits; closed here.

    Attributes:
        live: Whether the server has accepted the stream.
        progress: When it last sent something on; None if it never did.
        reason: Why it ended, in a few words without a key; empty if it did not say.
    """

    def __init__(
        self, command: list[str], head: bytes, clock: Clock, secrets: int | None = None
    ) -> None:
        self.live = False
        self.progress: float | None = None
        self.reason = ""
        self._clock = clock
        self._sent = ""
        # In a session of its own, Ctrl-C in the terminal reaches this process alone, which ends
        # the other one after its last frame.
        own_group: dict[str, Any] = {}
        if sys.platform == "win32":
            own_group["creationflags"] = subprocess.CREATE_NEW_PROCESS_GROUP
        else:
            own_group["start_new_session"] = True
            own_group["pass_fds"] = () if secrets is None else (secrets,)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                **own_group,
            )
        except OSError as exc:
            raise StreamError(f"{Path(command[0]).name} cannot be started: {exc.strerror}") from exc
        finally:
            if secrets is not None:
                os.close(secrets)
        self._thread = threading.Thread(
            target=self._read, name="live-nst stream progress", daemon=True
        )
        self._thread.start()
        with suppress(OSError):  # it ended at once; `alive` tells
            self.write(head)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def write(self, data: bytes) -> None:
        """Send bytes of MPEG-TS to the process.

        Raises:
            OSError: It has ended, or was killed while this waited.
        """
        assert self._process.stdin is not None
        view = memoryview(data)
        while view:
            view = view[self._process.stdin.write(view) or 0 :]

    def finish(self) -> None:
        """Let the process send what it has and end the stream. No `write` may follow."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def kill(self) -> None:
        """End the process at once. A `write` that waits raises an error."""
        with suppress(OSError):
            self._process.kill()

    def join(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the end; return whether it has ended."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        self._thread.join(timeout)
        return True

    def _read(self) -> None:
        """Read what the process reports, until it ends."""
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._on_line(line.decode("utf-8", "replace").strip())

    def _on_line(self, line: str) -> None:
        name, separator, value = line.partition("=")
        if line.startswith("{"):
            self._on_report(json.loads(line))
        elif name == "out_time_us" and value != self._sent:  # of `ffmpeg -progress`
            self._sent = value
            if value.lstrip("-").isdigit():
                self.live, self.progress = True, self._clock.now()
        elif not (separator and name.isidentifier()):
            self.reason = _reason_in(line) or self.reason

    def _on_report(self, report: dict[str, int]) -> None:
        if "error" in report:
            self.reason = _REASONS.get(report["error"], "the server cannot be reached")
        else:
            self.live, self.progress = True, self._clock.now()


_REASONS = {
    errno.ECONNREFUSED: "nothing answers at that address",
    errno.ECONNRESET: "the server closed the connection",
    errno.EPIPE: "the server closed the connection",
    errno.ETIMEDOUT: "the server does not answer",
    errno.EHOSTUNREACH: "the server cannot be reached",
    errno.ENETUNREACH: "there is no network",
    errno.EACCES: "access is denied",
    errno.ENOENT: "its folder is gone",
    errno.ENOSPC: "the disk is full",
}
_PHRASES = (  # of the messages of `ffmpeg`, which are never shown: they contain the key
    ("certificate", "its certificate cannot be verified"),
    ("verify", "its certificate cannot be verified"),
    ("connection refused", "nothing answers at that address"),
    ("broken pipe", "the server closed the connection"),
    ("connection reset", "the server closed the connection"),
    ("timed out", "the server does not answer"),
    ("connection setup failure", "the server does not answer"),
    ("wrong password", "the server refuses the passphrase"),
    ("rejected", "the server refuses the stream"),
)


def _reason_in(message: str) -> str:
    message = message.lower()
    return next((reason for phrase, reason in _PHRASES if phrase in message), "")


ProcessStarter = Callable[[StreamAddress, Clock], StreamProcess]


def start_process(address: StreamAddress, clock: Clock) -> StreamProcess:
    """Start the process that sends to an address.

    Raises:
        StreamError: It cannot be started.
    """
    check_process(address)
    ffmpeg = find_ffmpeg_for(address)
    if ffmpeg is None:
        return _start_python(address, clock)
    return _start_ffmpeg(ffmpeg, address, clock)


def check_process(address: StreamAddress) -> str:
    """Check what an address needs; return what the user should know of it, or "".

    Raises:
        StreamError: Something is missing.
    """
    ffmpeg = find_ffmpeg_for(address)
    if address.scheme == "srt" and ffmpeg is None:
        raise StreamError(
            "SRT needs a program ffmpeg that knows it, and there is none here",
            "install ffmpeg, or run `pip install 'live-nst[srt]'`",
        )
    if address.encrypted and ffmpeg is None:
        return (
            f"The certificate of {address.host} is not verified: the stream is encrypted, but "
            "another server could pose as this one"
        )
    return ""


def find_ffmpeg_for(address: StreamAddress) -> str | None:
    """Return the `ffmpeg` program that sends to an address; None if PyAV does it."""
    parts = urlsplit(address.url)
    # A password has no option of its own, and all users can read the arguments of a program.
    if address.scheme == "srt" or (address.scheme == "rtmps" and "@" not in parts.netloc):
        return find_ffmpeg(address.scheme)
    return None


@functools.cache
def find_ffmpeg(protocol: str) -> str | None:
    """Return an `ffmpeg` program that knows a protocol: the system's, else that of a package."""
    candidates = [shutil.which("ffmpeg")]
    if importlib.util.find_spec("imageio_ffmpeg") is not None:
        import imageio_ffmpeg

        with suppress(RuntimeError):  # no binary for this system
            candidates.append(imageio_ffmpeg.get_ffmpeg_exe())
    for program in candidates:
        if program is None:
            continue
        with suppress(OSError, subprocess.TimeoutExpired):
            answer = subprocess.run(
                [program, "-hide_banner", "-protocols"], capture_output=True, timeout=10, text=True
            )
            if protocol in answer.stdout.split():
                return program
    return None


def _start_python(address: StreamAddress, clock: Clock) -> StreamProcess:
    format, options = _FORMATS[address.scheme]
    url = address.url
    if address.scheme == "udp" and "pkt_size=" not in url:
        url += f"{'&' if '?' in url else '?'}pkt_size=1316"  # seven packets fit into a frame
    task = json.dumps({"url": url, "format": format, "options": options})
    # -P: without it, Python would import modules from the folder of the script.
    command = [sys.executable, "-P", str(_CHILD)]
    return StreamProcess(command, task.encode() + b"\n", clock)


def _start_ffmpeg(program: str, address: StreamAddress, clock: Clock) -> StreamProcess:
    format, options = _FORMATS[address.scheme]
    url, secrets = _without_secrets(address)
    if address.encrypted:
        options = options | {"tls_verify": "1", "ca_file": certificate_authorities()}
    command = [program, "-hide_banner", "-nostats", "-loglevel", "error"]
    command += ["-progress", "pipe:1", "-stats_period", "0.5"]
    command += ["-fpsprobesize", "0", "-analyzeduration", "1000000"]
    command += ["-f", "mpegts", "-i", "pipe:0", "-map", "0", "-c", "copy", "-f", format]
    for name, value in options.items():
        command += [f"-{name}", value]
    if not secrets:
        return StreamProcess([*command, url], b"", clock)
    lines = "".join(f"{name}={value}\n" for name, value in secrets.items()).encode()
    if sys.platform == "win32":
        return _start_with_file(command, url, lines, clock)
    read, write = os.pipe()
    os.write(write, lines)  # a pipe holds more than an address has
    os.close(write)
    return StreamProcess([*command, "-fpre", f"/dev/fd/{read}", url], b"", clock, read)


def _start_with_file(command: list[str], url: str, lines: bytes, clock: Clock) -> StreamProcess:
    """Start ffmpeg where it cannot inherit a descriptor: the secrets are in a file for a moment."""
    descriptor, name = tempfile.mkstemp(suffix=".ffpreset")
    with open(descriptor, "wb") as file:
        file.write(lines)
    process = StreamProcess([*command, "-fpre", name, url], b"", clock)

    def remove() -> None:
        with suppress(OSError):
            os.unlink(name)

    threading.Timer(5.0, remove).start()
    return process


def _without_secrets(address: StreamAddress) -> tuple[str, dict[str, str]]:
    """Divide an address into what all users may see and FFmpeg's options for the rest."""
    parts = urlsplit(address.url)
    if address.scheme == "srt":
        given = srt_parameters(address.url)
        public = [(name, value) for name, value in given if name not in SRT_SECRETS]
        if not any(name in ("pkt_size", "payload_size") for name, _ in public):
            public.append(("pkt_size", "1316"))
        secrets = {name: value for name, value in given if name in SRT_SECRETS}
        return f"srt://{parts.netloc}?{urlencode(public)}", secrets
    app, key = rtmp_app_and_key(address.url)
    return f"{address.scheme}://{parts.netloc}/", {"rtmp_app": app, "rtmp_playpath": key}


def certificate_authorities() -> str:
    """Return the file of the authorities whose certificates are trusted."""
    found = ssl.get_default_verify_paths().cafile
    if found is not None:
        return found
    import certifi

    return certifi.where()
