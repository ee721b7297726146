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

Shape = tuple[int, int, int]
"""(m, k, n): a matrix of m rows and k columns times one of k rows and n columns."""

SHAPES: tuple[Shape, ...] = (
    (256, 512, 512),
    (512, 512, 512),
    (512, 1024, 512),
    (768, 768, 768),
    (1024, 1024, 1024),
    (2048, 2048, 2048),
)
_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


def product_flops(shape: Shape) -> float:
    """Floating-point operations of one product: a multiplication and an addition each."""
    return 2.0 * shape[0] * shape[1] * shape[2]


def product_name(precision: str, shape: Shape) -> str:
    """As in "bfloat16 512x512x512"."""
    return f"{precision} {'x'.join(map(str, shape))}"


def openvino_products(
    precision: str, shapes: Sequence[Shape] = SHAPES, threads: int | None = None
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
        calls[product_name(precision, (m, k, n))] = request.infer
    return calls


def tensorflow_products(
    device: str, precision: str, shapes: Sequence[Shape] = SHAPES
) -> dict[str, Callable[[], object]]:
    """The same in TensorFlow, which also runs on GPUs.

    Args:
        device: TensorFlow's name of it: "GPU:0".
        precision: float32, bfloat16 or float16.
        shapes: What is multiplied. A GPU wants larger matrices than a processor.
    """
    from live_nst.engines.runtime import tensorflow

    tf = tensorflow()
    dtype = tf.as_dtype(precision)
    calls: dict[str, Callable[[], object]] = {}
    with tf.device(device):
        for m, k, n in shapes:
            left = tf.cast(tf.random.uniform([m, k]), dtype)
            right = tf.cast(tf.random.uniform([k, n]), dtype)

            def call(left: object = left, right: object = right) -> object:
                # One number is brought to the host, so that the product is really done.
                return (left @ right)[0, 0].numpy()  # type: ignore[operator]

            calls[product_name(precision, (m, k, n))] = call
    return calls


def peak_flops(
    precision: str, times: Mapping[str, Sequence[float]], shapes: Sequence[Shape] = SHAPES
) -> tuple[float, Shape]:
    """The highest rate in `times`, each shape taken by its median, and the shape that gave it.

    Args:
        precision: Whose products are looked at.
        times: Seconds of single calls by `product_name`; other names are passed over.
        shapes: Those that were measured.

    Returns:
        (floating-point operations per second, shape).
    """
    rates = {
        shape: product_flops(shape) / median(times[product_name(precision, shape)])
        for shape in shapes
    }
    best = max(rates, key=lambda shape: rates[shape])
    return rates[best], best
