"""A stream's stabilizer: `steady` with what it needs from frame to frame."""

from live_nst.errors import UsageError
from live_nst.stabilizer.filter import ScratchBuffers, StabilizerState, stabilize_frame
from live_nst.stabilizer.motion import DisFlowEstimator
from live_nst.types import Image

MODES = ("off", "fast", "best")
"""How much is done for a steady picture."""


def check_mode(mode: str) -> str:
    """Return `mode` if it is one of `MODES`.

    Raises:
        UsageError: It is not.
    """
    if mode not in MODES:
        raise UsageError(
            f"There is no way to stabilize called {mode!r}.", f"use {' or '.join(MODES)}"
        )
    return mode


class Stabilizer:
    """Steadies the frames of one stream as they come, without delay.

    Frames are given in their order, from one thread at a time.

    Args:
        mode: "fast", or "best": the same on a finer motion, which takes long to find, with the
            picture carried along bicubically, which keeps it sharper.

    Attributes:
        state: What is kept of the last frame; None before the first. It may be put back.
    """

    def __init__(self, mode: str = "fast") -> None:
        self._fine = mode == "best"
        self._motion = DisFlowEstimator(fine=self._fine)
        self._scratch = ScratchBuffers()
        self.state: StabilizerState | None = None

    def __call__(self, content: Image, stylized: Image, change: float = 0.0) -> Image:
        """The steadied picture, a new array; see `live_nst.stabilizer.filter.stabilize_frame`."""
        self.state, steadied = stabilize_frame(
            self.state,
            content,
            stylized,
            self._motion,
            change=change,
            fine=self._fine,
            scratch=self._scratch,
        )
        return steadied
