from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from live_nst.engines import tiled
from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.engines.tiled import TiledEngine
from live_nst.errors import ModelError
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.split import split_model
from live_nst.models.graph.tile_stages import split_into_stages
from live_nst.models.program import SplitModel
from live_nst.sources.demo_video import DemoVideo
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import center_crop, read_style_image
from tests.models import tiny_models as modules


@pytest.fixture(scope="module")
def engine(mobile_programs: SplitModel) -> TiledEngine:
    return TiledEngine(mobile_programs, "cpu")


@pytest.fixture(scope="module")
def style(engine: TiledEngine) -> Any:
    picture = center_crop(read_style_image(builtin_image_path("starry")), engine.style_size)
    return engine.expand(engine.encode(picture))


def scene(width: int, height: int) -> Any:
    return DemoVideo(width, height).image_at(1.0)


def assert_same(painted: Any, whole: Any) -> None:
    """Equal but for rounding: what lies near the middle of two levels may fall on either side."""
    off = np.abs(painted.astype(int) - whole)
    assert off.max() <= 1
    assert (off > 0).mean() < 0.02


@pytest.mark.parametrize(
    ("size", "tile"),
    [((192, 128), 64), ((100, 232), 36), ((128, 96), 4000), ((400, 16), 48), ((32, 32), 4)],
)
def test_tiles_are_the_whole(
    engine: TiledEngine, mobile_engine: TensorFlowEngine, style: Any, size: Any, tile: int
) -> None:
    image = scene(*size)
    whole = mobile_engine.compile(size, size)(image, style).stylized
    content, painted = engine.compile(size, size, tile)(image, style)
    assert whole.std() > 20
    assert_same(painted, whole)
    np.testing.assert_array_equal(content, image)


def test_without_the_statistics_of_the_whole_there_would_be_seams(
    engine: TiledEngine, mobile_engine: TensorFlowEngine, style: Any
) -> None:
    """What the test above would see of an engine that paints tiles on their own."""
    image = scene(192, 128)
    whole = mobile_engine.compile((192, 128), (192, 128))(image, style).stylized
    alone = mobile_engine.compile((96, 128), (96, 128))(np.ascontiguousarray(image[:, :96]), style)
    off = np.abs(alone.stylized[:, :32].astype(int) - whole[:, :32])  # far from the cut
    assert off.max() > 20


def test_what_is_carried_may_lie_in_files(
    engine: TiledEngine, style: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = scene(192, 128)
    painted = engine.compile((192, 128), (192, 128), 64)(image, style).stylized
    asked: list[bool] = []
    room = tiled.room

    def noting(shape: Any, *, on_disk: bool) -> Any:
        asked.append(on_disk)
        return room(shape, on_disk=on_disk)

    monkeypatch.setattr(tiled, "room", noting)
    monkeypatch.setattr(tiled, "MEMORY_SHARE", 0.0)
    again = engine.compile((192, 128), (192, 128), 64)(image, style).stylized
    assert asked and all(asked)
    np.testing.assert_array_equal(painted, again)


def test_memory_follows_from_the_model(engine: TiledEngine) -> None:
    # Before the last convolution 8 channels at full size, made of 16 at half; after it 8 and 3.
    assert engine.carried_bytes((1000, 1000)) == 4 * 1000 * 1000 * max(8 + 16 // 4, 8 + 3)


def test_another_size_than_the_cameras(engine: TiledEngine, style: Any) -> None:
    content, painted = engine.compile((333, 217), (160, 104))(scene(333, 217), style)
    assert content.shape == painted.shape == (104, 160, 3)


def test_sides_that_do_not_fit_are_refused(engine: TiledEngine) -> None:
    with pytest.raises(ModelError, match="multiples of 4"):
        engine.compile((101, 64), (101, 64))


def test_several_threads(engine: TiledEngine, style: Any) -> None:
    images = [scene(96, 64), scene(64, 96)[:, ::-1].copy(), scene(96, 64)[::-1].copy()]

    def paint(image: Any) -> Any:
        size = (image.shape[1], image.shape[0])
        return engine.compile(size, size, 32)(image, style).stylized

    expected = [paint(image) for image in images]
    with ThreadPoolExecutor(3) as pool:
        for one, other in zip(expected, pool.map(paint, images), strict=True):
            np.testing.assert_array_equal(one, other)


def built(paint: modules.Paint, folder: Path) -> SplitModel:
    return split_model(freeze_saved_model(modules.save(paint, folder / "module")))


def by_squares(content: Any, style: Any) -> Any:
    """The variance as the mean of squares less the square of the mean."""
    code = tf.reduce_mean(modules.features(style), [1, 2], keepdims=True)
    x = tf.nn.conv2d(content, modules._IN_KERNEL, 2, "SAME")
    mean, squares = (tf.reduce_mean(each, [1, 2], keepdims=True) for each in (x, x * x))
    x = (x - mean) * tf.math.rsqrt(squares - mean * mean + 1e-5) * (code @ modules._TO_GAMMA)
    size = 2 * tf.shape(x)[1:3]
    x = tf.compat.v1.image.resize_nearest_neighbor(tf.nn.relu(x), size)
    return tf.sigmoid(tf.nn.conv2d(x, modules._OUT_KERNEL, 1, "SAME"))


def nested(content: Any, style: Any) -> Any:
    """Statistics of the frame itself, the second one not of what the first one is of."""
    mean = tf.reduce_mean(content, [1, 2], keepdims=True)
    spread = tf.reduce_mean(tf.square(tf.nn.relu(content - mean)), [1, 2], keepdims=True)
    return modules.plain((content - mean) / tf.sqrt(spread + 0.1), style)


@pytest.mark.parametrize("paint", [modules.plain, modules.two_paths, by_squares, nested])
def test_other_models(paint: modules.Paint, tmp_path: Path) -> None:
    model = built(paint, tmp_path)
    one, other = TensorFlowEngine(model, "cpu"), TiledEngine(model, "cpu")
    tensors = one.expand(np.linspace(-1, 1, one.bottleneck_size, dtype=np.float32))
    image = scene(120, 80)
    whole = one.compile((120, 80), (120, 80))(image, tensors).stylized
    assert whole.std() > 2
    assert_same(other.compile((120, 80), (120, 80), 32)(image, tensors).stylized, whole)


@pytest.mark.slow
def test_the_hub_module(hub_folder: Path) -> None:
    """Painting the trial picture is part of making the engine: it raises if anything differs."""
    model = split_model(freeze_saved_model(hub_folder))
    assert (
        len(split_into_stages(model.frame).stages) == 1 + 2 * 20 + 3
    )  # residual blocks, and the way up
    assert TiledEngine(model, "cpu").name.endswith("in tiles")


def stretched(content: Any, style: Any) -> Any:
    """Brightness follows the height of the picture, which a tile takes to be its own."""
    height = tf.cast(tf.shape(content)[1], tf.float32)
    return modules.plain(content * (50.0 / height), style)


def test_a_model_that_paints_tiles_otherwise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="otherwise than as a whole"):
        TiledEngine(built(stretched, tmp_path), "cpu")
