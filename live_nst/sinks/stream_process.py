"""A process that sends one stream: `stream_child.py`, or an `ffmpeg` program."""

import errno
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from live_nst.errors import StreamError
from live_nst.runtime.timing import Clock


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
            with suppress(ValueError, KeyError):  # a line that a kill cut off
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
            if report["certificate"]:
                self.reason = "its certificate cannot be verified"
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
_PHRASES = (  # of the messages of `ffmpeg`, which are never shown: they contain the address
    ("password", "the server refuses the passphrase"),
    ("unsecure", "the server refuses the passphrase"),
    ("rejected", "the server refuses the stream"),
    ("connection setup failure", "the server does not answer"),
    ("connection timeout", "the server does not answer"),
    ("timed out", "the server does not answer"),
    ("connection was broken", "the server closed the connection"),
    ("connection does not exist", "the server closed the connection"),
)


def _reason_in(message: str) -> str:
    message = message.lower()
    return next((reason for phrase, reason in _PHRASES if phrase in message), "")
