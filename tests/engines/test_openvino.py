from pathlib import Path

from live_nst.engines.openvino import OpenVINOEngine
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.split import split_model
from tests.models import tiny_models as modules


def test_cameras_share_the_network_of_one_size(tmp_path: Path) -> None:
    folder = modules.save(modules.plain, tmp_path / "module")
    own = OpenVINOEngine(split_model(freeze_saved_model(folder)))
    one, other = own.compile((96, 64), (48, 32)), own.compile((192, 128), (48, 32))
    assert one is not other
    assert len(own._networks) == 1
    del one, other
    assert len(own._networks) == 0
