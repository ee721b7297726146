import os
import socket
import subprocess
import sys

import pytest

from live_nst.sinks.x11_loss import is_closed

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X is Linux's")

PROGRAM = """
import ctypes, os, sys
from live_nst.sinks.x11_loss import ExitSentence

libc = ctypes.CDLL(None)
handler = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: os.write(2, b"a library ends\\n"))


def register():
    libc["__cxa_atexit"](handler, None, None)


sentence = ExitSentence("It is gone", lambda: {lost})
{then}
"""


@linux_only
def test_is_closed() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        assert not is_closed(ours.fileno())
        theirs.send(b"an event that nobody has read")
        assert not is_closed(ours.fileno())
        theirs.close()
        assert is_closed(ours.fileno())


@linux_only
@pytest.mark.parametrize(
    ("lost", "then", "code", "said"),
    [
        (True, "libc.exit(1)", 1, "Error: It is gone.\n"),
        (False, "libc.exit(1)", 1, ""),
        (True, "register(); libc.exit(1)", 1, "a library ends\nError: It is gone.\n"),
        (
            "next(answers)",
            "answers = iter([False, False, True]); libc.exit(1)",
            1,
            "Error: It is gone.\n",
        ),
        (True, "register(); sentence.renew(); libc.exit(1)", 1, "Error: It is gone.\n"),
        (False, "sentence.renew(); libc.exit(1)", 1, ""),
        (True, "sentence.disarm(); sentence.renew(); libc.exit(1)", 1, ""),
        (True, "sentence.disarm(); sentence.disarm(); libc.exit(1)", 1, ""),
        (True, "sys.exit(3)", 3, ""),  # Python's own end is orderly
        (True, "del sentence", 0, ""),
        (True, "other = ExitSentence('Other', lambda: True); other.disarm()", 0, ""),
    ],
)
def test_exit_of_a_library(lost: object, then: str, code: int, said: str) -> None:
    program = PROGRAM.format(lost=lost, then=then)
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (done.returncode, done.stderr) == (code, said)
