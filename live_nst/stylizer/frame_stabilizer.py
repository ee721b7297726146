"""The stabilizer as a stylizer uses it: it knows which changes come from a change of style."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.engines.base import Bottleneck, StylizedFrame
from live_nst.stabilizer.filter import STATE_FORMAT, StabilizerState
from live_nst.stabilizer.stabilizer import Stabilizer
from live_nst.styles.bottlenecks import bottleneck_distance

_STATE_PREFIX = "stabilizer."
_STYLE, _STYLE_SHARE = "style", "style share"


class FrameStabilizer:
    """Stabilizes stylized frames, given in order.

    Args:
        mode: One of `STABILIZE_MODES`.
        style: The style of the first frame.
    """

    def __init__(self, mode: str, style: Bottleneck) -> None:
        self.mode = mode
        self._stabilizer = None
        if mode != "off":
            self._stabilizer = Stabilizer("best" if mode == "best" else "fast")
        self._style = style
        self._style_share = 1.0
        self._last: tuple[StylizedFrame, StylizedFrame] | None = None  # argument and result

    def __call__(
        self, frame: StylizedFrame, style: Bottleneck, style_share: float
    ) -> StylizedFrame:
        """Return the next frame, stabilized.

        Args:
            frame: The frame before and after the network. The same object as in the last call
                returns the same result.
            style: The style of the frame.
            style_share: Share of that style, 0 to 1; the rest is the frame's content style.
        """
        if self._stabilizer is None:
            return frame
        if self._last is not None and frame is self._last[0]:
            return self._last[1]
        # A style differs from the content style as much as two styles do: about 1.
        style_change = max(style_share, self._style_share) * bottleneck_distance(self._style, style)
        style_change += abs(style_share - self._style_share)
        self._style, self._style_share = style, style_share
        stabilized = self._stabilizer(frame.content, frame.stylized, style_change)
        self._last = frame, StylizedFrame(frame.content, stabilized)
        return self._last[1]

    def reset(self, style: Bottleneck) -> None:
        """Forget the frames so far; the next one has that style."""
        if self._stabilizer is not None:
            self._stabilizer.state = None
        self._last = None
        self._style = style

    def settings(self) -> str:
        """Return text that identifies the filter and the format of its state."""
        return self.mode if self._stabilizer is None else f"{self.mode} {STATE_FORMAT}"

    def state_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is kept of the frames so far, by name; the arrays must not be modified."""
        if self._stabilizer is None or self._stabilizer.state is None:
            return {}
        arrays = self._stabilizer.state._asdict()
        return {
            **{_STATE_PREFIX + name: array for name, array in arrays.items()},
            _STYLE: self._style,
            _STYLE_SHARE: np.array(self._style_share),
        }

    def restore_state(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue after the frames that `arrays` were returned for by `state_arrays`."""
        fields = {
            name.removeprefix(_STATE_PREFIX): array
            for name, array in arrays.items()
            if name.startswith(_STATE_PREFIX)
        }
        if self._stabilizer is not None and fields:
            self._stabilizer.state = StabilizerState(**fields)
            self._style, self._style_share = arrays[_STYLE], float(arrays[_STYLE_SHARE])
