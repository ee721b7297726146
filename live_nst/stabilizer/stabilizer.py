"""Removal of flicker from one stylized video."""

from typing import Literal

from live_nst.stabilizer.filter import ScratchBuffers, StabilizerState, stabilize_frame
from live_nst.stabilizer.motion import DisFlowEstimator
from live_nst.types import Image


class Stabilizer:
    """Stabilizes the frames of one video, without delay.

    Frames are given in order, from one thread at a time.

    Args:
        mode: "fast", or "best": more exact motion, which takes longer to estimate, and bicubic
            warping, which keeps the image sharper.

    Attributes:
        state: What is kept of the last frame; None before the first. It may be replaced.
    """

    def __init__(self, mode: Literal["fast", "best"] = "fast") -> None:
        self._best = mode == "best"
        self._estimate_flow = DisFlowEstimator(fine=self._best)
        self._scratch = ScratchBuffers()
        self.state: StabilizerState | None = None

    def __call__(self, content: Image, stylized: Image, style_change: float = 0.0) -> Image:
        """Return the stabilized image, a new array; see `filter.stabilize_frame`."""
        self.state, stabilized = stabilize_frame(
            self.state,
            content,
            stylized,
            self._estimate_flow,
            style_change=style_change,
            bicubic=self._best,
            scratch=self._scratch,
        )
        return stabilized
