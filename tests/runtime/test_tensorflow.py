import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from live_nst.errors import DeviceError, UsageError
from live_nst.runtime import tensorflow as runtime
from live_nst.runtime.tensorflow import gpu_names, gpu_precisions, pick_device


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "gpu_names", list)


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "gpu_names", lambda: ["GPU:0", "GPU:1"])


@pytest.mark.usefixtures("no_gpu")
def test_pick_device_gpu_without_gpu() -> None:
    with pytest.raises(DeviceError, match="no GPU") as caught:
        pick_device("gpu")
    assert "live-nst[gpu]" in caught.value.hint
    assert "--device cpu" in caught.value.hint


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("wanted", ["auto", "cpu"])
def test_pick_device_without_gpu(wanted: str) -> None:
    assert pick_device(wanted) == "CPU:0"


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("wanted", "device"), [("auto", "GPU:0"), ("gpu", "GPU:0"), ("cpu", "CPU:0")]
)
def test_pick_device_with_gpus(wanted: str, device: str) -> None:
    assert pick_device(wanted) == device


@pytest.mark.parametrize(
    ("details", "precisions"),
    [
        ({"compute_capability": (6, 1)}, ("float32",)),
        ({"compute_capability": (7, 5)}, ("float32", "float16")),
        ({"compute_capability": (8, 0)}, ("float32", "float16", "bfloat16")),
        ({"compute_capability": (12, 0)}, ("float32", "float16", "bfloat16")),
        ({}, ("float32",)),
    ],
)
def test_gpu_precisions(
    monkeypatch: pytest.MonkeyPatch, details: dict[str, object], precisions: tuple[str, ...]
) -> None:
    config = runtime.import_tensorflow().config
    first, second = (SimpleNamespace(name=f"/physical_device:GPU:{n}") for n in range(2))
    known = {first.name: {}, second.name: details}
    monkeypatch.setattr(config, "list_physical_devices", lambda kind: [first, second])
    monkeypatch.setattr(config.experimental, "get_device_details", lambda gpu: known[gpu.name])
    assert gpu_precisions("GPU:1") == precisions
    assert gpu_precisions("GPU:0") == ("float32",)


def test_pick_device_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "gpu_names", lambda: ["GPU:0", "GPU:1"])
    assert [pick_device(word) for word in ("gpu:0", "gpu:1")] == ["GPU:0", "GPU:1"]
    with pytest.raises(DeviceError, match="only 2 GPUs"):
        pick_device("gpu:2")
    monkeypatch.setattr(runtime, "gpu_names", lambda: ["GPU:0"])
    with pytest.raises(DeviceError, match="only one GPU"):
        pick_device("gpu:1")


def test_pick_device_npu() -> None:
    with pytest.raises(UsageError, match="no NPU"):
        pick_device("npu")


@pytest.mark.parametrize("wanted", ["cuda", "GPU", "", "tpu"])
def test_pick_device_invalid(wanted: str) -> None:
    with pytest.raises(UsageError, match="Invalid device") as caught:
        pick_device(wanted)
    assert "auto, cpu, gpu" in caught.value.hint


def test_gpu_names() -> None:
    assert gpu_names() == [f"GPU:{index}" for index in range(len(gpu_names()))]


# Each of these starts TensorFlow in a program of its own, as its messages come but once.


def tensorflow_in_a_child(**environment: str) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; from live_nst.runtime.tensorflow import import_tensorflow;"
        "import_tensorflow(); print('seen', file=sys.stderr)"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        env=_without_tensorflow_settings() | environment,
        capture_output=True,
        text=True,
        check=True,
    )


def _without_tensorflow_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TF_")}


def test_import_tensorflow_writes_nothing() -> None:
    assert tensorflow_in_a_child().stderr == "seen\n"


def test_quiet_stderr_restores_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), runtime.quiet_stderr():
        os.write(2, b"native chatter\n")
        raise ZeroDivisionError
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_quiet_stderr_when_debugging(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(runtime.DEBUG_VARIABLE, "1")
    with runtime.quiet_stderr():
        os.write(2, b"native chatter\n")
    assert capfd.readouterr().err == "native chatter\n"
