from pathlib import Path

import numpy as np
import pytest

from live_nst.engines import openvino as engine
from live_nst.engines.openvino import OpenVINOEngine
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.split import split_model
from live_nst.models.program import SplitModel
from tests.models import tiny_models as modules


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SplitModel:
    return split_model(
        freeze_saved_model(modules.save(modules.plain, tmp_path_factory.mktemp("small") / "module"))
    )


def painted(model: SplitModel, width: int = 48) -> np.ndarray:
    own = OpenVINOEngine(model)
    image = np.random.default_rng(1).integers(0, 256, (32, width, 3), np.uint8)
    style = own.expand(np.ones(modules.CODE, np.float32))
    return own.compile((width, 32), (width, 32))(image, style).stylized


def test_what_was_compiled_is_kept_and_gives_the_same(model: SplitModel, own_cache: Path) -> None:
    first = painted(model)
    kept = list((own_cache / "compiled").iterdir())
    assert kept
    np.testing.assert_array_equal(painted(model), first)
    assert list((own_cache / "compiled").iterdir()) == kept


def test_what_is_damaged_is_compiled_again(model: SplitModel, own_cache: Path) -> None:
    first = painted(model)
    for path in (own_cache / "compiled").iterdir():
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    np.testing.assert_array_equal(painted(model), first)


def test_only_the_newest_are_kept(
    model: SplitModel, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_KEPT_COMPILED", 3)
    for width in range(32, 64, 4):
        painted(model, width)
    assert len(list((own_cache / "compiled").iterdir())) <= 5


def test_without_a_cache_it_is_compiled_each_time(
    model: SplitModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIVE_NST_CACHE", str(tmp_path / "file"))
    assert painted(model).shape == (32, 48, 3)


def test_one_size_is_compiled_once_for_all_cameras(model: SplitModel) -> None:
    own = OpenVINOEngine(model)
    one, other = own.compile((96, 64), (48, 32)), own.compile((192, 128), (48, 32))
    assert one is not other
    assert len(own._networks) == 1
    del one, other
    assert len(own._networks) == 0
