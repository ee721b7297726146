"""Convert decoded frames to the images that a player shows."""

from fractions import Fraction

import av

from live_nst.runtime.pyav import Ratio
from live_nst.types import Image
from live_nst.video.color import ToBgr
from live_nst.video.geometry import (
    display_size,
    orientation_of,
    pixel_aspect_of,
    plausible_aspect,
    upright_size,
)


class ToDisplay:
    """Converts the frames of a stream to images that are upright and have square pixels.

    The size and the pixel shape of the frames may change from one to the next, as they do in
    broadcasts. Not thread-safe.

    Args:
        stream: The stream that is decoded.
    """

    def __init__(self, stream: av.VideoStream) -> None:
        self._stream = stream
        self._aspect: Fraction | None = None  # by the file
        self._coded_aspect: Ratio | None = None  # by the encoder, in the first frame
        self._form: object = None  # everything that `_to_bgr` was made for

    def __call__(self, frame: av.VideoFrame) -> Image:
        """Return a new image of a frame, BGR uint8 `[height, width, 3]`."""
        coded_aspect = self._stream.codec_context.sample_aspect_ratio
        # `rotation` is not the whole orientation, but changes with it.
        form = (frame.width, frame.height, frame.rotation, coded_aspect)
        if form != self._form:
            self._to_bgr = self._converter(frame, coded_aspect)
            self._form = form
        return self._to_bgr(frame)

    def _converter(self, frame: av.VideoFrame, coded_aspect: Ratio | None) -> ToBgr:
        """Return the converter of this frame and of those that are like it."""
        if self._aspect is None:
            self._aspect, self._coded_aspect = pixel_aspect_of(self._stream), coded_aspect
        # What the file says holds for its beginning. Later changes are only in the frames.
        changed = coded_aspect != self._coded_aspect
        aspect = plausible_aspect(coded_aspect) if changed else self._aspect
        orientation = orientation_of(frame)
        size, aspect = upright_size((frame.width, frame.height), aspect, orientation)
        return ToBgr(display_size(size, aspect), orientation, threads=0)
