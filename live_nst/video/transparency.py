"""Find out whether a video has transparent parts."""

import av

from live_nst.video.color import is_rgb


def is_transparent(stream: av.VideoStream, frame: av.VideoFrame) -> bool:
    """Return whether a frame has transparent parts, as far as the file tells or the frame shows.

    Args:
        stream: The stream of the frame.
        frame: A decoded frame.
    """
    # WebM stores the transparency of VP8 and VP9 beside the frames, where it is not decoded.
    for key, value in stream.metadata.items():
        if key.lower() == "alpha_mode" and value == "1":
            return True
    if not any(component.is_alpha for component in frame.format.components):
        return frame.format.has_palette and _shows_through(frame)
    # Programs that record screens fill the fourth byte of RGB with anything.
    return not is_rgb(frame) or _shows_through(frame)


def _shows_through(frame: av.VideoFrame) -> bool:
    """Return whether some pixels are transparent and others are not."""
    alpha = frame.reformat(format="rgba").to_ndarray()[..., 3]
    return bool((alpha < 255).any() and alpha.any())
