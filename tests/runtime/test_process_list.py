import subprocess
import sys

import pytest

SHOW = """
import sys
from pathlib import Path
from live_nst.runtime.process_list import hide_in_process_list

found = [hide_in_process_list(secret) for secret in sys.argv[3:]]
print(found, Path("/proc/self/cmdline").read_bytes().split(b"\\0")[3:-1], sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_secrets_are_overwritten() -> None:
    arguments = ["rtmp://host/k\u00e4y", "rtmp://host/k\u00e4y/2", "k\u00e4y", "missing-key", ""]
    answer = subprocess.run(
        [sys.executable, "-c", SHOW, *arguments], capture_output=True, text=True, check=True
    )
    shown = [b"rtmp://host/****", b"rtmp://host/****/2", b"****", b"***********", b""]
    assert answer.stdout.strip() == f"[True, True, False] {shown} {arguments}"
