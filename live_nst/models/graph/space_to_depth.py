"""Pictures padded by reflection and held in blocks, as parts of a graph that is being built.

What blocks are, `live_nst.models.graph.space_to_depth` says. Tensors are `[batch, height, width, channels]`.
"""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from live_nst.runtime.tensorflow import import_tensorflow

Reflection = Literal["REFLECT", "SYMMETRIC"]
"""Whether the edge itself is not repeated, or is."""


def pad_by_reflection(x: Any, before: int, after: int, mode: Reflection) -> Any:
    """`x` with as many rows and columns more, in one operation."""
    both = [before, after]
    return import_tensorflow().pad(x, [[0, 0], both, both, [0, 0]], mode)


def pad_blocks_by_reflection(blocks: Any, border: int) -> Any:
    """Blocks of a picture padded by reflection: `border` more blocks on each side.

    A pixel and its reflection are both even or both odd. So the first pixel of a block beyond the
    upper or left edge is found without repeating the edge's block, the second one with repeating
    it, and beyond the other edges it is the other way round.
    """
    x = blocks
    for axis, parts in ((1, 2), (2, 4)):
        last = _sides(x)[axis - 1] - 1
        edge = range(border)
        before = [_alternating(x, axis, parts, border - i, border - 1 - i) for i in edge]
        after = [_alternating(x, axis, parts, last - i, last - 1 - i) for i in edge]
        x = import_tensorflow().concat([*before, x, *after], axis)
    return x


def _alternating(blocks: Any, axis: int, parts: int, even: Any, odd: Any) -> Any:
    """A row or column of blocks whose even pixels are those of one, and its odd ones of another.

    Args:
        blocks: Where they are taken from.
        axis: 1 for a row, 2 for a column.
        parts: How often even and odd pixels alternate in a block: 2 for rows, 4 for columns.
        even: The number of the one.
        odd: The number of the other.
    """
    tf = import_tensorflow()
    channels = blocks.shape[3] // parts
    pieces = []
    for part in range(parts):
        begin, size = [0, 0, 0, part * channels], [1, *_sides(blocks), channels]
        begin[axis], size[axis] = (even, odd)[part % 2], 1
        pieces.append(tf.slice(blocks, begin, size))
    return tf.concat(pieces, 3)


def to_blocks(x: Any) -> Any:
    """A picture in blocks; on a CPU in half of the time of TensorFlow's own operation."""
    height, width = _sides(x)
    channels = x.shape[3]
    rows = _swapped(x, [height // 2, 2, width // 2, 2 * channels])
    return import_tensorflow().reshape(rows, [x.shape[0], height // 2, width // 2, 4 * channels])


def to_pixels(blocks: Any) -> Any:
    """The picture that is held in `blocks`, likewise."""
    height, width = _sides(blocks)
    channels = blocks.shape[3] // 4
    rows = _swapped(blocks, [height, width, 2, 2 * channels])
    return import_tensorflow().reshape(rows, [blocks.shape[0], 2 * height, 2 * width, channels])


def _swapped(x: Any, shape: list[Any]) -> Any:
    """`x` in another shape, with the middle two axes of that swapped."""
    tf = import_tensorflow()
    return tf.transpose(tf.reshape(x, [x.shape[0], *shape]), [0, 1, 3, 2, 4])


def _sides(x: Any) -> tuple[Any, Any]:
    """Height and width, as tensors."""
    _, height, width, _ = import_tensorflow().unstack(import_tensorflow().shape(x))
    return height, width


Kernel = NDArray[np.float32]


def blocks_to_blocks(kernel: Kernel) -> tuple[Kernel, int]:
    """A convolution of stride 1 whose input and output are both in blocks.

    Args:
        kernel: Square, of an odd side, with its middle on the output pixel.

    Returns:
        The kernel `[n, n, 4 * in, 4 * out]`, and how many blocks it reaches in each direction.
    """
    side, _, inputs, outputs = kernel.shape
    border = side // 2
    reach = (border + 1) // 2
    taps = 2 * reach + 1
    blocks = np.zeros((taps, taps, 2, 2, inputs, 2, 2, outputs), np.float32)
    for row in range(2):  # of the output pixel in its block
        for column in range(2):
            for y in range(side):
                block_y, in_y = divmod(row + y - border, 2)
                for x in range(side):
                    block_x, in_x = divmod(column + x - border, 2)
                    place = block_y + reach, block_x + reach, in_y, in_x
                    blocks[(*place, slice(None), row, column)] = kernel[y, x]
    return blocks.reshape(taps, taps, 4 * inputs, 4 * outputs), reach


def blocks_to_pixels(kernel: Kernel) -> Kernel:
    """A convolution of 3x3 and stride 2 whose input is in blocks, and its output not.

    Returns:
        A kernel `[2, 2, 4 * in, out]` of stride 1. The picture's reflected row above is the second
        row of the first block, and likewise on the left: the blocks need one more there, a copy of
        the first.
    """
    _, _, inputs, outputs = kernel.shape
    blocks = np.zeros((2, 2, 2, 2, inputs, outputs), np.float32)
    for y in range(3):
        block_y, in_y = divmod(y - 1, 2)
        for x in range(3):
            block_x, in_x = divmod(x - 1, 2)
            blocks[block_y + 1, block_x + 1, in_y, in_x] = kernel[y, x]
    return blocks.reshape(2, 2, 4 * inputs, outputs)


def upsampled_to_blocks(kernel: Kernel) -> Kernel:
    """A convolution of 3x3 on a picture enlarged twice (nearest neighbor), done before enlarging.

    Returns:
        A kernel `[2, 2, in, 4 * out]`. On the picture with its edge repeated once all around it
        gives the enlarged result in blocks, with one more row and column of pixels all around.
    """
    _, _, inputs, outputs = kernel.shape
    blocks = np.zeros((2, 2, inputs, 2, 2, outputs), np.float32)
    for row in range(2):
        for y in range(3):
            # A block's first pixel is the second of the two that one source pixel becomes.
            source_y = (row + 1 + y - 1) // 2
            for column in range(2):
                for x in range(3):
                    source_x = (column + 1 + x - 1) // 2
                    blocks[source_y, source_x, :, row, column] += kernel[y, x]
    return blocks.reshape(2, 2, inputs, 4 * outputs)


def upsampled_to_aligned_blocks(kernel: Kernel) -> Kernel:
    """The same, with the blocks where those of the enlarged picture are.

    Returns:
        A kernel `[3, 3, in, 4 * out]`, of whose taps every pixel of a block uses four. On the
        picture with its edge repeated once all around it gives the result in blocks.
    """
    _, _, inputs, outputs = kernel.shape
    blocks = np.zeros((3, 3, inputs, 2, 2, outputs), np.float32)
    for row in range(2):
        for y in range(3):
            source_y = (row + y - 1) // 2 + 1
            for column in range(2):
                for x in range(3):
                    source_x = (column + x - 1) // 2 + 1
                    blocks[source_y, source_x, :, row, column] += kernel[y, x]
    return blocks.reshape(3, 3, inputs, 4 * outputs)


def upsampled_transposed(kernel: Kernel) -> Kernel:
    """The same as a transposed convolution of 4x4 and stride 2.

    Returns:
        A kernel `[4, 4, out, in]`, as TensorFlow wants it. On the picture with its edge repeated
        once all around, with three rows and columns cropped all around, it gives the result.
    """
    _, _, inputs, outputs = kernel.shape
    transposed = np.zeros((4, 4, outputs, inputs), np.float32)
    for row in range(2):
        for y in range(3):
            source_y = (row + y - 1) // 2
            for column in range(2):
                for x in range(3):
                    source_x = (column + x - 1) // 2
                    tap = (row - 2 * source_y + 1, column - 2 * source_x + 1)
                    transposed[tap] += kernel[y, x].T
    return transposed
