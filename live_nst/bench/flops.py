"""Arithmetic: what one frame needs, and the most that this machine does.

Matrix multiplication is what processors and their libraries do best. So its rate is the peak
against which a network is compared. It runs in the same library, in the same precision and on the
same cores as the network. The fastest matrix size differs between processors, so several are tried.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import median

import numpy as np

from live_nst.types import Size

FLOPS_PER_PIXEL = {"mobile": 25_056, "fine": 25_056, "live": 14_976, "hub": 860_544}
"""Floating-point operations per pixel of the network's input, by model name.

Counted over the convolutions of the published network, a multiplication and an addition each. All
other operations together are below one percent. What an engine rewrites does not change the count.
"""

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

_PRECISION_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}  # for OpenVINO

Calls = dict[str, Callable[[], object]]
"""Functions to time, by name."""


def frame_flops(model: str, size: Size) -> float | None:
    """Return the floating-point operations of one frame; None for an unknown model.

    Args:
        model: The model's name.
        size: (width, height) of the network's input in pixels.
    """
    per_pixel = FLOPS_PER_PIXEL.get(model)
    return None if per_pixel is None else float(per_pixel * size[0] * size[1])


def matmul_flops(shape: MatmulShape) -> float:
    """Return the floating-point operations of one matrix multiplication."""
    return 2.0 * shape[0] * shape[1] * shape[2]


def matmul_name(precision: str, shape: MatmulShape) -> str:
    """Return a name such as "bfloat16 512x512x512"."""
    return f"{precision} {'x'.join(map(str, shape))}"


def openvino_matmuls(
    precision: str,
    shapes: Sequence[MatmulShape] = MATMUL_SHAPES,
    threads: int | None = None,
    device: str = "CPU",
) -> Calls:
    """Return compiled matrix multiplications, by `matmul_name`.

    Args:
        precision: float32, bfloat16 or float16.
        shapes: The sizes of the matrices.
        threads: Number of threads of a CPU; None for all cores.
        device: OpenVINO's name of the device.
    """
    from live_nst.runtime.openvino import import_openvino

    ov = import_openvino()
    settings: dict[str, object] = {
        "INFERENCE_PRECISION_HINT": _PRECISION_HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",
    }
    if threads is not None:
        settings["INFERENCE_NUM_THREADS"] = threads
    core, random = ov.Core(), np.random.default_rng(0)
    calls: Calls = {}
    for m, k, n in shapes:
        inputs = ov.opset13.parameter([m, k], np.float32)
        # Constant, as the weights of a network are.
        weights = ov.opset13.constant(random.random((k, n), np.float32))
        model = ov.Model([ov.opset13.matmul(inputs, weights, False, False)], [inputs])
        request = core.compile_model(model, device, settings).create_infer_request()
        request.set_input_tensor(ov.Tensor(random.random((m, k), np.float32)))
        calls[matmul_name(precision, (m, k, n))] = request.infer
    return calls


def tensorflow_matmuls(
    device: str, precision: str, shapes: Sequence[MatmulShape] = MATMUL_SHAPES
) -> Calls:
    """Return matrix multiplications in TensorFlow, by `matmul_name`.

    Args:
        device: TensorFlow's name of the device, for example "GPU:0".
        precision: float32, bfloat16 or float16.
        shapes: The sizes of the matrices. A GPU needs larger ones than a CPU.
    """
    from live_nst.runtime.tensorflow import import_tensorflow

    tf = import_tensorflow()
    dtype = tf.as_dtype(precision)
    calls: Calls = {}
    with tf.device(device):
        for m, k, n in shapes:
            left = tf.cast(tf.random.uniform([m, k]), dtype)
            right = tf.cast(tf.random.uniform([k, n]), dtype)

            def call(left: object = left, right: object = right) -> object:
                # Reading one number makes sure that the device is done.
                return (left @ right)[0, 0].numpy()  # type: ignore[operator]

            calls[matmul_name(precision, (m, k, n))] = call
    return calls


def peak_flops(
    precision: str,
    times: Mapping[str, Sequence[float]],
    shapes: Sequence[MatmulShape] = MATMUL_SHAPES,
) -> tuple[float, MatmulShape]:
    """Return the highest rate of the measured shapes, and its shape.

    Args:
        precision: The precision to look at.
        times: Seconds of single calls, by `matmul_name`. Other names are ignored.
        shapes: The shapes that were measured. Each counts by its median.

    Returns:
        (floating-point operations per second, shape).
    """
    return max(
        (matmul_flops(shape) / median(times[matmul_name(precision, shape)]), shape)
        for shape in shapes
    )
