"""How much arithmetic a frame is."""

from live_nst.engines.base import Size

FLOPS_PER_PIXEL = {"mobile": 25_056, "hub": 860_544}
"""Floating-point operations for each pixel that the network sees, by the name of the model.

Counted over the convolutions of the network as it was published, a multiplication and an addition
each; normalisations and the like are below a hundredth of it. How an engine rearranges the network
does not change what counts as done.
"""


def frame_flops(model: str, size: Size) -> float | None:
    """Floating-point operations of one frame of network size `size`; None for unknown models."""
    per_pixel = FLOPS_PER_PIXEL.get(model)
    return None if per_pixel is None else float(per_pixel * size[0] * size[1])
