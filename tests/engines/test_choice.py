import subprocess
import sys

import pytest

from live_nst.engines import choice, openvino_devices
from live_nst.engines import onnxruntime_providers as providers
from live_nst.engines.choice import EngineChoice, choose_engine, engine_candidates
from live_nst.engines.kind import ComputeDevice
from live_nst.engines.onnxruntime import OnnxRuntimeEngine
from live_nst.engines.onnxruntime_providers import Provider
from live_nst.engines.openvino import OpenVINOEngine
from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.errors import DeviceError, UsageError
from live_nst.models.program import SplitModel
from live_nst.runtime import tensorflow as runtime
from live_nst.runtime.chips import Chip
from live_nst.types import Precision


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "gpu_names", list)
    monkeypatch.setattr(choice, "find_chips", list)
    processor_with(monkeypatch, "float32")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "gpu_names", lambda: ["GPU:0"])
    monkeypatch.setattr(runtime, "gpu_label", lambda handle: "NVIDIA T4")
    gpu_with(monkeypatch, "float32")


def openvino_with(monkeypatch: pytest.MonkeyPatch, *devices: ComputeDevice) -> None:
    monkeypatch.setattr(openvino_devices, "openvino_devices", lambda: devices)


def processor(*precisions: Precision) -> ComputeDevice:
    preferred: Precision = "bfloat16" if "bfloat16" in precisions else "float32"
    return ComputeDevice("cpu", "cpu", "CPU", precisions, preferred)


def processor_with(monkeypatch: pytest.MonkeyPatch, *precisions: Precision) -> None:
    openvino_with(monkeypatch, processor(*precisions))


def gpu_with(monkeypatch: pytest.MonkeyPatch, *precisions: str) -> None:
    monkeypatch.setattr(runtime, "gpu_precisions", lambda device: precisions)


def no_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise DeviceError("OpenVINO cannot be used here: no module.", "pip install openvino")

    monkeypatch.setattr(openvino_devices, "openvino_devices", fail)


def chosen(*words: str) -> tuple[str, str, str]:
    picked = choose_engine(*words)
    assert picked.reason
    return picked.engine, picked.device, picked.precision


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_cpu_uses_openvino_in_bfloat16_if_supported(
    monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    processor_with(monkeypatch, "float32", "bfloat16")
    assert chosen("auto", device) == ("openvino", "cpu", "bfloat16")
    processor_with(monkeypatch, "float32")
    assert chosen("auto", device) == ("openvino", "cpu", "float32")
    processor_with(monkeypatch, "float32", "float16")
    assert chosen("auto", device) == ("openvino", "cpu", "float32")


@pytest.mark.usefixtures("gpu")
def test_gpu_uses_tensorflow() -> None:
    assert chosen() == ("tensorflow", "gpu", "float32")
    assert chosen("tensorflow", "gpu") == ("tensorflow", "gpu", "float32")


@pytest.mark.usefixtures("gpu")
def test_gpu_uses_float16_if_it_has_matrix_units(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpu_with(monkeypatch, "float32", "float16")
    assert chosen() == ("tensorflow", "gpu", "float16")
    assert chosen("auto", "gpu", "float32") == ("tensorflow", "gpu", "float32")
    with pytest.raises(DeviceError, match="GPU does not support bfloat16") as caught:
        choose_engine(precision="bfloat16")
    assert caught.value.hint == "use auto, float32 or float16"
    gpu_with(monkeypatch, "float32", "float16", "bfloat16")
    assert chosen("tensorflow", "auto", "bfloat16") == ("tensorflow", "gpu", "bfloat16")


@pytest.mark.usefixtures("gpu")
def test_openvino_on_a_machine_with_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    processor_with(monkeypatch, "float32")
    assert chosen("openvino") == ("openvino", "cpu", "float32")


def test_explicit_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    processor_with(monkeypatch, "float32", "bfloat16")
    assert chosen("openvino", "cpu", "float32") == ("openvino", "cpu", "float32")
    assert chosen("auto", "auto", "float32") == ("openvino", "cpu", "float32")
    assert chosen("tensorflow", "cpu") == ("tensorflow", "cpu", "float32")
    assert chosen("tensorflow", "auto", "float32") == ("tensorflow", "cpu", "float32")


def test_without_openvino(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    no_openvino(monkeypatch)
    assert chosen() == ("tensorflow", "cpu", "float32")
    assert "OpenVINO is not installed" in choose_engine().reason
    with pytest.raises(DeviceError, match="cannot be used here"):
        choose_engine("openvino")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_precision_that_the_processor_lacks(
    monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    processor_with(monkeypatch, "float32")
    with pytest.raises(DeviceError, match=f"does not support {precision}") as caught:
        choose_engine("openvino", "cpu", precision)
    assert "float32" in caught.value.hint


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("onnx",), "Invalid engine 'onnx'"),
        (("auto", "tpu"), "Invalid device 'tpu'"),
        (("auto", "auto", "int8"), "Invalid precision 'int8'"),
        (("tensorflow", "npu"), "no NPU"),
        (("tensorflow", "cpu", "float16"), "does not support float16"),
    ],
)
def test_invalid_choice(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        choose_engine(*words)
    assert caught.value.hint


# Intel's GPUs and NPU

IRIS = ComputeDevice("gpu", "Intel Iris Xe Graphics", "GPU.0", ("float32", "float16"), "float16")
ARC = ComputeDevice("gpu:1", "Intel Arc A770", "GPU.1", ("float32", "float16"), "float16")
NPU = ComputeDevice("npu", "Intel AI Boost", "NPU", ("float16",), "float16")
CPU = processor("float32")


def all_chosen(*words: str) -> list[tuple[str, str, str]]:
    return [(c.engine, c.device, c.precision) for c in engine_candidates(*words)]


def test_intel_devices_are_candidates_beside_the_processor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    openvino_with(monkeypatch, IRIS, ARC, NPU, CPU)
    expected = [
        ("openvino", "gpu", "float16"),
        ("openvino", "gpu:1", "float16"),
        ("openvino", "npu", "float16"),
        ("openvino", "cpu", "float32"),
    ]
    assert all_chosen() == all_chosen("openvino") == expected
    assert all_chosen("auto", "auto", "float32") == [
        ("openvino", "gpu", "float32"),
        ("openvino", "gpu:1", "float32"),
        ("openvino", "cpu", "float32"),
    ]
    assert all_chosen("tensorflow") == [("tensorflow", "cpu", "float32")]
    with pytest.raises(DeviceError, match="GPU does not support bfloat16"):
        engine_candidates("auto", "auto", "bfloat16")


@pytest.mark.parametrize("word", ["gpu", "gpu:0", "gpu:1", "npu", "cpu"])
def test_a_device_that_was_asked_for_is_the_only_candidate(
    monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    openvino_with(monkeypatch, IRIS, ARC, NPU, CPU)
    (only,) = engine_candidates("auto", word)
    assert only.device == ("gpu" if word == "gpu:0" else word)
    assert only.engine == "openvino"


@pytest.mark.usefixtures("gpu")
def test_tensorflow_takes_the_gpu_if_both_could(monkeypatch: pytest.MonkeyPatch) -> None:
    openvino_with(monkeypatch, IRIS, CPU)
    picked = choose_engine("auto", "gpu")
    assert (picked.engine, picked.device, picked.label) == ("tensorflow", "gpu", "NVIDIA T4")
    assert "TensorFlow can use NVIDIA T4" in picked.reason
    assert "OpenVINO can use Intel Iris Xe Graphics: --engine openvino" in picked.reason
    assert chosen("openvino", "gpu") == ("openvino", "gpu", "float16")
    assert [each[:2] for each in all_chosen()] == [
        ("tensorflow", "gpu"),
        ("openvino", "gpu"),
        ("openvino", "cpu"),
    ]


@pytest.mark.usefixtures("gpu")
def test_second_gpu_of_the_other_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    openvino_with(monkeypatch, IRIS, ARC, CPU)
    assert chosen("auto", "gpu:1") == ("openvino", "gpu:1", "float16")
    with pytest.raises(DeviceError, match="finds only one GPU"):
        choose_engine("tensorflow", "gpu:1")


def test_missing_gpu_is_an_error_that_names_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match="no GPU that an engine can use") as caught:
        choose_engine("auto", "gpu")
    assert caught.value.hint == "use --device cpu"
    chips = [Chip("gpu", "Intel", "Intel graphics (PCI 8086:9a49)", "i915")]
    monkeypatch.setattr(choice, "find_chips", lambda: chips)
    monkeypatch.setattr(choice, "advise", lambda chip: "install the driver")
    with pytest.raises(DeviceError, match=r"8086:9a49\) cannot be used") as caught:
        choose_engine("auto", "gpu")
    assert caught.value.hint == "install the driver; use --device cpu"
    with pytest.raises(DeviceError, match="no NPU"):
        choose_engine("auto", "npu")


def test_gpu_without_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    no_openvino(monkeypatch)
    with pytest.raises(DeviceError, match="no GPU"):
        choose_engine("auto", "gpu")
    with pytest.raises(DeviceError, match="cannot be used here"):
        choose_engine("openvino", "gpu")


def test_make_on_a_device_that_has_gone(
    monkeypatch: pytest.MonkeyPatch, mobile_programs: SplitModel
) -> None:
    openvino_with(monkeypatch, IRIS, CPU)
    picked = choose_engine("openvino", "gpu")
    processor_with(monkeypatch, "float32")
    with pytest.raises(DeviceError, match="OpenVINO finds no Intel GPU"):
        picked.make(mobile_programs)


def onnxruntime_with(monkeypatch: pytest.MonkeyPatch, provider: Provider, gpus: int) -> None:
    monkeypatch.setattr(providers, "pick_provider", lambda device: provider)
    monkeypatch.setattr(providers, "count_gpus", lambda provider: gpus)
    monkeypatch.setattr(providers, "device_name", lambda provider: f"GPU {provider.index}")


def test_onnxruntime_is_never_chosen_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    onnxruntime_with(monkeypatch, Provider("DmlExecutionProvider"), 2)
    assert chosen()[0] != "onnxruntime"
    with pytest.raises(DeviceError, match="no GPU that an engine can use"):
        choose_engine("auto", "gpu")
    assert chosen("onnxruntime", "gpu:1") == ("onnxruntime", "gpu:1", "float16")
    assert chosen("onnxruntime", "gpu", "float32") == ("onnxruntime", "gpu", "float32")
    assert [each.device for each in engine_candidates("onnxruntime")] == ["gpu", "gpu:1", "cpu"]
    with pytest.raises(DeviceError, match="no GPU with the name gpu:2"):
        choose_engine("onnxruntime", "gpu:2")


def test_onnxruntime_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    onnxruntime_with(monkeypatch, Provider(), 0)
    assert chosen("onnxruntime") == ("onnxruntime", "cpu", "float32")
    assert "finds no GPU" in choose_engine("onnxruntime").reason
    with pytest.raises(UsageError, match="does not support float16 on a CPU"):
        choose_engine("onnxruntime", "cpu", "float16")


@pytest.mark.parametrize(("word", "error"), [("npu", UsageError), ("gpu", DeviceError)])
def test_onnxruntime_on_a_device_that_is_not_there(word: str, error: type[Exception]) -> None:
    with pytest.raises(error):  # the installed one is for processors alone
        choose_engine("onnxruntime", word)


def test_make(mobile_programs: SplitModel) -> None:
    made = EngineChoice("openvino", "cpu", "float32", "").make(mobile_programs)
    assert isinstance(made, OpenVINOEngine)
    made = EngineChoice("onnxruntime", "cpu", "float32", "").make(mobile_programs)
    assert isinstance(made, OnnxRuntimeEngine)
    made = EngineChoice("tensorflow", "cpu", "float32", "").make(mobile_programs)
    assert isinstance(made, TensorFlowEngine)
    assert made.precision == "float32"
    made = EngineChoice("tensorflow", "cpu", "float16", "").make(mobile_programs)
    assert made.precision == "float16"


# In a program of its own: this one has imported everything.


def test_openvino_imports_no_tensorflow_and_no_telemetry(tmp_path: object) -> None:
    program = """
import sys
import numpy as np
from live_nst import Stylizer
with Stylizer("mobile", ["starry"], size=64, engine="openvino") as stylizer:
    assert stylizer(np.zeros((48, 64, 3), np.uint8)).shape == (48, 64, 3)
print(*sorted(name for name in sys.modules
              if name in ("tensorflow", "tensorflow_hub", "keras", "openvino_telemetry")))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path), "LIVE_NST_CACHE": f"{tmp_path}/cache"},
    )
    assert (done.stdout, done.stderr) == ("\n", "")
