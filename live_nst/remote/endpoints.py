"""Where the sessions of this user can be reached: a file for each, in the folder for such things.

A file holds the address and the token of a session, and can be read by its user alone. This module
imports nothing heavy: `live-nst ctl` needs it.
"""

import json
import os
import secrets
import socket
import stat
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from live_nst.errors import ControlError

_SUFFIX = ".json"
_MAX_BYTES = 10_000
_PROBE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """How to reach a session.

    Attributes:
        pid: The process of the session.
        kind: "live" or "studio".
        socket: Path of its Unix socket; empty if it has an address instead.
        url: "http://127.0.0.1:8000"; empty if it has a socket instead.
        token: What requests must show; empty for none.
        fingerprint: SHA-256 of its certificate in hexadecimal digits, for https.
    """

    pid: int
    kind: str = "live"
    socket: str = ""
    url: str = ""
    token: str = ""
    fingerprint: str = ""

    def __str__(self) -> str:
        return f"{self.pid} ({self.kind}, {self.url or 'a socket'})"


def runtime_folder() -> Path:
    """Return the user's folder for sockets, which ends with the user's session.

    The folder is not created.
    """
    with warnings.catch_warnings(action="ignore"):  # that there is no XDG_RUNTIME_DIR
        return platformdirs.user_runtime_path("live-nst", appauthor=False)


def make_runtime_folder() -> Path:
    """Return the folder for sockets; it is there, and nobody else can look into it.

    Raises:
        ControlError: It cannot be made, or belongs to someone else.
    """
    folder = runtime_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix":
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
                raise ControlError(
                    f"The folder {folder} belongs to someone else", "set XDG_RUNTIME_DIR to another"
                )
            folder.chmod(0o700)
    except OSError as exc:
        raise ControlError(
            f"The folder {folder} cannot be made: {(exc.strerror or str(exc)).lower()}",
            "set XDG_RUNTIME_DIR to a folder of your own",
        ) from exc
    return folder


def socket_path() -> Path:
    """Return the path of a socket for this process, in `make_runtime_folder`."""
    return make_runtime_folder() / f"{os.getpid()}.sock"


def remove_endpoint(pid: int) -> None:
    """Remove the file of a session, and its socket."""
    for suffix in (_SUFFIX, ".sock"):
        (runtime_folder() / f"{pid}{suffix}").unlink(missing_ok=True)


def write_endpoint(endpoint: Endpoint) -> Path:
    """Write a file that `find_endpoints` finds, with mode 600; whoever ends the session removes it.

    Raises:
        ControlError: It cannot be written.
    """
    path = make_runtime_folder() / f"{endpoint.pid}{_SUFFIX}"
    part = path.with_suffix(f".{secrets.token_hex(4)}.part")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with open(os.open(part, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(endpoint), file)
        os.replace(part, path)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise ControlError(
            f"{path} cannot be written: {(exc.strerror or str(exc)).lower()}", "free some space"
        ) from exc
    return path


def find_endpoints() -> list[Endpoint]:
    """Return the sessions that run, oldest first; files of those that crashed are removed.

    A file is removed only if it is one that `write_endpoint` wrote, and nobody listens there any
    more. What cannot be read, or says something else, is left alone.
    """
    folder = runtime_folder()
    try:
        if os.name == "posix" and folder.lstat().st_uid != os.getuid():
            return []  # whoever made it could tell us anything
        paths = sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
    except OSError:
        return []
    found = []
    for path in paths:
        endpoint = _read(path)
        if endpoint is None:
            continue
        if not _is_gone(endpoint):
            found.append(endpoint)
        else:
            remove_endpoint(endpoint.pid)
    return found


def _read(path: Path) -> Endpoint | None:
    """Return what a file says; None if `write_endpoint` did not write it, or it is damaged."""
    try:
        with path.open("rb") as file:
            values = json.loads(file.read(_MAX_BYTES))
        endpoint = Endpoint(**values)
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    texts = (endpoint.kind, endpoint.socket, endpoint.url, endpoint.token, endpoint.fingerprint)
    is_sound = type(endpoint.pid) is int and all(isinstance(text, str) for text in texts)
    own_socket = endpoint.socket in ("", str(path.with_suffix(".sock")))
    if not is_sound or path.stem != str(endpoint.pid) or not own_socket:
        return None
    return endpoint if endpoint.socket or endpoint.url else None


def _is_gone(endpoint: Endpoint) -> bool:
    """Return whether nobody listens there any more. A process number may be in use again."""
    url = urlsplit(endpoint.url)
    try:
        if endpoint.socket:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                probe.settimeout(_PROBE_SECONDS)
                probe.connect(endpoint.socket)
        else:
            where = (url.hostname or "", url.port or 0)
            socket.create_connection(where, _PROBE_SECONDS).close()
    except (ConnectionRefusedError, FileNotFoundError):
        return True
    except (OSError, ValueError):  # it may be busy
        return False
    return False
