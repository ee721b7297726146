"""Pictures padded by reflection and held in blocks, as parts of a graph that is being built.

What blocks are, `live_nst.models.kernels` says. Tensors are `[batch, height, width, channels]`.
"""

from typing import Any, Literal

from live_nst.engines.runtime import tensorflow

Reflection = Literal["REFLECT", "SYMMETRIC"]
"""Whether the edge itself is not repeated, or is."""


def padded(x: Any, before: int, after: int, mode: Reflection) -> Any:
    """`x` with as many rows and columns more, in one operation."""
    both = [before, after]
    return tensorflow().pad(x, [[0, 0], both, both, [0, 0]], mode)


def reflected_blocks(blocks: Any, border: int) -> Any:
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
        x = tensorflow().concat([*before, x, *after], axis)
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
    tf = tensorflow()
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
    return tensorflow().reshape(rows, [x.shape[0], height // 2, width // 2, 4 * channels])


def to_pixels(blocks: Any) -> Any:
    """The picture that is held in `blocks`, likewise."""
    height, width = _sides(blocks)
    channels = blocks.shape[3] // 4
    rows = _swapped(blocks, [height, width, 2, 2 * channels])
    return tensorflow().reshape(rows, [blocks.shape[0], 2 * height, 2 * width, channels])


def _swapped(x: Any, shape: list[Any]) -> Any:
    """`x` in another shape, with the middle two axes of that swapped."""
    tf = tensorflow()
    return tf.transpose(tf.reshape(x, [x.shape[0], *shape]), [0, 1, 3, 2, 4])


def _sides(x: Any) -> tuple[Any, Any]:
    """Height and width, as tensors."""
    _, height, width, _ = tensorflow().unstack(tensorflow().shape(x))
    return height, width
