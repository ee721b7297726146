import numpy as np
import pytest

from live_nst.bench import setups as module
from live_nst.bench.report import EngineSetup
from live_nst.bench.setups import StylizerSetups
from live_nst.engines.openvino import native_precisions
from live_nst.errors import DeviceError


@pytest.fixture
def setups() -> StylizerSetups:
    return StylizerSetups("mobile", "cpu")


def test_available(setups: StylizerSetups) -> None:
    assert (setups.model, setups.device) == ("mobile", "cpu")
    expected = {EngineSetup("openvino", precision) for precision in native_precisions()}
    others = [EngineSetup(engine, "float32") for engine in ("tensorflow", "onnxruntime")]
    assert set(setups.available()) == expected | set(others)
    assert setups.available()[0] == setups.default
    assert setups.available()[-2:] == others
    assert setups.default.engine == "openvino"


def test_available_without_openvino_and_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    from live_nst.engines import choice

    def broken() -> None:
        raise DeviceError("OpenVINO cannot be used here")

    monkeypatch.setattr(choice, "native_precisions", broken)
    monkeypatch.setattr(choice, "pick_provider", lambda device: broken())
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
