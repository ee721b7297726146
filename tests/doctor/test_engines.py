import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from live_nst.doctor.engines import (
    FoundDevice,
    check_engine,
    check_processor,
    nvidia_gpus,
    probe_devices,
    probe_tensorflow,
)
from live_nst.doctor.finding import Finding, Severity
from live_nst.errors import DeviceError, ModelError
from live_nst.runtime.chips import Chip
from tests.doctor.fakes import only


def test_check_processor(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Acme 9000 @ 3 GHz\nflags : avx\n")
    assert only(check_processor(cpuinfo)).text.startswith("Acme 9000 @ 3 GHz, ")
    assert only(check_processor(tmp_path / "none")).severity is Severity.OK


def no_tensorflow() -> list[str]:
    raise ModelError("TensorFlow does not start: boom", "install it")


OPENVINO_CPU = FoundDevice("OpenVINO", "cpu", "cpu", ("float32",))
IRIS = FoundDevice("OpenVINO", "gpu", "Intel Iris Xe Graphics", ("float32", "float16"))
NPU = FoundDevice("OpenVINO", "npu", "Intel AI Boost", ("float16",))

INTEL_CHIP = Chip("gpu", "Intel", "Intel TigerLake-LP GT2 [Iris Xe Graphics]", "i915")
NPU_CHIP = Chip("npu", "Intel", "Intel neural processor (PCI 8086:7d1d)")
NVIDIA_CHIP = Chip("gpu", "NVIDIA", "NVIDIA graphics (PCI 10de:2786)", "nouveau")
AMD_CHIP = Chip("gpu", "AMD", "AMD Radeon RX 7800 XT", "amdgpu")
APPLE_CHIP = Chip("gpu", "Apple", "Apple graphics", "Metal")
UNKNOWN_CHIP = Chip("gpu", "", "unknown graphics (PCI 1234:1111)")


def check(
    tensorflow: Sequence[str] = (),
    nvidia: Sequence[str] = (),
    system: str = "linux",
    devices: Sequence[FoundDevice] = (),
    chips: Sequence[Chip] = (),
    problems: dict[str, tuple[str, str]] | None = None,
) -> list[Finding]:
    """The findings after those of the engines themselves."""
    found = list(
        check_engine(
            lambda: list(tensorflow),
            lambda: list(nvidia),
            system,
            lambda: ([*devices, OPENVINO_CPU], problems or {}),
            lambda: chips,
        )
    )
    assert [each.text for each in found[:2]] == [
        "TensorFlow and tensorflow-hub start",
        "OpenVINO starts" if not problems else "OpenVINO cannot be used here: no module.",
    ]
    return found[2:]


def test_check_engine_that_does_not_start() -> None:
    finding, openvino, gpu = check_engine(
        no_tensorflow, list, "linux", lambda: ([OPENVINO_CPU, IRIS], {}), list
    )
    assert (finding.topic, finding.severity) == ("engine", Severity.FAULT)
    assert finding.hint == "install it"
    assert openvino.severity is gpu.severity is Severity.OK


def test_nothing_but_the_processor() -> None:
    for chips in ((), (UNKNOWN_CHIP,)):
        (finding,) = check(chips=chips)
        assert (finding.topic, finding.severity) == ("gpu", Severity.NOTE)
        assert "so the CPU is used" in finding.text


def test_usable_devices() -> None:
    found = check(("NVIDIA T4",), ("NVIDIA T4",), devices=(IRIS, NPU), chips=(INTEL_CHIP, NPU_CHIP))
    assert {finding.severity for finding in found} == {Severity.OK}
    assert [(finding.topic, finding.text) for finding in found] == [
        ("gpu", "NVIDIA T4: --device gpu with TensorFlow"),
        ("gpu", "Intel Iris Xe Graphics: --device gpu with OpenVINO, in float32 or float16"),
        ("npu", "Intel AI Boost: --device npu with OpenVINO, in float16"),
    ]


@pytest.mark.parametrize(
    ("nvidia", "chip", "system", "words", "hint"),
    [
        (["NVIDIA T4"], NVIDIA_CHIP, "linux", "NVIDIA T4 is here", "live-nst[gpu]"),
        (["NVIDIA T4"], NVIDIA_CHIP, "linux", "NVIDIA T4 is here", "live-nst[cuda-onnx]"),
        (["NVIDIA T4"], NVIDIA_CHIP, "win32", "NVIDIA T4 is here", "WSL2"),
        ([], NVIDIA_CHIP, "linux", "PCI 10de:2786", "nvidia-smi"),
        ([], INTEL_CHIP, "linux", "Iris Xe", "apt install intel-opencl-icd"),
        ([], INTEL_CHIP, "win32", "Iris Xe", "intel.com"),
        ([], NPU_CHIP, "linux", "neural processor", "linux-npu-driver"),
        ([], NPU_CHIP, "win32", "neural processor", "Windows Update"),
        ([], AMD_CHIP, "win32", "Radeon", "pip install 'live-nst[windows]'"),
        ([], APPLE_CHIP, "darwin", "Apple", "pip install 'live-nst[onnxruntime]'"),
    ],
)
def test_what_is_missing(nvidia: list[str], chip: Chip, system: str, words: str, hint: str) -> None:
    (finding,) = check(nvidia=nvidia, chips=(chip,), system=system)
    assert finding.severity is Severity.NOTE
    assert (finding.topic, words in finding.text) == (chip.kind, True)
    assert "no engine can use it" in finding.text
    assert hint in finding.hint


def test_a_chip_that_nothing_can_use() -> None:
    (finding,) = check(chips=(AMD_CHIP,))
    assert finding.hint == ""


def test_one_of_two_chips_is_missing() -> None:
    gpu, npu = check(devices=(IRIS,), chips=(INTEL_CHIP, NPU_CHIP))
    assert (gpu.topic, gpu.severity) == ("gpu", Severity.OK)
    assert (npu.topic, npu.severity) == ("npu", Severity.NOTE)


def test_without_openvino() -> None:
    problem = ("OpenVINO cannot be used here: no module.", "install it with: pip install openvino")
    check(problems={"openvino": problem, "onnxruntime": ("it is not installed", "")})


def test_drivers_that_crash() -> None:
    def broken() -> tuple[list[FoundDevice], dict[str, tuple[str, str]]]:
        raise DeviceError("a driver ends Python with SIGSEGV", "update it")

    _, note, gpu = check_engine(list, list, "linux", broken, list)
    assert (note.severity, note.hint) == (Severity.NOTE, "update it")
    assert "so the CPU is used" in gpu.text


def test_probe_devices_here() -> None:
    found, problems = probe_devices()
    assert [each.word for each in found if each.engine == "OpenVINO"][-1] == "cpu"
    assert "openvino" not in problems


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ends Python with SIGSEGV"),
        ("raise OSError('boom')", "OSError: boom"),
        ("print('[1]')", "exit code 0"),
        ("raise SystemExit(3)", "exit code 3"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_probe_devices_that_fails(program: str, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        probe_devices(python(program))


def test_probe_devices_that_never_answers() -> None:
    with pytest.raises(DeviceError, match=r"do not answer within 0\.2 s"):
        probe_devices(python("import time; time.sleep(60)"), 0.2)


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
