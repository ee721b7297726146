import subprocess
import sys

import pytest

from live_nst.engines import choice
from live_nst.engines.choice import EngineChoice, choose_engine
from live_nst.engines.onnxruntime import OnnxRuntimeEngine
from live_nst.engines.onnxruntime_providers import Provider
from live_nst.engines.openvino import OpenVINOEngine
from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.errors import DeviceError, UsageError
from live_nst.models.program import SplitModel
from live_nst.runtime import tensorflow as runtime


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "gpu_names", list)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "gpu_names", lambda: ["GPU:0"])
    gpu_with(monkeypatch, "float32")


def processor_with(monkeypatch: pytest.MonkeyPatch, *precisions: str) -> None:
    monkeypatch.setattr(choice, "native_precisions", lambda: precisions)


def gpu_with(monkeypatch: pytest.MonkeyPatch, *precisions: str) -> None:
    monkeypatch.setattr(choice, "gpu_precisions", lambda device: precisions)


def no_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise DeviceError("OpenVINO cannot be used here: no module.", "pip install openvino")

    monkeypatch.setattr(choice, "native_precisions", fail)


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
        (("openvino", "gpu"), "on the CPU only"),
        (("tensorflow", "cpu", "float16"), "does not support float16"),
    ],
)
def test_invalid_choice(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        choose_engine(*words)
    assert caught.value.hint


def test_onnxruntime_is_never_chosen_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "pick_provider", lambda device: Provider("DmlExecutionProvider", 1))
    assert chosen()[0] != "onnxruntime"
    assert chosen("onnxruntime") == ("onnxruntime", "gpu:1", "float16")
    assert chosen("onnxruntime", "gpu", "float32") == ("onnxruntime", "gpu:1", "float32")
    monkeypatch.setattr(choice, "pick_provider", lambda device: Provider())
    assert chosen("onnxruntime") == ("onnxruntime", "cpu", "float32")
    assert "finds no GPU" in choose_engine("onnxruntime").reason
    with pytest.raises(UsageError, match="does not support float16 on a CPU"):
        choose_engine("onnxruntime", "cpu", "float16")


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
