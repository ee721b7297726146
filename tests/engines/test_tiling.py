"""Images in tiles, for one engine. That tiles equal the whole on every engine: test_contract.py."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from live_nst.engines import tiling
from live_nst.engines.openvino import OpenVINOEngine
from live_nst.engines.tiling import RunningMoments, TiledNetwork, allocate
from live_nst.errors import ModelError
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.split import split_model
from live_nst.models.graph.tile_stages import split_into_stages
from live_nst.models.loading import load_model
from live_nst.models.program import SplitModel
from live_nst.sources.demo_video import DemoVideo
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import center_crop, read_style_image
from tests.models import tiny_models as modules


@pytest.fixture(scope="module")
def model() -> SplitModel:
    """The packaged model, with the stages that are stored with it."""
    return load_model("mobile", "cpu", notify=lambda line: None, progress=None).programs


@pytest.fixture(scope="module")
def engine(model: SplitModel) -> OpenVINOEngine:
    return OpenVINOEngine(model, "float32")


@pytest.fixture(scope="module")
def tiled(model: SplitModel, engine: OpenVINOEngine) -> TiledNetwork:
    return TiledNetwork(model, engine)


@pytest.fixture(scope="module")
def style(engine: OpenVINOEngine) -> Any:
    image = center_crop(read_style_image(builtin_image_path("starry")), engine.style_size)
    return engine.expand(engine.encode(image))


def scene(width: int, height: int) -> Any:
    return DemoVideo(width, height).image_at(1.0)


def assert_same(stylized: Any, whole: Any) -> None:
    """Equal except for rounding: what is nearly half way between two values may go either way."""
    off = np.abs(stylized.astype(int) - whole)
    assert off.max() <= 1
    assert (off > 0).mean() < 0.02


@pytest.mark.parametrize(
    ("size", "tile"),
    [((192, 128), 64), ((100, 232), 36), ((128, 96), 4000), ((400, 16), 48), ((32, 32), 4)],
)
def test_tiles_equal_whole_image(
    tiled: TiledNetwork, engine: OpenVINOEngine, style: Any, size: Any, tile: int
) -> None:
    image = scene(*size)
    whole = engine.compile(size, size)(image, style).stylized
    content, stylized = tiled.compile(size, size, tile)(image, style)
    assert whole.std() > 20
    assert_same(stylized, whole)
    np.testing.assert_array_equal(content, image)


def test_tiles_on_their_own_would_show_seams(engine: OpenVINOEngine, style: Any) -> None:
    """The test above would notice an engine that uses the statistics of each tile."""
    image = scene(192, 128)
    whole = engine.compile((192, 128), (192, 128))(image, style).stylized
    alone = engine.compile((96, 128), (96, 128))(np.ascontiguousarray(image[:, :96]), style)
    off = np.abs(alone.stylized[:, :32].astype(int) - whole[:, :32])  # far from the cut
    assert off.max() > 20


def test_feature_maps_on_disk(
    tiled: TiledNetwork, style: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = scene(192, 128)
    in_memory = tiled.compile((192, 128), (192, 128), 64)(image, style).stylized
    places: list[bool] = []

    def noting(shape: Any, *, on_disk: bool) -> Any:
        places.append(on_disk)
        return allocate(shape, on_disk=on_disk)

    monkeypatch.setattr(tiling, "allocate", noting)
    monkeypatch.setattr(tiling, "MEMORY_SHARE", 0.0)
    on_disk = tiled.compile((192, 128), (192, 128), 64)(image, style).stylized
    assert places and all(places)
    np.testing.assert_array_equal(on_disk, in_memory)


def test_buffer_bytes(tiled: TiledNetwork) -> None:
    # Before the last convolution: 8 channels at full size, made of 16 at half; after it 8 and 3.
    assert tiled.buffer_bytes((1000, 1000)) == 4 * 1000 * 1000 * max(8 + 16 // 4, 8 + 3)


def test_other_size_than_camera(tiled: TiledNetwork, style: Any) -> None:
    content, stylized = tiled.compile((333, 217), (160, 104))(scene(333, 217), style)
    assert content.shape == stylized.shape == (104, 160, 3)


def test_size_of_no_multiple(tiled: TiledNetwork, engine: OpenVINOEngine, style: Any) -> None:
    image = scene(101, 62)
    whole = engine.compile((101, 62), (101, 62))(image, style).stylized
    assert_same(tiled.compile((101, 62), (101, 62), 48)(image, style).stylized, whole)


@pytest.mark.parametrize("size", [(192, 128), (156, 100)])
def test_tiles_of_a_network_of_blocks(size: Any) -> None:
    # live works on blocks of 2x2 pixels.
    found = load_model("live", "cpu", notify=lambda line: None, progress=None).programs
    engine = OpenVINOEngine(found, "float32")
    picture = center_crop(read_style_image(builtin_image_path("ink")), engine.style_size)
    style = engine.expand(engine.encode(picture))
    image = scene(*size)
    whole = engine.compile(size, size)(image, style).stylized
    stylized = TiledNetwork(found, engine).compile(size, size, 64)(image, style).stylized
    assert whole.std() > 20
    assert_same(stylized, whole)


def test_several_threads(tiled: TiledNetwork, style: Any) -> None:
    images = [scene(96, 64), scene(64, 96)[:, ::-1].copy(), scene(96, 64)[::-1].copy()]

    def stylize(image: Any) -> Any:
        size = (image.shape[1], image.shape[0])
        return tiled.compile(size, size, 32)(image, style).stylized

    expected = [stylize(image) for image in images]
    with ThreadPoolExecutor(3) as pool:
        for one, other in zip(expected, pool.map(stylize, images), strict=True):
            np.testing.assert_array_equal(one, other)


def test_large_image_without_tensorflow(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "large.jpg"), scene(202, 131))
    program = """
import sys
from live_nst.cli.app import app
from live_nst.stylizer import still_network
still_network.MAX_UNTILED_PIXELS = 10_000
app(["convert", *sys.argv[1:]], standalone_mode=False)
print(*sorted(name for name in sys.modules if name in ("tensorflow", "tensorflow_hub", "keras")))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "large.jpg", tmp_path / "stylized.png"],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path), "LIVE_NST_CACHE": f"{tmp_path}/cache"},
    )
    assert "in tiles" in done.stderr
    assert done.stdout.strip() == ""
    assert cv2.imread(str(tmp_path / "stylized.png")).shape == (131, 202, 3)


def built(paint: modules.Paint, folder: Path) -> SplitModel:
    return split_model(freeze_saved_model(modules.save(paint, folder / "module")))


def by_squares(content: Any, style: Any) -> Any:
    """The variance as the mean of squares minus the square of the mean."""
    code = tf.reduce_mean(modules.features(style), [1, 2], keepdims=True)
    x = tf.nn.conv2d(content, modules._IN_KERNEL, 2, "SAME")
    mean, squares = (tf.reduce_mean(each, [1, 2], keepdims=True) for each in (x, x * x))
    x = (x - mean) * tf.math.rsqrt(squares - mean * mean + 1e-5) * (code @ modules._TO_GAMMA)
    size = 2 * tf.shape(x)[1:3]
    x = tf.compat.v1.image.resize_nearest_neighbor(tf.nn.relu(x), size)
    return tf.sigmoid(tf.nn.conv2d(x, modules._OUT_KERNEL, 1, "SAME"))


def nested(content: Any, style: Any) -> Any:
    """Statistics of the frame itself; the second is not of what the first one is of."""
    mean = tf.reduce_mean(content, [1, 2], keepdims=True)
    spread = tf.reduce_mean(tf.square(tf.nn.relu(content - mean)), [1, 2], keepdims=True)
    return modules.plain((content - mean) / tf.sqrt(spread + 0.1), style)


@pytest.mark.parametrize("paint", [modules.plain, modules.two_paths, by_squares, nested])
def test_other_models(paint: modules.Paint, tmp_path: Path) -> None:
    model = built(paint, tmp_path)
    engine = OpenVINOEngine(model, "float32")
    tensors = engine.expand(np.linspace(-1, 1, engine.bottleneck_size, dtype=np.float32))
    image = scene(120, 80)
    whole = engine.compile((120, 80), (120, 80))(image, tensors).stylized
    assert whole.std() > 2
    tiled = TiledNetwork(model, engine)
    assert_same(tiled.compile((120, 80), (120, 80), 32)(image, tensors).stylized, whole)


@pytest.mark.slow
def test_hub_model(hub_folder: Path) -> None:
    model = split_model(freeze_saved_model(hub_folder))
    # Residual blocks, and the way up.
    assert len(split_into_stages(model.frame).stages) == 1 + 2 * 20 + 3
    TiledNetwork(model, OpenVINOEngine(model, "float32"))  # raises if tiles differ from the whole


def stretched(content: Any, style: Any) -> Any:
    """The brightness depends on the height of the image; a tile would use its own."""
    height = tf.cast(tf.shape(content)[1], tf.float32)
    return modules.plain(content, style) * (20.0 / height)


def test_model_that_differs_in_tiles(tmp_path: Path) -> None:
    model = built(stretched, tmp_path)
    with pytest.raises(ModelError, match="differently than as a whole"):
        TiledNetwork(model, OpenVINOEngine(model, "float32"))


def test_model_that_cannot_be_cut(tmp_path: Path) -> None:
    model = built(modules.chosen_by_style, tmp_path)
    with pytest.raises(ModelError, match="the operation Roll"):
        TiledNetwork(model, OpenVINOEngine(model, "float32"))


# Statistics and memory


@settings(deadline=None)  # machines may be busy
@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=8),
    st.floats(-1e3, 1e3),
    st.sampled_from([1, 3, 600]),
)
def test_running_moments(counts: list[int], offset: float, channels: int) -> None:
    random = np.random.default_rng(sum(counts))
    parts = [random.normal(offset, 1, (count, 2, channels)).astype(np.float32) for count in counts]
    moments = RunningMoments()
    for part in parts:
        moments.add(part)
    whole = np.concatenate(parts).astype(np.float64)
    np.testing.assert_allclose(moments.mean, whole.mean((0, 1)), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(moments.variance, whole.var((0, 1)), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("on_disk", [False, True])
def test_allocate(on_disk: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling.tempfile, "tempdir", str(tmp_path))
    array = allocate((5, 7, 3), on_disk=on_disk)
    array[:] = 2.5
    assert array.shape == (5, 7, 3)
    assert array.dtype == np.float32
    assert float(array.sum()) == 2.5 * 105
    assert not list(tmp_path.iterdir())


def test_allocate_on_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tiling.os, "posix_fallocate", full, raising=False)
    with pytest.raises(ModelError, match=r"needs 4\.0 GB") as caught:
        allocate((1000, 1000, 1000), on_disk=True)
    assert "TMPDIR" in caught.value.hint


def test_allocate_more_than_memory() -> None:
    with pytest.raises(ModelError, match="Not enough memory"):
        allocate((10**6, 10**6, 1000), on_disk=False)
