"""The contract of engines, tested on all engines and precisions that run here."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tensorflow as tf

from live_nst.engines.base import Engine
from live_nst.engines.onnxruntime import OnnxRuntimeEngine
from live_nst.engines.openvino import OpenVINOEngine
from live_nst.engines.openvino_devices import cpu_device
from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.engines.tiling import TiledNetwork
from live_nst.errors import ModelError
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.split import split_model
from live_nst.models.program import SplitModel
from live_nst.sources.demo_video import DemoVideo
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import center_crop, read_style_image
from tests.models import tiny_models as modules

Make = Callable[..., Engine]

ENGINES: dict[str, Make] = {
    "tensorflow": lambda model, **rest: TensorFlowEngine(model, "cpu", **rest),
    "tensorflow, xla": lambda model, **rest: TensorFlowEngine(model, "cpu", xla=True, **rest),
    "openvino": lambda model, **rest: OpenVINOEngine(model, "float32", **rest),
    "onnxruntime": lambda model, **rest: OnnxRuntimeEngine(model, "cpu", **rest),
}
HALF: dict[str, Make] = {
    f"openvino {precision}": lambda model, p=precision, **rest: OpenVINOEngine(model, p, **rest)
    for precision in cpu_device().precisions
    if precision != "float32"
}
# As on a GPU, where TensorFlow does it.
HALF["tensorflow float16"] = lambda model: TensorFlowEngine(model, "cpu", precision="float16")
HALF["tensorflow bfloat16"] = lambda model: TensorFlowEngine(model, "cpu", precision="bfloat16")


def style_picture(name: str) -> Any:
    return center_crop(read_style_image(builtin_image_path(name)), (256, 256))


def scene(width: int, height: int, moment: float = 1.0) -> Any:
    return DemoVideo(width, height).image_at(moment)


def reference(module: Any, image: Any, style: Any) -> Any:
    """The whole module on floats; the conversions are written out once more. BGR 0..255."""
    content, picture = (
        cv2.cvtColor(each, cv2.COLOR_BGR2RGB).astype(np.float32)[None] / 255
        for each in (image, style)
    )
    with tf.device("CPU:0"):
        (stylized,) = module(tf.constant(content), tf.constant(picture))
    return stylized.numpy()[0, ..., ::-1] * 255


@pytest.fixture(scope="module", params=list(ENGINES))
def make(request: pytest.FixtureRequest) -> Make:
    return ENGINES[request.param]


@pytest.fixture(scope="module")
def engine(make: Make, mobile_programs: SplitModel) -> Engine:
    """The packaged model in float32."""
    return make(mobile_programs)


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> SplitModel:
    """A model that compiles quickly."""
    return split_model(
        freeze_saved_model(modules.save(modules.plain, tmp_path_factory.mktemp("small") / "module"))
    )


# Results


def test_equals_float_model_with_uint8_bgr(engine: Engine, mobile_module: Any) -> None:
    image, style = scene(96, 64), style_picture("starry")

    tensors = engine.expand(engine.encode(style))
    stylized_frame = engine.compile((96, 64), (96, 64))(image, tensors)

    expected = reference(mobile_module, image, style)
    assert stylized_frame.stylized.dtype == np.uint8
    assert stylized_frame.stylized.shape == (64, 96, 3)
    assert np.abs(stylized_frame.stylized - expected).max() <= 1
    np.testing.assert_array_equal(stylized_frame.content, image)
    # Any other order of colors gives another image.
    assert np.abs(stylized_frame.stylized[..., ::-1] - expected).mean() > 10
    assert (
        np.abs(stylized_frame.stylized - reference(mobile_module, image[..., ::-1], style)).mean()
        > 3
    )
    assert (
        np.abs(stylized_frame.stylized - reference(mobile_module, image, style[..., ::-1])).mean()
        > 3
    )


def test_results_are_rounded(engine: Engine, mobile_module: Any) -> None:
    image, style = scene(96, 64), style_picture("ink")

    tensors = engine.expand(engine.encode(style))
    stylized_frame = engine.compile((96, 64), (96, 64))(image, tensors)

    off = stylized_frame.stylized - reference(mobile_module, image, style)
    assert abs(off.mean()) < 0.02
    assert np.abs(off).max() < 0.6


@pytest.mark.parametrize("size", [(70, 50), (66, 49), (99, 67)])
def test_sizes_of_no_multiple_of_4(
    engine: Engine, mobile_module: Any, size: tuple[int, int]
) -> None:
    image, style = scene(*size), style_picture("wave")

    tensors = engine.expand(engine.encode(style))
    stylized_frame = engine.compile(size, size)(image, tensors)

    assert stylized_frame.stylized.shape == (size[1], size[0], 3)
    assert np.abs(stylized_frame.stylized - reference(mobile_module, image, style)).max() <= 1


@pytest.mark.parametrize("camera", [(288, 192), (101, 67), (240, 128)])
def test_frames_are_downscaled_by_area_averaging(
    engine: Engine, mobile_module: Any, camera: tuple[int, int]
) -> None:
    image, style, size = scene(*camera), style_picture("wave"), (96, 64)

    tensors = engine.expand(engine.encode(style))
    stylized_frame = engine.compile(camera, size)(image, tensors)

    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    off = np.abs(stylized_frame.stylized - reference(mobile_module, stylized_frame.content, style))
    assert stylized_frame.stylized.shape == (64, 96, 3)
    # Area averaging, almost: see `live_nst.engines.host_images`.
    assert np.abs(stylized_frame.content.astype(int) - small).mean() < 3
    assert off.mean() < 1  # an engine may pass it to the network before it is rounded
    assert off.max() < 16


def test_result_is_new_and_frame_unchanged(engine: Engine) -> None:
    run = engine.compile((64, 48), (64, 48))
    tensors = engine.expand(np.zeros(100, np.float32))
    image = scene(64, 48)
    before = image.copy()

    first = run(image, tensors)
    np.testing.assert_array_equal(image, before)
    kept = first.stylized.copy()
    second = run(scene(64, 48, 5.0), tensors)
    second.stylized[:] = 0  # it may be drawn into
    image[:] = 0

    np.testing.assert_array_equal(first.stylized, kept)
    np.testing.assert_array_equal(first.content, before)


def test_prefetch_on_cpu(engine: Engine) -> None:
    """It would be one more copy, by the processor that computes."""
    assert engine.prefetch(scene(64, 48)) is None


def test_read_only_frames(engine: Engine) -> None:
    run = engine.compile((64, 48), (64, 48))
    tensors = engine.expand(np.zeros(100, np.float32))
    image = scene(64, 48)
    expected = run(image, tensors).stylized

    image.setflags(write=False)
    bottleneck = np.zeros(100, np.float32)
    bottleneck.setflags(write=False)

    np.testing.assert_array_equal(run(image, engine.expand(bottleneck)).stylized, expected)


def test_bottleneck_is_the_same_for_every_engine(
    engine: Engine, mobile_engine: TensorFlowEngine
) -> None:
    starry, wave, again = (
        engine.encode(style_picture(name)) for name in ("starry", "wave", "starry")
    )
    assert starry.shape == (100,)
    assert starry.dtype == np.float32
    np.testing.assert_array_equal(starry, again)
    assert np.abs(starry - wave).max() > 0.1
    np.testing.assert_allclose(
        starry, mobile_engine.encode(style_picture("starry")), rtol=0, atol=1e-3
    )


def test_attributes_and_close(engine: Engine) -> None:
    name, version = engine.name.split(" ")
    assert name.isalpha()
    assert version[0].isdigit()
    assert engine.device == "cpu"
    assert engine.precision == "float32"
    assert engine.style_size == (256, 256)
    assert engine.bottleneck_size == 100
    engine.close()
    engine.close()


@pytest.mark.parametrize("half", list(HALF))
def test_half_precision(half: str, mobile_programs: SplitModel, mobile_module: Any) -> None:
    engine = HALF[half](mobile_programs)
    image, style = scene(192, 128), style_picture("starry")

    bottleneck = engine.encode(style)
    stylized_frame = engine.compile((192, 128), (192, 128))(image, engine.expand(bottleneck))

    assert engine.precision == half.split(" ")[1]
    off = np.abs(stylized_frame.stylized - reference(mobile_module, image, style)) / 255
    assert 1e-4 < off.mean() < 0.006
    # Bottlenecks are cached for all engines: they are always computed in float32.
    exact = OpenVINOEngine(mobile_programs, "float32").encode(style)
    np.testing.assert_allclose(bottleneck, exact, rtol=0, atol=1e-5)


# Images in tiles


@pytest.mark.parametrize(("size", "tile"), [((192, 128), 64), ((100, 232), 36)])
def test_tiles_equal_whole_image(
    make: Make,
    mobile_programs: SplitModel,
    mobile_engine: TensorFlowEngine,
    size: tuple[int, int],
    tile: int,
) -> None:
    engine = make(mobile_programs)
    bottleneck = mobile_engine.encode(style_picture("starry"))
    image = scene(*size)

    network = TiledNetwork(mobile_programs, engine)
    content, stylized = network.compile(size, size, tile)(image, engine.expand(bottleneck))

    whole = mobile_engine.compile(size, size)(image, mobile_engine.expand(bottleneck)).stylized
    np.testing.assert_array_equal(content, image)
    off = np.abs(stylized.astype(int) - whole)
    assert off.max() <= 1
    assert (off > 0).mean() < 0.02


@pytest.mark.parametrize("half", list(HALF))
def test_tiles_are_computed_in_float32(
    half: str, mobile_programs: SplitModel, mobile_engine: TensorFlowEngine
) -> None:
    engine = HALF[half](mobile_programs)
    bottleneck = mobile_engine.encode(style_picture("starry"))
    image, size = scene(96, 64), (96, 64)

    network = TiledNetwork(mobile_programs, engine)
    stylized = network.compile(size, size, 48)(image, engine.expand(bottleneck)).stylized

    whole = mobile_engine.compile(size, size)(image, mobile_engine.expand(bottleneck)).stylized
    assert np.abs(stylized.astype(int) - whole).max() <= 1


# Many styles, many threads


def test_one_frame_program_serves_every_style(make: Make, small_model: SplitModel) -> None:
    """Two bottlenecks and their mean give three different images."""
    engine = make(small_model)
    run = engine.compile((48, 32), (48, 32))
    image = scene(48, 32)
    codes = [np.linspace(0, 1, 5, dtype=np.float32), np.linspace(2, 0, 5, dtype=np.float32)]

    one, mixed, other = (
        run(image, engine.expand(code)).stylized.astype(int)
        for code in (codes[0], (codes[0] + codes[1]) / 2, codes[1])
    )

    assert np.abs(one - mixed).max() > 2
    assert np.abs(other - mixed).max() > 2


@pytest.mark.parametrize("concurrency", [1, 3])
def test_several_threads(make: Make, small_model: SplitModel, concurrency: int) -> None:
    engine = make(small_model, concurrency=concurrency)
    run = engine.compile((48, 32), (48, 32))
    tensors = engine.expand(np.ones(5, np.float32))
    images = [scene(48, 32, moment) for moment in np.linspace(0, 6, 12)]

    expected = [run(image, tensors).stylized for image in images]
    with ThreadPoolExecutor(4) as pool:
        stylized_frame = list(pool.map(lambda image: run(image, tensors).stylized, images))

    np.testing.assert_array_equal(stylized_frame, expected)


def test_compile_while_frames_run(make: Make, small_model: SplitModel) -> None:
    engine = make(small_model)
    run = engine.compile((48, 32), (48, 32))
    tensors = engine.expand(np.ones(5, np.float32))
    image = scene(48, 32)
    expected = run(image, tensors).stylized
    done = threading.Event()
    frames = 0

    def compile_others() -> None:
        for side in range(64, 96, 4):
            engine.compile((side, 64), (side, 64))
        done.set()

    with ThreadPoolExecutor(1) as pool:
        compiling = pool.submit(compile_others)
        while not done.is_set() and not compiling.done():
            np.testing.assert_array_equal(run(image, tensors).stylized, expected)
            frames += 1
        compiling.result()

    assert frames > 8  # more than one per size: nothing waited for a compilation to end


# Models that cannot run, and models of other structure


def test_size_at_which_model_cannot_run(make: Make, tmp_path: Path) -> None:
    model = split_model(
        freeze_saved_model(modules.save(modules.half_as_large, tmp_path / "module"))
    )

    with pytest.raises(ModelError, match="cannot run at 48x32") as caught:
        make(model).compile((96, 64), (48, 32))

    assert "\n" not in caught.value.message
    assert "--size" in caught.value.hint


@pytest.mark.parametrize(
    "module", ["split_at_the_cut", "two_paths", "chosen_by_style", "by_shape_of_style", "activated"]
)
def test_models_of_other_structure(make: Make, module: str, tmp_path: Path) -> None:
    """Models of others read shapes at run time, and have integers among the style tensors."""
    paint = getattr(modules, module)
    engine = make(split_model(freeze_saved_model(modules.save(paint, tmp_path / "module"))))
    image, style = scene(48, 32), style_picture("wave")

    stylized_frame = engine.compile((48, 32), (48, 32))(image, engine.expand(engine.encode(style)))

    floats = [np.float32(each[None, ..., ::-1]) / np.float32(255) for each in (image, style)]
    expected = modules.whole(paint, *floats)[0, ..., ::-1] * 255
    assert np.abs(stylized_frame.stylized - expected).max() <= 1
