from typing import Any

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from live_nst.engines import runtime
from live_nst.engines.tensorflow import TensorFlowEngine, area_resize, area_weights
from live_nst.errors import DeviceError
from live_nst.models.freeze import freeze
from live_nst.models.program import SplitModel
from live_nst.models.split import split
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


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> SplitModel:
    """A model that is traced in no time."""
    return split(freeze(modules.save(modules.plain, tmp_path_factory.mktemp("small") / "module")))


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


# On a GPU


def test_a_gpu_that_is_not_there(small_model: SplitModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "gpu_names", list)
    with pytest.raises(DeviceError, match="no GPU"):
        TensorFlowEngine(small_model, "gpu")


@pytest.mark.parametrize("xla", [False, True])
def test_pictures_stay_on_the_device_until_they_are_looked_at(
    small_model: SplitModel, xla: bool
) -> None:
    engine = TensorFlowEngine(small_model, "cpu", xla=xla)
    style = engine.expand(np.ones(engine.bottleneck_size, np.float32))
    image = scene(96, 64)

    painted = engine.compile((96, 64), (48, 32))(image, style)

    assert not isinstance(painted._content, np.ndarray)
    assert not isinstance(painted._stylised, np.ndarray)
    assert painted.size == (48, 32)
    assert not isinstance(painted._stylised, np.ndarray)
    frame = engine.function(*engine.frame_function((96, 64), (48, 32)))
    content, stylised = frame(image, *style)
    assert np.abs(painted.content.astype(int) - content.numpy()).max() <= 1
    assert np.abs(painted.stylised.astype(int) - stylised.numpy()).max() <= 1
    assert isinstance(painted.fetch()._stylised, np.ndarray)


@needs_gpu
def test_a_gpu_paints_what_the_cpu_does(
    mobile_programs: SplitModel, mobile_engine: TensorFlowEngine
) -> None:
    gpu = TensorFlowEngine(mobile_programs, "gpu")
    assert gpu.device != "cpu"
    image, style = scene(288, 192), style_picture("starry")

    painted = [
        engine.compile((288, 192), (96, 64))(image, engine.expand(engine.encode(style)))
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
