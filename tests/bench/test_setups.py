from pathlib import Path

import numpy as np
import pytest

from live_nst.bench import setups as module
from live_nst.bench.report import EngineSetup
from live_nst.bench.setups import StylizerSetups
from live_nst.engines import measuring
from live_nst.engines.openvino_devices import cpu_device
from live_nst.errors import DeviceError
from tests.engines.fake_openvino import FakeCore, gpu, npu, replaced_core


@pytest.fixture
def setups() -> StylizerSetups:
    return StylizerSetups("mobile", "cpu")


def test_available(setups: StylizerSetups) -> None:
    assert (setups.model, setups.device) == ("mobile", "cpu")
    expected = {EngineSetup("openvino", precision) for precision in cpu_device().precisions}
    others = [EngineSetup(engine, "float32") for engine in ("tensorflow", "onnxruntime")]
    assert set(setups.available()) == expected | set(others)
    assert setups.available()[0] == setups.default
    assert setups.available()[-2:] == others
    assert setups.default.engine == "openvino"


def test_available_without_openvino_and_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    from live_nst.engines import onnxruntime_providers, openvino_devices

    def broken() -> None:
        raise DeviceError("OpenVINO cannot be used here")

    monkeypatch.setattr(openvino_devices, "openvino_devices", broken)
    monkeypatch.setattr(onnxruntime_providers, "pick_provider", lambda device: broken())
    setups = StylizerSetups("mobile", "cpu")
    assert setups.available() == [EngineSetup("tensorflow", "float32")]
    called = []
    monkeypatch.setattr(module, "tensorflow_matmuls", lambda *wanted: called.append(wanted) or {})
    setups.matmuls("float32", ((8, 8, 8),))
    assert called == [("CPU:0", "float32", ((8, 8, 8),))]


def test_open_stylizer(setups: StylizerSetups) -> None:
    frame = np.zeros((72, 128, 3), np.uint8)
    with setups.open_stylizer(EngineSetup("openvino", "float32"), (128, 72), 64) as stylizer:
        assert stylizer(frame).shape == frame.shape
        assert stylizer.engine.startswith("openvino")
        assert stylizer.precision == "float32"
        assert stylizer.is_compiled((128, 72), 64)
    assert setups.network_size((128, 72), 64) == (64, 36)
    (matmul,) = setups.matmuls("float32", ((8, 8, 8),)).values()
    matmul()


def test_every_device_is_measured(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    speeds = {"gpu": 90.0, "gpu:1": 50.0, "npu": 40.0, "cpu": 30.0}
    monkeypatch.setattr("live_nst.runtime.tensorflow.gpu_names", list)
    monkeypatch.setattr(
        measuring, "measure_in_child", lambda choice, *rest: measuring.Speed(speeds[choice.device])
    )
    arc = gpu("Intel(R) Arc(TM) A770 Graphics (dGPU)")
    with replaced_core(monkeypatch) as use:
        use(FakeCore(GPU_0=gpu(), GPU_1=arc, NPU=npu()))
        setups = StylizerSetups("mobile", "auto")
        assert setups.default == EngineSetup("openvino", "float16", "gpu")
        assert setups.device == "Intel Iris Xe Graphics"
        found = setups.available()
        assert found[0] == setups.default
        assert {setup.device for setup in found} == {"gpu", "gpu:1", "npu", "cpu"}
        assert EngineSetup("openvino", "float32", "gpu:1") in found
        with setups.open_stylizer(found[-1], (128, 72), 64) as stylizer:
            assert stylizer.device == "cpu"
        only = StylizerSetups("mobile", "npu").available()
        assert only == [EngineSetup("openvino", "float16", "npu")]
        assert setups.matmuls("float32", ((8, 8, 8),)) == {}  # in truth there is no GPU
