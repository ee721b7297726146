"""A stream's stabilizer, told of what changes by will and not by flicker."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.engines.base import Bottleneck, StylizedFrame
from live_nst.stabilizer import Stabilizer, check_mode
from live_nst.stabilizer.filter import STATE_FORMAT, StabilizerState
from live_nst.stylizer.transition import bottleneck_distance

_PREFIX = "steady."


class FrameStabilizer:
    """Steadies paintings in the order of their frames.

    Args:
        mode: "off", "fast" or "best".
        style: The style of the first painting.

    Raises:
        UsageError: There is no such mode.
    """

    def __init__(self, mode: str, style: Bottleneck) -> None:
        self.mode = check_mode(mode)
        self._stabilizer = None if mode == "off" else Stabilizer(mode)
        self._style = style
        self._share = 1.0
        self._last: tuple[StylizedFrame, StylizedFrame] | None = (
            None  # as it was given, and steadied
        )

    def __call__(self, painted: StylizedFrame, style: Bottleneck, share: float) -> StylizedFrame:
        """The next painting, steadied.

        Args:
            painted: What the network saw and made. The same one again, as nothing has changed
                since, comes back as it was steadied.
            style: The style it was painted in.
            share: How much of that style it was given, 0..1; the rest is the frame's own.
        """
        if self._stabilizer is None:
            return painted
        if self._last is not None and painted is self._last[0]:
            return self._last[1]
        # Styles have next to nothing in common with a frame's own: a share is worth as much.
        change = max(share, self._share) * bottleneck_distance(self._style, style) + abs(
            share - self._share
        )
        self._style, self._share = style, share
        steadied = self._stabilizer(painted.content, painted.stylized, change)
        self._last = painted, StylizedFrame(painted.content, steadied)
        return self._last[1]

    def reset(self, style: Bottleneck) -> None:
        """Forget the frames so far; the next one is in that style, or told of otherwise."""
        if self._stabilizer is not None:
            self._stabilizer.state = None
        self._last = None
        self._style = style

    def settings(self) -> str:
        """What shapes its pictures and its memory, in words that can be compared."""
        return self.mode if self._stabilizer is None else f"{self.mode} {STATE_FORMAT}"

    def state_arrays(self) -> dict[str, NDArray[Any]]:
        """What is kept of the frames so far, by names of its own; nobody writes into it."""
        if self._stabilizer is None or self._stabilizer.state is None:
            return {}
        kept = {_PREFIX + k: v for k, v in self._stabilizer.state._asdict().items()}
        return kept | {"style": self._style, "style share": np.array(self._share)}

    def restore_state(self, memory: Mapping[str, NDArray[Any]]) -> None:
        """Go on after the frames that `state_arrays` is of."""
        steady = {k[len(_PREFIX) :]: v for k, v in memory.items() if k.startswith(_PREFIX)}
        if self._stabilizer is not None and steady:
            self._stabilizer.state = StabilizerState(**steady)
            self._style, self._share = memory["style"], float(memory["style share"])
