from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.engines.base import Bottleneck
from live_nst.errors import StyleError
from live_nst.styles.bottlenecks import BottleneckCache, BottleneckStore
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import read_style_image
from live_nst.styles.spec import StylePart, StyleSpec, parse_style
from live_nst.types import Image


class FakeEngine:
    """Its bottleneck is the mean of every row and color; counts how often it is asked."""

    name = "fake"
    device = "cpu"
    style_size = (16, 16)
    bottleneck_size = 48

    def __init__(self) -> None:
        self.pictures: list[Image] = []

    def encode(self, picture: Image) -> Bottleneck:
        self.pictures.append(picture)
        return picture.mean(axis=1, dtype=np.float32).ravel()

    def expand(self, bottleneck: Bottleneck) -> Any:
        raise AssertionError("nothing is painted here")

    compile = close = expand


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def store(engine: FakeEngine, tmp_path: Path) -> BottleneckStore:
    return BottleneckStore(engine, BottleneckCache(tmp_path / "cache", "f" * 64))


def test_of_spec_computes_once(store: BottleneckStore, engine: FakeEngine) -> None:
    first = store.of_spec(parse_style("starry"))
    again = store.of_spec(parse_style("starry"))

    np.testing.assert_array_equal(first, again)
    assert store.computations == len(engine.pictures) == 1
    assert engine.pictures[0].shape == (16, 16, 3)


def test_of_spec_computes_each_stroke_once(store: BottleneckStore, engine: FakeEngine) -> None:
    spec = parse_style("starry")
    fine, plain, broad = (store.of_spec(spec, stroke) for stroke in (0.5, 1.0, 2.0))

    assert store.computations == len(engine.pictures) == 1 + 1 + 4
    views = np.stack([engine.encode(view) for view in engine.pictures[2:6]])
    np.testing.assert_allclose(broad, views.mean(axis=0), rtol=1e-6)
    for stroke, bottleneck in ((0.5, fine), (1.0, plain), (2.0, broad)):
        np.testing.assert_array_equal(store.of_spec(spec, stroke), bottleneck)
    assert store.computations == 6


def test_second_store_reads_the_cache(
    store: BottleneckStore, engine: FakeEngine, tmp_path: Path
) -> None:
    spec = parse_style("starry:1+wave:3")
    first = store.of_spec(spec)
    assert store.computations == 2

    second = BottleneckStore(engine, BottleneckCache(tmp_path / "cache", "f" * 64))

    np.testing.assert_array_equal(second.of_spec(spec), first)
    assert second.computations == 0
    assert len(engine.pictures) == 2


def test_other_model_computes_its_own(store: BottleneckStore, tmp_path: Path) -> None:
    store.of_spec(parse_style("starry"))

    other = BottleneckStore(FakeEngine(), BottleneckCache(tmp_path / "cache", "e" * 64))
    other.of_spec(parse_style("starry"))

    assert other.computations == 1


def test_same_image_under_another_name_is_not_computed(
    store: BottleneckStore, tmp_path: Path
) -> None:
    copy = tmp_path / "mine.jpg"
    copy.write_bytes(builtin_image_path("starry").read_bytes())

    first = store.of_spec(parse_style("starry"))
    np.testing.assert_array_equal(store.of_spec(parse_style(str(copy))), first)
    np.testing.assert_array_equal(store.of_image(read_style_image(copy)), first)
    assert store.computations == 1


@pytest.mark.parametrize("damage", [b"", b"text", bytes(320)])
def test_damaged_cache_is_replaced(
    store: BottleneckStore, engine: FakeEngine, tmp_path: Path, damage: bytes
) -> None:
    expected = store.of_spec(parse_style("starry"))
    (kept,) = (path for path in (tmp_path / "cache").rglob("*") if path.is_file())
    kept.write_bytes(damage)

    for computations in (1, 0):
        again = BottleneckStore(engine, BottleneckCache(tmp_path / "cache", "f" * 64))
        np.testing.assert_array_equal(again.of_spec(parse_style("starry")), expected)
        assert again.computations == computations


def test_unwritable_cache_is_ignored(engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "cache").touch()

    for _ in range(2):
        store = BottleneckStore(engine, BottleneckCache(tmp_path / "cache", "f" * 64))
        assert store.of_spec(parse_style("starry")).shape == (48,)
        assert store.computations == 1


def test_mix_with_weights_1_and_0_is_the_style(store: BottleneckStore) -> None:
    starry, wave = (store.of_spec(parse_style(name)) for name in ("starry", "wave"))

    np.testing.assert_array_equal(store.of_spec(parse_style("starry:1+wave:0")), starry)
    np.testing.assert_array_equal(store.of_spec(parse_style("starry:0+wave:9")), wave)


def test_mix_of_halves_is_the_mean(store: BottleneckStore) -> None:
    starry, wave = (store.of_spec(parse_style(name)) for name in ("starry", "wave"))

    mixed = store.of_spec(parse_style("starry+wave"))

    assert mixed.dtype == np.float32
    np.testing.assert_allclose(mixed, (starry + wave) / 2, rtol=1e-6)


def test_mix_is_the_weighted_mean(store: BottleneckStore) -> None:
    parts = [store.of_spec(parse_style(name)) for name in ("starry", "wave", "ink")]

    mixed = store.of_spec(parse_style("starry:5+wave:2+ink:3"))

    np.testing.assert_allclose(mixed, np.average(parts, axis=0, weights=[5, 2, 3]), rtol=1e-5)


def test_mix_does_not_modify_its_parts(store: BottleneckStore) -> None:
    before = store.of_spec(parse_style("starry")).copy()
    store.of_spec(parse_style("starry:1+wave:1"))[:] = 0
    store.of_spec(parse_style("starry"))[:] = 0
    np.testing.assert_array_equal(store.of_spec(parse_style("starry")), before)


def test_unreadable_image_raises_and_changes_nothing(
    store: BottleneckStore, tmp_path: Path
) -> None:
    broken = tmp_path / "a.jpg"
    broken.write_text("text")
    with pytest.raises(StyleError):
        store.of_spec(parse_style(str(broken)))

    Pillow.new("RGB", (4, 4), (1, 2, 3)).save(broken, format="PNG")
    assert store.of_spec(parse_style(str(broken)))[:3] == pytest.approx([3, 2, 1])


def test_of_spec_from_many_threads_computes_once(store: BottleneckStore) -> None:
    spec = StyleSpec("mix", (StylePart(builtin_image_path("starry"), 1.0),))
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: store.of_spec(spec), range(16)))

    assert store.computations == 1
    for result in results:
        np.testing.assert_array_equal(result, results[0])
