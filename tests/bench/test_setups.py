import numpy as np
import pytest

from live_nst.bench import setups as module
from live_nst.bench.report import EngineSetup
from live_nst.bench.setups import StylizerSetups
from live_nst.engines.openvino import native_precisions
from live_nst.errors import DeviceError


@pytest.fixture
def workshop() -> StylizerSetups:
    return StylizerSetups("mobile", "cpu")


def test_what_runs_here(workshop: StylizerSetups) -> None:
    assert (workshop.model, workshop.device) == ("mobile", "cpu")
    expected = {EngineSetup("openvino", precision) for precision in native_precisions()}
    assert set(workshop.setups) == expected | {EngineSetup("tensorflow", "float32")}
    assert workshop.setups[0] == workshop.default
    assert workshop.setups[-1] == EngineSetup("tensorflow", "float32")
    assert workshop.default.engine == "openvino"


def test_without_openvino_tensorflow_is_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from live_nst.engines import choice

    def broken() -> None:
        raise DeviceError("OpenVINO cannot be used here")

    monkeypatch.setattr(choice, "native_precisions", broken)
    workshop = StylizerSetups("mobile", "cpu")
    assert workshop.setups == [EngineSetup("tensorflow", "float32")]
    called = []
    monkeypatch.setattr(module, "tensorflow_products", lambda *wanted: called.append(wanted) or {})
    workshop.products("float32", ((8, 8, 8),))
    assert called == [("CPU:0", "float32", ((8, 8, 8),))]


def test_a_painter_paints_as_it_was_asked(workshop: StylizerSetups) -> None:
    frame = np.zeros((72, 128, 3), np.uint8)
    with workshop.painter(EngineSetup("openvino", "float32"), (128, 72), 64) as painter:
        assert painter(frame).shape == frame.shape
        assert painter.engine.startswith("openvino")
        assert painter.precision == "float32"
        assert painter.is_compiled((128, 72), 64)
    assert workshop.network((128, 72), 64) == (64, 36)
    (product,) = workshop.products("float32", ((8, 8, 8),)).values()
    product()
