from pathlib import Path

import numpy as np
import pytest

from live_nst.engines import openvino_compile
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


def stylized(model: SplitModel, width: int = 48) -> np.ndarray:
    own = OpenVINOEngine(model)
    image = np.random.default_rng(1).integers(0, 256, (32, width, 3), np.uint8)
    style = own.expand(np.ones(modules.CODE, np.float32))
    return own.compile((width, 32), (width, 32))(image, style).stylized


def test_compiled_programs_are_cached(model: SplitModel, own_cache: Path) -> None:
    first = stylized(model)
    kept = list((own_cache / "compiled").iterdir())
    assert kept
    np.testing.assert_array_equal(stylized(model), first)
    assert list((own_cache / "compiled").iterdir()) == kept


def test_damaged_cache(model: SplitModel, own_cache: Path) -> None:
    first = stylized(model)
    for path in (own_cache / "compiled").iterdir():
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    np.testing.assert_array_equal(stylized(model), first)


def test_cache_keeps_the_newest(
    model: SplitModel, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_compile, "MAX_CACHED", 3)
    for width in range(32, 64, 4):
        stylized(model, width)
    assert len(list((own_cache / "compiled").iterdir())) <= 5


def test_cache_that_cannot_be_written(
    model: SplitModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIVE_NST_CACHE", str(tmp_path / "file"))
    assert stylized(model).shape == (32, 48, 3)
