"""Convolution kernels for the same convolution at half the resolution. Pure NumPy.

A picture of even sides can be held in *blocks*: `[height / 2, width / 2, 4 * channels]`, where the
four pixels of a square of two by two lie one after the other in the channels, by row, then by
column, each with all its channels; it is what "space to depth" gives. A convolution on a picture
is another convolution on its blocks, with fewer taps and more channels, which processors do better
when the picture has few channels.

All kernels are float32 `[height, width, channels in, channels out]`.
"""

import numpy as np
from numpy.typing import NDArray

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
    """A convolution of 3x3 on a picture enlarged twice (nearest neighbour), done before enlarging.

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
