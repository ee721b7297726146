import os
import sys
import time
from pathlib import Path

import pytest

from live_nst.doctor.engines import check_engine, check_processor, nvidia_gpus, probe_tensorflow
from live_nst.doctor.finding import Severity
from live_nst.errors import ModelError
from tests.doctor.fakes import only


def test_check_processor(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Acme 9000 @ 3 GHz\nflags : avx\n")
    assert only(check_processor(cpuinfo)).text.startswith("Acme 9000 @ 3 GHz, ")
    assert only(check_processor(tmp_path / "none")).severity is Severity.OK


def no_tensorflow() -> list[str]:
    raise ModelError("TensorFlow does not start: boom", "install it")


def test_check_engine_that_does_not_start() -> None:
    finding = only(check_engine(no_tensorflow, list))
    assert (finding.topic, finding.severity) == ("engine", Severity.FAULT)
    assert finding.hint == "install it"


@pytest.mark.parametrize(
    ("usable", "present", "system", "expected", "words", "hint"),
    [
        (["NVIDIA T4"], ["NVIDIA T4"], "linux", Severity.OK, "NVIDIA T4", ""),
        ([], [], "linux", Severity.NOTE, "no GPU", ""),
        ([], ["NVIDIA T4"], "linux", Severity.NOTE, "NVIDIA T4 is here", "live-nst[gpu]"),
        ([], ["NVIDIA T4"], "win32", Severity.NOTE, "NVIDIA T4 is here", "WSL2"),
    ],
)
def test_check_engine_with_gpus(
    usable: list[str], present: list[str], system: str, expected: Severity, words: str, hint: str
) -> None:
    engine, gpu = check_engine(lambda: usable, lambda: present, system)
    assert engine.severity is Severity.OK
    assert gpu.severity is expected
    assert words in gpu.text
    assert hint in gpu.hint
    assert bool(hint) == bool(gpu.hint)


needs_posix = pytest.mark.skipif(os.name != "posix", reason="needs signals and shell scripts")


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_probe_tensorflow_returns_gpus() -> None:
    program = "print('chatter'); print('[\"NVIDIA H100\", \"NVIDIA T4\"]')"
    assert probe_tensorflow(python(program)) == ["NVIDIA H100", "NVIDIA T4"]


def test_probe_tensorflow_import_error() -> None:
    with pytest.raises(ModelError, match="No module named 'no_such_flow'") as caught:
        probe_tensorflow(python("import no_such_flow"))
    assert "\n" not in caught.value.message
    assert "fresh virtual environment" in caught.value.hint


def test_probe_tensorflow_exit_code() -> None:
    with pytest.raises(ModelError, match="exit code 7"):
        probe_tensorflow(python("raise SystemExit(7)"))


@needs_posix
@pytest.mark.parametrize(("name", "hint"), [("SIGILL", "AVX"), ("SIGABRT", "virtual environment")])
def test_probe_tensorflow_killed(name: str, hint: str) -> None:
    program = f"import os, signal; os.kill(os.getpid(), signal.{name})"
    with pytest.raises(ModelError, match=name) as caught:
        probe_tensorflow(python(program))
    assert hint in caught.value.hint


def test_probe_tensorflow_timeout() -> None:
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
def test_nvidia_gpus(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: list[str]
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nvidia_gpus() == expected


def test_nvidia_gpus_without_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nvidia_gpus() == []


@pytest.mark.slow
def test_probe_tensorflow_here() -> None:
    assert isinstance(probe_tensorflow(), list)
