"""The most arithmetic that this machine does: products of large matrices.

A product of matrices is what processors, and the libraries on them, do best, so its rate is the
measure of how well a network uses the machine. OpenVINO computes it, as it computes the networks,
on all cores and with the same precision; its second factor is a constant, as weights are. Neither
very small nor very large matrices are fastest, and which ones are differs between processors: so
several shapes are tried, and the fastest counts.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

import numpy as np

from live_nst.types import Size

MatmulShape = tuple[int, int, int]
"""(m, k, n): a matrix of m rows and k columns times one of k rows and n columns."""

MATMUL_SHAPES: tuple[MatmulShape, ...] = (
    (256, 512, 512),
    (512, 512, 512),
    (512, 1024, 512),
    (768, 768, 768),
    (1024, 1024, 1024),
    (2048, 2048, 2048),
)
_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


def matmul_flops(shape: MatmulShape) -> float:
    """Floating-point operations of one product: a multiplication and an addition each."""
    return 2.0 * shape[0] * shape[1] * shape[2]


def matmul_name(precision: str, shape: MatmulShape) -> str:
    """As in "bfloat16 512x512x512"."""
    return f"{precision} {'x'.join(map(str, shape))}"


def openvino_matmuls(
    precision: str, shapes: Sequence[MatmulShape] = MATMUL_SHAPES, threads: int | None = None
) -> dict[str, Callable[[], object]]:
    """Products on the processor, each ready to be called, by `product_name`.

    Args:
        precision: float32, bfloat16 or float16.
        shapes: What is multiplied.
        threads: On how many cores; all by default.
    """
    from live_nst.engines.openvino import openvino

    ov = openvino()
    settings: dict[str, object] = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",
    }
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    core, random = ov.Core(), np.random.default_rng(0)
    calls: dict[str, Callable[[], object]] = {}
    for m, k, n in shapes:
        factor = ov.opset13.parameter([m, k], np.float32)
        weights = ov.opset13.constant(random.random((k, n), np.float32))
        model = ov.Model([ov.opset13.matmul(factor, weights, False, False)], [factor])
        request = core.compile_model(model, "CPU", settings).create_infer_request()
        request.set_input_tensor(ov.Tensor(random.random((m, k), np.float32)))
        calls[matmul_name(precision, (m, k, n))] = request.infer
    return calls


def tensorflow_matmuls(
    device: str, precision: str, shapes: Sequence[MatmulShape] = MATMUL_SHAPES
) -> dict[str, Callable[[], object]]:
    """The same in TensorFlow, which also runs on GPUs.

    Args:
        device: TensorFlow's name of it: "GPU:0".
        precision: float32, bfloat16 or float16.
        shapes: What is multiplied. A GPU wants larger matrices than a processor.
    """
    from live_nst.runtime.tensorflow import import_tensorflow

    tf = import_tensorflow()
    dtype = tf.as_dtype(precision)
    calls: dict[str, Callable[[], object]] = {}
    with tf.device(device):
        for m, k, n in shapes:
            left = tf.cast(tf.random.uniform([m, k]), dtype)
            right = tf.cast(tf.random.uniform([k, n]), dtype)

            def call(left: object = left, right: object = right) -> object:
                # One number is brought to the host, so that the product is really done.
                return (left @ right)[0, 0].numpy()  # type: ignore[operator]

            calls[matmul_name(precision, (m, k, n))] = call
    return calls


def peak_flops(
    precision: str,
    times: Mapping[str, Sequence[float]],
    shapes: Sequence[MatmulShape] = MATMUL_SHAPES,
) -> tuple[float, MatmulShape]:
    """The highest rate in `times`, each shape taken by its median, and the shape that gave it.

    Args:
        precision: Whose products are looked at.
        times: Seconds of single calls by `product_name`; other names are passed over.
        shapes: Those that were measured.

    Returns:
        (floating-point operations per second, shape).
    """
    rates = {
        shape: matmul_flops(shape) / median(times[matmul_name(precision, shape)])
        for shape in shapes
    }
    best = max(rates, key=lambda shape: rates[shape])
    return rates[best], best


FLOPS_PER_PIXEL = {"mobile": 25_056, "hub": 860_544}
"""Floating-point operations for each pixel that the network sees, by the name of the model.

Counted over the convolutions of the network as it was published, a multiplication and an addition
each; normalizations and the like are below a hundredth of it. How an engine rearranges the network
does not change what counts as done.
"""


def frame_flops(model: str, size: Size) -> float | None:
    """Floating-point operations of one frame of network size `size`; None for unknown models."""
    per_pixel = FLOPS_PER_PIXEL.get(model)
    return None if per_pixel is None else float(per_pixel * size[0] * size[1])
