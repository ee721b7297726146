"""Play a video in real time: when each of its frames is due, whatever its timestamps do."""

from live_nst.runtime.timing import Clock


class SteadyPositions:
    """Gives the frames of a video positions that go on where its own clock restarts or jumps.

    Joined recordings, broadcasts and the pieces of a stream have such clocks. The frame behind a
    jump follows the one before it at the usual interval, so that nothing is skipped or waited for.
    The limits are those of FFmpeg.

    Args:
        interval: Seconds from one frame to the next, until two frames have shown it.
        jumps_ahead: Whether a long step forward is a jump of the clock, too. Otherwise it is a
            pause, as in a recorded screen.
    """

    _BACKWARD_SECONDS = 0.1
    """A smaller step back is only a wrong order of two frames."""

    _FORWARD_SECONDS = 10.0

    def __init__(self, interval: float, *, jumps_ahead: bool) -> None:
        self._interval = interval
        self._jumps_ahead = jumps_ahead
        self._shift = 0.0
        self._position: float | None = None

    def next(self, time: float | None) -> float:
        """Return the position of the next frame in seconds.

        Args:
            time: Its time by the clock of the video; None if the file does not say.
        """
        last = self._position
        if time is None:
            self._position = 0.0 if last is None else last + self._interval
            return self._position
        position = time + self._shift
        if last is not None:
            step = position - last
            if self._is_jump(step):
                position = last + self._interval
                self._shift = position - time
            elif 0 < step < 1:
                self._interval = step
        self._position = position
        return position

    def _is_jump(self, step: float) -> bool:
        return step < -self._BACKWARD_SECONDS or (
            self._jumps_ahead and step > self._FORWARD_SECONDS
        )


class PlaybackClock:
    """Plays a file in real time: waits for frames that are early and skips those that are late."""

    _TOLERANCE = 0.05
    """Seconds that a frame may be late and still be shown."""

    _MAX_SKIPPING = 0.25
    """Seconds without a shown frame after which skipping ends; see `wait_for`."""

    _MAX_WAIT = 4.0
    """Seconds to wait for one frame at most. Longer, and the reader would report a lost source."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start: float | None = None
        self._late_since: float | None = None

    def wait_for(self, position: float) -> bool:
        """Wait until the frame at `position` (seconds) is due; return False at once if it is late.

        A machine that decodes too slowly would skip every frame. So after a quarter of a second the
        playback time is set to the current frame, and the video plays slowly instead.
        """
        now = self._clock.now()
        if self._start is None:
            self._start = now - position
        wait = self._start + position - now
        if wait < -self._TOLERANCE:
            self._late_since = now if self._late_since is None else self._late_since
            if now - self._late_since < self._MAX_SKIPPING:
                return False
        self._late_since = None
        if not -self._TOLERANCE <= wait <= self._MAX_WAIT:
            wait = min(max(wait, 0.0), self._MAX_WAIT)
            self._start = now + wait - position
        self._clock.sleep(wait)
        return True
