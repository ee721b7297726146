"""Start the process that a stream needs: PyAV in a Python of its own, or `ffmpeg` for SRT."""

import json
import os
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from live_nst.errors import StreamError
from live_nst.runtime.timing import Clock
from live_nst.sinks.ffmpeg_program import find_ffmpeg
from live_nst.sinks.stream_address import HLS, SRT_SECRETS, StreamAddress, srt_parameters
from live_nst.sinks.stream_child import StreamTask
from live_nst.sinks.stream_process import StreamProcess

_SEND_BUFFER = 512 * 1024
"""Bytes. The system's own buffers hold many seconds, after which a slow or frozen server would be
noticed too late, and its viewers would see the past."""
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


ProcessStarter = Callable[[StreamAddress, Clock], StreamProcess]


def start_process(address: StreamAddress, clock: Clock) -> StreamProcess:
    """Start the process that sends to an address.

    Raises:
        StreamError: It cannot be started.
    """
    check_process(address)
    if address.scheme == "srt":
        program = find_ffmpeg(needs_secrets=bool(_srt_secrets(address)))
        assert program is not None  # it was checked
        return _start_ffmpeg(program, address, clock)
    # -P: without it, Python would import modules from the folder of the script.
    command = [sys.executable, "-P", str(_CHILD)]
    return StreamProcess(command, json.dumps(_task(address)).encode() + b"\n", clock)


def check_process(address: StreamAddress) -> None:
    """Check that everything is there that an address needs.

    Raises:
        StreamError: Something is missing.
    """
    if address.scheme == "srt" and find_ffmpeg(needs_secrets=False) is None:
        raise StreamError(
            "SRT needs a program ffmpeg that knows it, and there is none here",
            "install ffmpeg, or run `pip install 'live-nst[srt]'`",
        )
    if address.scheme == "srt" and find_ffmpeg(needs_secrets=bool(_srt_secrets(address))) is None:
        raise StreamError(
            f"the program ffmpeg here takes a {' or a '.join(_srt_secrets(address))} only where "
            "all users of the machine can read it",
            "run `pip install 'live-nst[srt]'`, which brings one that hides it",
        )


def _task(address: StreamAddress) -> StreamTask:
    format, options = _FORMATS[address.scheme]
    url, protocol_options = address.url, dict[str, str]()
    if address.scheme == "udp" and "pkt_size=" not in url:
        url += f"{'&' if '?' in url else '?'}pkt_size=1316"  # seven packets fit into a frame
    if address.scheme in ("rtmp", "rtmps"):
        protocol_options = {"send_buffer_size": str(_SEND_BUFFER)}
    if address.encrypted:
        verify = {"tls_verify": "1", "ca_file": certificate_authorities()}
        if address.scheme == "rtsps":
            options = options | verify
        else:
            protocol_options |= verify
    return {
        "url": url,
        "format": format,
        "options": options,
        "protocol_options": protocol_options,
    }


def certificate_authorities() -> str:
    """Return the file of the authorities whose certificates are trusted."""
    found = ssl.get_default_verify_paths().cafile
    if found is not None:
        return found
    import certifi

    return certifi.where()


def _srt_secrets(address: StreamAddress) -> dict[str, str]:
    given = srt_parameters(address.url)
    return {name: value for name, value in given if name in SRT_SECRETS}


def _start_ffmpeg(program: str, address: StreamAddress, clock: Clock) -> StreamProcess:
    format, options = _FORMATS[address.scheme]
    public = [item for item in srt_parameters(address.url) if item[0] not in SRT_SECRETS]
    if not any(name in ("pkt_size", "payload_size") for name, _ in public):
        public.append(("pkt_size", "1316"))
    url = f"srt://{urlsplit(address.url).netloc}?{urlencode(public)}"
    command = [program, "-hide_banner", "-nostats", "-loglevel", "error"]
    command += ["-progress", "pipe:1", "-stats_period", "0.5"]
    command += ["-fpsprobesize", "0", "-analyzeduration", "1000000"]
    command += ["-f", "mpegts", "-i", "pipe:0", "-map", "0", "-c", "copy", "-f", format]
    for name, value in options.items():
        command += [f"-{name}", value]
    secrets = _srt_secrets(address)
    if not secrets:
        return StreamProcess([*command, url], b"", clock)
    # "streamid" alone is an option of the program `ffmpeg` as well.
    names = {"streamid": "srt_streamid"}
    lines = "".join(f"{names.get(name, name)}={value}\n" for name, value in secrets.items())
    if sys.platform == "win32":
        return _start_with_file(command, url, lines.encode(), clock)
    read, write = os.pipe()
    os.write(write, lines.encode())  # a pipe holds more than an address has
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
