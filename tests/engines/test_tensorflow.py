from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from live_nst.engines import runtime
from live_nst.engines.tensorflow import TensorFlowEngine, area_resize, area_weights
from live_nst.errors import DeviceError, ModelError
from live_nst.models.freeze import freeze
from live_nst.models.split import SplitModel, split
from live_nst.sources.demo_scene import DemoScene
from live_nst.styles.library import builtin_picture
from live_nst.styles.picture import crop, read_picture
from tests.models import two_picture_modules as modules

has_gpu = bool(runtime.gpu_names())
needs_gpu = pytest.mark.skipif(not has_gpu, reason="TensorFlow finds no GPU here")


def style_picture(name: str) -> Any:
    return crop(read_picture(builtin_picture(name)), (256, 256))


def scene(width: int, height: int, moment: float = 1.0) -> Any:
    return DemoScene(width, height).draw(moment)


def reference(module: Any, image: Any, style: Any) -> Any:
    """The whole module on floats; the conversions are written out once more. BGR 0..255."""
    content, picture = (
        cv2.cvtColor(each, cv2.COLOR_BGR2RGB).astype(np.float32)[None] / 255
        for each in (image, style)
    )
    with tf.device("CPU:0"):
        (stylised,) = module(tf.constant(content), tf.constant(picture))
    return stylised.numpy()[0, ..., ::-1] * 255


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> SplitModel:
    """A model that is traced in no time."""
    return split(freeze(modules.save(modules.plain, tmp_path_factory.mktemp("small") / "module")))


# What it computes


def test_uint8_bgr_in_and_out_is_the_float_module(
    mobile_engine: TensorFlowEngine, mobile_module: Any
) -> None:
    image, style = scene(96, 64), style_picture("starry")

    tensors = mobile_engine.expand(mobile_engine.encode(style))
    painted = mobile_engine.compile((96, 64), (96, 64))(image, tensors).stylised

    expected = reference(mobile_module, image, style)
    assert painted.dtype == np.uint8
    assert painted.shape == (64, 96, 3)
    assert np.abs(painted - expected).max() <= 1
    # In any other order of colours it would not be the same picture.
    assert np.abs(painted[..., ::-1] - expected).mean() > 10
    assert np.abs(painted - reference(mobile_module, image[..., ::-1], style)).mean() > 3
    assert np.abs(painted - reference(mobile_module, image, style[..., ::-1])).mean() > 3


def test_levels_are_rounded_not_cut_off(
    mobile_engine: TensorFlowEngine, mobile_module: Any
) -> None:
    image, style = scene(96, 64), style_picture("ink")

    tensors = mobile_engine.expand(mobile_engine.encode(style))
    painted = mobile_engine.compile((96, 64), (96, 64))(image, tensors).stylised

    off = painted - reference(mobile_module, image, style)
    assert abs(off.mean()) < 0.02
    assert np.abs(off).max() < 0.6


@pytest.mark.parametrize("camera", [(288, 192), (101, 67), (240, 128)])
def test_frames_are_averaged_down_first(
    mobile_engine: TensorFlowEngine, mobile_module: Any, camera: tuple[int, int]
) -> None:
    image, style, size = scene(*camera), style_picture("wave"), (96, 64)

    tensors = mobile_engine.expand(mobile_engine.encode(style))
    content, painted = mobile_engine.compile(camera, size)(image, tensors)

    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    off = np.abs(painted - reference(mobile_module, small, style))
    assert painted.shape == (64, 96, 3)
    np.testing.assert_allclose(content.astype(int), small, atol=1)
    assert off.mean() < 1  # OpenCV rounds the small picture, which the network amplifies
    assert off.max() < 16


def test_the_result_is_a_new_array_and_the_frame_stays_as_it_is(
    mobile_engine: TensorFlowEngine,
) -> None:
    run = mobile_engine.compile((64, 48), (64, 48))
    tensors = mobile_engine.expand(np.zeros(100, np.float32))
    image = scene(64, 48)
    before = image.copy()

    first = run(image, tensors).stylised
    np.testing.assert_array_equal(image, before)
    kept = first.copy()
    second = run(scene(64, 48, 5.0), tensors).stylised
    second[:] = 0  # it may be drawn into
    image[:] = 0

    np.testing.assert_array_equal(first, kept)


def test_the_bottleneck_is_float32_and_depends_on_the_style(
    mobile_engine: TensorFlowEngine,
) -> None:
    starry, wave, again = (
        mobile_engine.encode(style_picture(name)) for name in ("starry", "wave", "starry")
    )
    assert starry.shape == (100,)
    assert starry.dtype == np.float32
    np.testing.assert_array_equal(starry, again)
    assert np.abs(starry - wave).max() > 0.1


def test_what_it_says_of_itself(mobile_engine: TensorFlowEngine) -> None:
    assert mobile_engine.name == f"tensorflow {tf.__version__}"
    assert mobile_engine.device == "cpu"
    assert mobile_engine.style_size == (256, 256)
    assert mobile_engine.bottleneck_size == 100
    mobile_engine.close()
    mobile_engine.close()


# Tracing


def test_it_traces_once_per_size_and_never_per_frame_or_style(small_model: SplitModel) -> None:
    engine = TensorFlowEngine(small_model, "cpu")
    assert engine.traces == 2  # encode and expand

    run = engine.compile((48, 32), (48, 32))
    assert engine.traces == 3

    random = np.random.default_rng(1)
    for _ in range(3):
        style = random.integers(0, 256, (256, 256, 3), np.uint8)
        tensors = engine.expand(engine.encode(style))
        for _ in range(5):
            run(random.integers(0, 256, (32, 48, 3), np.uint8), tensors)
    tensors = engine.expand(np.zeros(engine.bottleneck_size, np.float32))
    run(np.asfortranarray(random.integers(0, 256, (32, 48, 3), np.uint8)), tensors)
    assert engine.traces == 3

    engine.compile((48, 32), (24, 16))
    engine.compile((96, 64), (48, 32))
    assert engine.traces == 5


def test_one_frame_program_serves_every_style(small_model: SplitModel) -> None:
    """A mix of two bottlenecks paints what the frame program makes of their mean."""
    engine = TensorFlowEngine(small_model, "cpu")
    run = engine.compile((48, 32), (48, 32))
    image = scene(48, 32)
    codes = [np.linspace(0, 1, 5, dtype=np.float32), np.linspace(2, 0, 5, dtype=np.float32)]

    one, mixed, other = (
        run(image, engine.expand(code)).stylised.astype(int)
        for code in (codes[0], (codes[0] + codes[1]) / 2, codes[1])
    )

    assert np.abs(one - mixed).max() > 2
    assert np.abs(other - mixed).max() > 2


def test_threads_may_share_it(small_model: SplitModel) -> None:
    engine = TensorFlowEngine(small_model, "cpu")
    run = engine.compile((48, 32), (48, 32))
    tensors = engine.expand(np.ones(5, np.float32))
    images = [scene(48, 32, moment) for moment in np.linspace(0, 6, 12)]

    expected = [run(image, tensors) for image in images]
    with ThreadPoolExecutor(4) as pool:
        painted = list(pool.map(lambda image: run(image, tensors), images))

    np.testing.assert_array_equal(painted, expected)


# What cannot be run


def test_a_size_at_which_the_model_cannot_run(tmp_path: Path) -> None:
    model = split(freeze(modules.save(modules.half_as_large, tmp_path / "module")))

    with pytest.raises(ModelError, match="cannot run at 48x32") as caught:
        TensorFlowEngine(model, "cpu").compile((96, 64), (48, 32))

    assert "\n" not in caught.value.message
    assert "--size" in caught.value.hint


def test_a_gpu_that_is_not_there(small_model: SplitModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "gpu_names", list)
    with pytest.raises(DeviceError, match="no GPU"):
        TensorFlowEngine(small_model, "gpu")


# On a GPU


@needs_gpu
def test_a_gpu_paints_what_the_cpu_does(
    mobile_programs: SplitModel, mobile_engine: TensorFlowEngine
) -> None:
    gpu = TensorFlowEngine(mobile_programs, "gpu")
    assert gpu.device != "cpu"
    image, style = scene(288, 192), style_picture("starry")

    painted = [
        engine.compile((288, 192), (96, 64))(image, engine.expand(engine.encode(style)))[1].astype(
            int
        )
        for engine in (gpu, mobile_engine)
    ]

    one, other = (each.stylised.astype(int) for each in painted)
    assert np.abs(one - other).mean() < 1
    tensors = gpu.expand(gpu.encode(style))
    assert all("GPU" in tensor.device for tensor in tensors)


# Resizing

RESIZES = [
    ((96, 64), (48, 32)),
    ((96, 64), (32, 16)),
    ((97, 61), (32, 20)),
    ((64, 101), (60, 52)),
    ((640, 360), (384, 216)),
    ((33, 9), (16, 8)),
]


@pytest.mark.parametrize(("source", "target"), RESIZES)
@pytest.mark.parametrize("as_matrices", [False, True])
def test_area_resize_is_opencvs(
    source: tuple[int, int], target: tuple[int, int], as_matrices: bool
) -> None:
    image = np.random.default_rng(3).integers(0, 256, (source[1], source[0], 3), np.uint8)

    resized = area_resize(tf.constant(image), target, as_matrices=as_matrices).numpy()

    expected = cv2.resize(image, target, interpolation=cv2.INTER_AREA)
    assert resized.dtype == np.float32
    assert resized.shape == expected.shape
    assert np.abs(resized - expected).max() <= 1


@pytest.mark.parametrize(("source", "target"), [*RESIZES, ((1, 90), (16, 88)), ((5, 5), (16, 16))])
def test_both_forms_of_area_resize_are_one(
    source: tuple[int, int], target: tuple[int, int]
) -> None:
    image = np.random.default_rng(3).integers(0, 256, (source[1], source[0], 3), np.uint8)

    one, other = (
        area_resize(tf.constant(image), target, as_matrices=as_matrices).numpy()
        for as_matrices in (False, True)
    )

    np.testing.assert_allclose(one, other, rtol=0, atol=0.01)


@given(st.integers(1, 700), st.integers(1, 700))
def test_area_weights_are_shares(source: int, target: int) -> None:
    weights = area_weights(source, target)

    assert weights.shape == (target, source)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-4)
    # Every source cell counts as much as any other.
    np.testing.assert_allclose(weights.sum(axis=0), target / source, rtol=1e-3)
    # Nothing is shifted: what a target cell covers lies about its own centre.
    centres = weights @ (np.arange(source) + 0.5)
    expected = (np.arange(target) + 0.5) * source / target
    np.testing.assert_allclose(centres, expected, rtol=1e-4, atol=0.5)


def test_the_same_size_is_left_as_it_is() -> None:
    image = np.random.default_rng(3).integers(0, 256, (8, 12, 3), np.uint8)
    for as_matrices in (False, True):
        resized = area_resize(tf.constant(image), (12, 8), as_matrices=as_matrices)
        np.testing.assert_array_equal(resized, image)
