"""The weights with which a `Live` student starts: those of a `Mobile` one, as far as they fit."""

import numpy as np

from tools.train_model.checkpoint import State
from tools.train_model.onnx_weights import RESIDUAL_BLOCKS
from tools.train_model.students import Live, make, state_of

_BEFORE, _AFTER = 2, 3
"""How far a kernel of 3x3 blocks of 2x2 pixels reaches from the first pixel of a block."""


def live_from_mobile(mobile: State, seed: int = 0) -> State:
    """Return weights for `students.Live`.

    The last residual blocks of `Mobile` are left out: without its fifth one, its paintings change
    least. Its first two convolutions become one, without the activation between them, and cut to
    what the new kernel reaches. `refine` and `leave` are new.

    Args:
        mobile: The weights of a `students.Mobile`, by name.
        seed: Of the new weights.
    """
    state = dict(state_of(make("live", seed)))
    state |= {name: values for name, values in mobile.items() if name.startswith("head.")}
    kept, last = 2 * Live.BLOCKS, 2 * RESIDUAL_BLOCKS
    for index in range(kept):
        state[f"body.{index}.conv.weight"] = mobile[f"convs.{index}.conv.weight"]
    state["up.conv.weight"] = mobile[f"convs.{last}.conv.weight"]
    places = [(index, index, 1) for index in range(kept)] + [(kept, last, 1)]
    for ours, theirs, times in [*places, (kept + 2, last + 2, Live.BLOCK**2)]:
        for part in ("gamma.weight", "gamma.bias", "beta.weight", "beta.bias"):
            values = mobile[f"norms.{theirs}.{part}"]
            state[f"norms.{ours}.{part}"] = np.concatenate([values] * times)
    for part in ("weight", "bias"):
        state[f"down.conv.{part}"] = mobile[f"down.2.conv.{part}"]
    first, second = mobile["down.0.conv.weight"], mobile["down.1.conv.weight"]
    bias = np.einsum("omyx,m->o", second, mobile["down.0.conv.bias"])
    state["enter.conv.weight"] = _on_blocks(_composed(first, second))
    state["enter.conv.bias"] = np.float32(mobile["down.1.conv.bias"] + bias)
    return state


def _composed(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the kernel of two convolutions `[out, in, side, side]`, one after the other."""
    side, steps = first.shape[-1], second.shape[-1]
    whole = np.zeros((len(second), first.shape[1], *[side + steps - 1] * 2), np.float32)
    for y in range(steps):
        for x in range(steps):
            part = np.einsum("om,mcij->ocij", second[:, :, y, x], first)
            whole[:, :, y : y + side, x : x + side] += part
    return whole


def _on_blocks(kernel: np.ndarray) -> np.ndarray:
    """Cut a kernel for steps of two pixels to 3x3 blocks of 2x2 pixels, as `space_to_depth` has."""
    middle = kernel.shape[-1] // 2
    near = slice(middle - _BEFORE, middle + _AFTER + 1)
    outputs, inputs = kernel.shape[:2]
    blocks = kernel[:, :, near, near].reshape(outputs, inputs, 3, 2, 3, 2)
    return np.ascontiguousarray(blocks.transpose(0, 3, 5, 1, 2, 4).reshape(outputs, -1, 3, 3))
