"""Resizing inside a TensorFlow graph, equal to what OpenCV does on the host."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.runtime.tensorflow import import_tensorflow
from live_nst.types import Size

ResizeTaps = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Indexes and weights of the pixels that each of `target` is made of: both `[count, target]`."""

_SHARPNESS = -0.75
"""The slope `a` of OpenCV's cubic; TensorFlow's own bicubic resizing has -0.5."""


def area_resize(image: Any, size: Size, *, by_taps: bool) -> Any:
    """Resize by area averaging, in the graph.

    Args:
        image: uint8 `[height, width, channels]` of fixed shape.
        size: (width, height) of the result.
        by_taps: Add up what is gathered, for XLA and for GPUs, for which TensorFlow's `ResizeArea`
            has no kernel; the result is the same.

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
    """The pixels of `source` that each of `target` cells covers, and its share of each."""
    weights = area_weights(source, target)
    first = np.argmax(weights > 0, axis=1)
    count = int((weights > 0).sum(axis=1).max())
    reached = first + np.arange(count)[:, None]
    indexes = np.minimum(reached, source - 1)
    shares = np.take_along_axis(weights.T, indexes, axis=0) * (reached < source)
    return indexes.astype(np.int32), shares.astype(np.float32)


def area_weights(source: int, target: int) -> NDArray[np.float32]:
    """How much of each of `source` cells every one of `target` cells covers: `[target, source]`."""
    edges = np.arange(target + 1) * (source / target)
    cells = np.arange(source)
    left = np.maximum(edges[:-1, None], cells)
    right = np.minimum(edges[1:, None], cells + 1)
    weights: NDArray[np.float32] = np.clip(right - left, 0, None).astype(np.float32)
    return weights * np.float32(target / source)


def cubic_resize(picture: Any, size: Size) -> Any:
    """Resize bicubically, in the graph, as OpenCV's `INTER_CUBIC` does.

    The centers of pixels are aligned and the border is replicated.

    Args:
        picture: float32 `[height, width, channels]` of fixed shape.
        size: (width, height) of the result.

    Returns:
        float32 `[height, width, channels]`, not rounded; it may overshoot.
    """
    return _resize(picture, size, (1, 0), cubic_taps)


def cubic_taps(source: int, target: int) -> ResizeTaps:
    """The four of `source` pixels that each of `target` pixels is made of.

    Keys, "Cubic convolution interpolation for digital image processing" (1981), equation 15 in its
    general form, with a of -0.75.

    Returns:
        Their indexes, and their weights, which add up to 1: both `[4, target]`.
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
    picture: Any, size: Size, axes: tuple[int, int], taps: Callable[[int, int], ResizeTaps]
) -> Any:
    """One axis after the other, each a sum of gathered pictures.

    XLA makes a loop of that, while a product with a matrix of all weights would multiply by zeros
    mostly, and on a GPU in TF32.
    """
    tf = import_tensorflow()
    for axis in axes:
        target = size[1 - axis]
        along = [target if each == axis else 1 for each in range(3)]
        picture = tf.add_n(
            [
                tf.gather(picture, index, axis=axis) * weight.reshape(along)
                for index, weight in zip(*taps(picture.shape[axis], target), strict=True)
            ]
        )
    return picture
