import os
import sys
import time
from pathlib import Path

import pytest

from live_nst.doctor.tensorflow_probe import nvidia_gpus, probe_tensorflow
from live_nst.errors import ModelError

needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs signals and shell scripts")


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_the_last_line_names_the_gpus() -> None:
    program = "print('chatter'); print('[\"NVIDIA H100\", \"NVIDIA T4\"]')"
    assert probe_tensorflow(python(program)) == ["NVIDIA H100", "NVIDIA T4"]


def test_an_import_that_fails_is_told_by_its_last_line() -> None:
    with pytest.raises(ModelError, match="No module named 'no_such_flow'") as caught:
        probe_tensorflow(python("import no_such_flow"))
    assert "\n" not in caught.value.message
    assert "fresh virtual environment" in caught.value.hint


def test_a_silent_failure_is_told_by_its_exit_code() -> None:
    with pytest.raises(ModelError, match="exit code 7"):
        probe_tensorflow(python("raise SystemExit(7)"))


@needs_posix
@pytest.mark.parametrize(("name", "hint"), [("SIGILL", "AVX"), ("SIGABRT", "virtual environment")])
def test_a_process_that_is_killed_is_told_by_its_signal(name: str, hint: str) -> None:
    program = f"import os, signal; os.kill(os.getpid(), signal.{name})"
    with pytest.raises(ModelError, match=name) as caught:
        probe_tensorflow(python(program))
    assert hint in caught.value.hint


def test_a_start_that_takes_too_long_is_ended() -> None:
    start = time.monotonic()
    with pytest.raises(ModelError, match=r"0\.2 s"):
        probe_tensorflow(python("import time; time.sleep(60)"), timeout=0.2)
    assert time.monotonic() - start < 30


@needs_posix
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo NVIDIA H100; echo Tesla T4", ["NVIDIA H100", "Tesla T4"]),
        ("echo no driver; exit 9", []),
    ],
)
def test_the_driver_names_its_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: list[str]
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nvidia_gpus() == expected


def test_without_the_driver_there_are_no_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nvidia_gpus() == []


@pytest.mark.slow
def test_the_installed_tensorflow_starts() -> None:
    assert isinstance(probe_tensorflow(), list)
