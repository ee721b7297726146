"""The addresses of streams: which are taken, and what may be shown of them.

An address holds a key: whoever knows it can stream in the user's name. So messages, logs and
statistics show an address by `hide_keys` alone.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from live_nst.errors import UsageError
from live_nst.files.output import check_output
from live_nst.files.secrets import HIDDEN, hide_keys

HLS = "hls"
SCHEMES = ("rtmp", "rtmps", "rtsp", "rtsps", "udp", "srt")
HINT = (
    "use rtmp://HOST/APP/KEY, rtmps://, rtsp://HOST/NAME, udp://HOST:PORT, srt://HOST:PORT, "
    "or the name of an HLS playlist that ends in .m3u8, or a folder that exists"
)
_PLAYLIST = "live.m3u8"

SRT_SECRETS = ("passphrase", "streamid")
SRT_PARAMETERS = (
    "connect_timeout",
    "enforced_encryption",
    "ffs",
    "inputbw",
    "iptos",
    "ipttl",
    "kmpreannounce",
    "kmrefreshrate",
    "latency",
    "linger",
    "lossmaxttl",
    "maxbw",
    "messageapi",
    "minversion",
    "mode",
    "mss",
    "nakreport",
    "oheadbw",
    "payload_size",
    "pbkeylen",
    "peerlatency",
    "pkt_size",
    "rcvbuf",
    "rcvlatency",
    "sndbuf",
    "snddropdelay",
    "tlpktdrop",
    "transtype",
    "tsbpd",
)
"""What an address of SRT may ask for beside `SRT_SECRETS`; FFmpeg's names."""


@dataclass(frozen=True, slots=True)
class StreamAddress:
    """Where a stream goes.

    Attributes:
        scheme: One of `SCHEMES`, or `HLS`.
        url: The address with its key, or the path of the playlist. Never show it.
        shown: What may be shown.
    """

    scheme: str
    url: str = field(repr=False)
    shown: str

    def __str__(self) -> str:
        return self.shown

    @property
    def host(self) -> str:
        """The name of the server; empty for HLS."""
        return "" if self.scheme == HLS else urlsplit(self.url).hostname or ""

    @property
    def encrypted(self) -> bool:
        """Whether the connection uses TLS."""
        return self.scheme in ("rtmps", "rtsps")

    @property
    def waits_for_reader(self) -> bool:
        """Whether the other side connects to us, at any time."""
        return self.scheme == "srt" and ("mode", "listener") in srt_parameters(self.url)


def read_stream_address(text: str) -> str:
    """Return an address; of "@" and the name of a file, the first line of that file.

    Raises:
        UsageError: The file cannot be read, or its first line is empty.
    """
    if not text.startswith("@"):
        return text
    path = Path(text[1:])
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        reason = getattr(exc, "strerror", None) or "it is no text"
        raise UsageError(
            f"The stream's file {path} cannot be read: {reason}",
            "name a text file whose first line is the address",
        ) from exc
    if not lines or not lines[0].strip():
        raise UsageError(
            f"The first line of the stream's file {path} is empty", "write the address into it"
        )
    return lines[0]


def parse_stream_address(text: str) -> StreamAddress:
    """Check an address that a user gave.

    Raises:
        UsageError: It is no address that can be streamed to. The message shows no key.
    """
    text = text.strip()
    scheme, separator, _ = text.partition("://")
    scheme = scheme.lower()
    if not separator:
        return _parse_playlist(text)
    if scheme not in SCHEMES:
        # It may be a key that contains "://" as well as a scheme.
        known = scheme in ("http", "https", "ftp", "file", "tcp", "rtp", "whip", "icecast")
        raise UsageError(f"Streams cannot go to {scheme}://." if known else _INVALID, HINT)
    if re.search(r"[\s\x00-\x1f]", text):  # `hide_keys` cannot know where it ends
        raise UsageError("A stream address contains a space or a line break.", HINT)
    shown = hide_keys(text)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"Invalid stream address {shown}.", HINT) from None  # it names a part
    if not host or shown.partition("://")[2] == HIDDEN:
        raise UsageError(f"Invalid stream address {shown}.", HINT)
    if scheme in ("udp", "srt") and not port:
        raise UsageError(f"The stream address {shown} has no port.", f"use {scheme}://{host}:PORT")
    if scheme in ("rtmp", "rtmps") and not parts.path.strip("/"):
        raise UsageError(
            f"The stream address {shown} names no application.", f"use {scheme}://{host}/APP/KEY"
        )
    if scheme == "srt":
        _check_srt(text, shown)
    return StreamAddress(scheme, scheme + text[len(scheme) :], shown)


def srt_parameters(url: str) -> list[tuple[str, str]]:
    """Return the parameters of an address of SRT, decoded. A stream ID may contain a "#"."""
    return parse_qsl(url.partition("?")[2], keep_blank_values=True)


_INVALID = "This is no address that can be streamed to."


def _parse_playlist(text: str) -> StreamAddress:
    path = Path(text)
    if os.path.isdir(text):  # unlike that of `Path`, it takes any text
        path = path / _PLAYLIST
    if path.suffix.lower() != ".m3u8":
        raise UsageError(_INVALID, HINT)  # it is not shown: it may be a key
    check_output(path, kind="a playlist")
    return StreamAddress(HLS, str(path), str(path))


def _check_srt(text: str, shown: str) -> None:
    for name, value in srt_parameters(text):
        if name not in (*SRT_PARAMETERS, *SRT_SECRETS):
            raise UsageError(
                f"The stream address {shown} has an unknown parameter.",
                f"use {', '.join(SRT_SECRETS)}, latency, mode, ...",
            )
        if name == "passphrase" and not 10 <= len(value) <= 79:
            raise UsageError(
                f"The passphrase of the stream {shown} has the wrong length.",
                "use 10 to 79 characters",
            )
