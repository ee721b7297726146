"""Resize inside a TensorFlow graph, with the same results as OpenCV on the host."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.runtime.tensorflow import import_tensorflow
from live_nst.types import Size

ResizeTaps = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Indexes and weights of the source pixels of each target pixel: both `[count, target]`."""

_SHARPNESS = -0.75
"""The slope `a` of OpenCV's cubic kernel. TensorFlow's own bicubic resize has -0.5."""


def area_resize(image: Any, size: Size, *, by_taps: bool) -> Any:
    """Resize by area averaging.

    Args:
        image: uint8 `[height, width, channels]` of fixed shape.
        size: (width, height) of the result.
        by_taps: Sum gathered pixels. XLA and GPUs need it, as `ResizeArea` has no kernel for them.
            The result is the same.

    Returns:
        float32 `[height, width, channels]`, 0..255.
    """
    tf = import_tensorflow()
    height, width, _ = image.shape.as_list()
    if (width, height) == size:
        return tf.cast(image, tf.float32)
    if not by_taps:
        return tf.raw_ops.ResizeArea(images=image[None], size=[size[1], size[0]])[0]
    return _resize(tf.cast(image, tf.float32), size, (0, 1), area_taps)


def area_taps(source: int, target: int) -> ResizeTaps:
    """Return the source pixels that each target pixel covers, and its share of each."""
    edges = np.arange(target + 1) * (source / target)
    first = np.floor(edges[:-1])
    indexes = first + np.arange(int((np.ceil(edges[1:]) - first).max()))[:, None]
    covered = np.minimum(edges[1:], indexes + 1) - np.maximum(edges[:-1], indexes)
    weights = (covered.clip(min=0) * (target / source)).astype(np.float32)
    return np.minimum(indexes, source - 1).astype(np.int32), weights


def cubic_resize(image: Any, size: Size) -> Any:
    """Resize bicubically, as OpenCV's `INTER_CUBIC` does.

    The centers of pixels are aligned, and the border is replicated.

    Args:
        image: float32 `[height, width, channels]` of fixed shape.
        size: (width, height) of the result.

    Returns:
        float32 `[height, width, channels]`, not rounded; it may overshoot.
    """
    return _resize(image, size, (1, 0), cubic_taps)


def cubic_taps(source: int, target: int) -> ResizeTaps:
    """Return the four source pixels of each target pixel.

    Keys, "Cubic convolution interpolation for digital image processing" (1981), equation 15 in its
    general form, with a of -0.75.

    Returns:
        Their indexes, and their weights, whose sum is 1: both `[4, target]`.
    """
    centers = (np.arange(target) + 0.5) * (source / target) - 0.5
    first = np.floor(centers)
    t = centers - first
    a = _SHARPNESS
    near = [((a + 2) * d - (a + 3)) * d * d + 1 for d in (t, 1 - t)]
    far = [((a * d - 5 * a) * d + 8 * a) * d - 4 * a for d in (1 + t, 2 - t)]
    weights = np.stack([far[0], near[0], near[1], far[1]]).astype(np.float32)
    indexes = first.astype(np.int32) + np.arange(-1, 3, dtype=np.int32)[:, None]
    return np.clip(indexes, 0, source - 1), weights


def _resize(
    image: Any, size: Size, axes: tuple[int, int], taps: Callable[[int, int], ResizeTaps]
) -> Any:
    """Resize one axis after the other, each by a sum of gathered pixels.

    XLA compiles it to a loop. A product with a matrix of weights would mostly multiply by zeros,
    and a GPU would compute it in TF32.
    """
    tf = import_tensorflow()
    for axis in axes:
        target = size[1 - axis]
        along = [target if each == axis else 1 for each in range(3)]
        image = tf.add_n(
            [
                tf.gather(image, index, axis=axis) * weight.reshape(along)
                for index, weight in zip(*taps(image.shape[axis], target), strict=True)
            ]
        )
    return image
