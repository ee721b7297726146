"""When frames are shown, for files whose timestamps cannot be trusted."""

import av


class BestEffortTimestamps:
    """Gives the frames of a stream the timestamps that FFmpeg's own programs use.

    Some files, such as H.264 in AVI, store presentation times that go back and forth. Then the
    decoding times, which are those of the packets, are the better ones. FFmpeg counts the steps
    back of both and takes what has fewer.
    """

    def __init__(self) -> None:
        self._last_pts: int | None = None
        self._last_dts: int | None = None
        self._faulty_pts = 0
        self._faulty_dts = 0

    def next(self, frame: av.VideoFrame) -> int | None:
        """Return when a frame is shown, in units of its time base; None if the file does not say.

        Args:
            frame: Each frame of the stream, in the order of the decoder.
        """
        pts, dts = frame.pts, frame.dts
        if dts is not None:
            self._faulty_dts += self._last_dts is not None and dts <= self._last_dts
        if pts is not None:
            self._faulty_pts += self._last_pts is not None and pts <= self._last_pts
        self._last_dts = pts if dts is None else dts
        self._last_pts = dts if pts is None else pts
        if pts is not None and (dts is None or self._faulty_pts <= self._faulty_dts):
            return pts
        return dts
