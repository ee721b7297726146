from typing import Any

import cv2
import numpy as np
import pytest

from live_nst.engines.base import StylizedFrame
from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.errors import DeviceError
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.split import split_model
from live_nst.models.program import SplitModel
from live_nst.runtime import tensorflow as runtime
from live_nst.sources.demo_video import DemoVideo
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import center_crop, read_style_image
from live_nst.stylizer.compositing import compose, required_images
from live_nst.stylizer.look import Look
from live_nst.types import Size
from tests.models import tiny_models as modules

has_gpu = bool(runtime.gpu_names())
needs_gpu = pytest.mark.skipif(not has_gpu, reason="TensorFlow finds no GPU here")


def style_picture(name: str) -> Any:
    return center_crop(read_style_image(builtin_image_path(name)), (256, 256))


def scene(width: int, height: int, moment: float = 1.0) -> Any:
    return DemoVideo(width, height).image_at(moment)


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> SplitModel:
    """A model that is traced quickly."""
    return split_model(
        freeze_saved_model(modules.save(modules.plain, tmp_path_factory.mktemp("small") / "module"))
    )


# Tracing


def test_traces_once_per_size(small_model: SplitModel) -> None:
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


def test_missing_gpu(small_model: SplitModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "gpu_names", list)
    with pytest.raises(DeviceError, match="no GPU"):
        TensorFlowEngine(small_model, "gpu")


@pytest.mark.parametrize("xla", [False, True])
def test_images_stay_on_device_until_read(small_model: SplitModel, xla: bool) -> None:
    engine = TensorFlowEngine(small_model, "cpu", xla=xla)
    style = engine.expand(np.ones(engine.bottleneck_size, np.float32))
    image = scene(96, 64)

    frame = engine.compile((96, 64), (48, 32))(image, style)

    assert frame.size == (48, 32)
    frame.wait()
    assert fetched(frame) == []
    function = engine.function(*engine.frame_function((96, 64), (48, 32)))
    content, stylized = function(image, *style)
    assert np.abs(frame.content.astype(int) - content.numpy()).max() <= 1
    assert fetched(frame) == ["content"]
    assert np.abs(frame.stylized.astype(int) - stylized.numpy()).max() <= 1
    assert frame.take_upscaled(image.shape) is None  # a CPU's engine leaves that to OpenCV


def fetched(frame: StylizedFrame) -> list[str]:
    return [name for name, each in frame._images.items() if isinstance(each, np.ndarray)]


SIZES = [((1280, 720), (640, 360)), ((101, 67), (100, 64)), ((333, 500), (128, 192))]


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize(("camera", "size"), SIZES)
def test_upscaling_on_device_equals_opencv(
    small_model: SplitModel, xla: bool, camera: Size, size: Size
) -> None:
    engine = TensorFlowEngine(small_model, "cpu", xla=xla, upscale=True)
    style = engine.expand(np.ones(engine.bottleneck_size, np.float32))
    image = scene(*camera)
    run = engine.compile(camera, size)

    frame = run(image, style).require(*required_images(Look())).fetch()

    assert fetched(frame) == ["upscaled"]  # one picture comes down, and the small ones do not
    composed = compose(image, frame, Look())
    assert fetched(frame) == []
    on_host = compose(image, StylizedFrame(frame.content, frame.stylized), Look())
    off = np.abs(composed.astype(int) - on_host)
    assert off.max() <= 1
    assert (off > 0).mean() < 0.005
    composed[:] = 0  # it is the caller's own
    np.testing.assert_array_equal(compose(image, frame, Look()), on_host)


@pytest.mark.parametrize("xla", [False, True])
def test_image_of_camera_size_is_not_upscaled(small_model: SplitModel, xla: bool) -> None:
    engine = TensorFlowEngine(small_model, "cpu", xla=xla, upscale=True)
    style = engine.expand(np.ones(engine.bottleneck_size, np.float32))

    frame = engine.compile((48, 32), (48, 32))(scene(48, 32), style)

    assert frame.take_upscaled((32, 48, 3)) is None
    assert fetched(frame.require("upscaled").fetch()) == ["stylized"]


@pytest.mark.parametrize("xla", [False, True])
def test_prefetched_frame_gives_the_same(small_model: SplitModel, xla: bool) -> None:
    engine = TensorFlowEngine(small_model, "cpu", xla=xla)
    engine.device = "a GPU"
    style = engine.expand(np.ones(engine.bottleneck_size, np.float32))
    image = scene(96, 64)
    run = engine.compile((96, 64), (48, 32))
    expected = run(image, style).stylized

    traces, kept = engine.traces, image.copy()
    prefetched = engine.prefetch(kept)
    kept[:] = 0  # the camera has it back

    assert prefetched is not None
    np.testing.assert_array_equal(run(prefetched, style).stylized, expected)
    assert engine.traces == traces


@needs_gpu
def test_gpu_equals_cpu(mobile_programs: SplitModel, mobile_engine: TensorFlowEngine) -> None:
    gpu = TensorFlowEngine(mobile_programs, "gpu")
    assert gpu.device != "cpu"
    image, style = scene(288, 192), style_picture("starry")

    frames = [
        engine.compile((288, 192), (96, 64))(image, engine.expand(engine.encode(style)))
        for engine in (gpu, mobile_engine)
    ]

    one, other = (each.stylized.astype(int) for each in frames)
    assert np.abs(one - other).mean() < 1
    large = frames[0].take_upscaled(image.shape)
    assert large is not None
    on_host = cv2.resize(frames[0].stylized, (288, 192), interpolation=cv2.INTER_CUBIC)
    assert np.abs(large.astype(int) - on_host).max() <= 1
    tensors = gpu.expand(gpu.encode(style))
    assert all("GPU" in tensor.device for tensor in tensors)
