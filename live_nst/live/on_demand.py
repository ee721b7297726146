"""`--on-demand`: while nobody reads the virtual camera, the source rests."""

import threading
from collections.abc import Callable
from typing import Protocol

from live_nst.live.capture_worker import CaptureWorker
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sinks.loopback_usage import DeviceUsage
from live_nst.types import Closeable, Notify

REST_NOTICE = "it rests, as no program reads the virtual camera"

_POLL_SECONDS = 0.25
_RELEASE_SECONDS = 3.0  # without a reader: a program may only change its settings
_PROBE_SECONDS = 2.0  # browsers open and close every camera when they list them


class RestingSink(Protocol):
    """A sink that can show a card instead of frames, at a low rate."""

    def rest(self) -> None: ...  # noqa: D102
    def wake(self) -> None: ...  # noqa: D102


class Debounce:
    """Follows a switch, but only when it stays where it is for a while.

    Args:
        on_seconds: How long it must be on.
        off_seconds: How long it must be off.
        state: What it is at first.
    """

    def __init__(self, on_seconds: float, off_seconds: float, state: bool) -> None:
        self._seconds = {True: on_seconds, False: off_seconds}
        self._since: float | None = None
        self.state = state

    def update(self, value: bool, now: float) -> bool:
        """Return the state after a look at the switch at the time `now`."""
        if value == self.state:
            self._since = None
        else:
            self._since = now if self._since is None else self._since
            if now - self._since >= self._seconds[value]:
                self.state, self._since = value, None
        return self.state


class OnDemand(Closeable):
    """Lets a source rest while nobody reads the virtual camera, in a thread of its own.

    Args:
        usage: Tells whether a program reads the camera; closed at the end.
        is_exact: Whether it counts readers only. Otherwise who only looks at the device is waited
            for to go away.
        capture: Reads the source.
        camera: Shows a card meanwhile, which keeps the device a camera.
        is_needed: Returns whether frames are needed for something else, such as a recording.
        notify: Called with a sentence when the source rests or wakes.
        clock: Times the waiting.
    """

    def __init__(
        self,
        usage: DeviceUsage,
        is_exact: bool,
        capture: CaptureWorker,
        camera: RestingSink,
        is_needed: Callable[[], bool],
        notify: Notify,
        clock: Clock | None = None,
    ) -> None:
        self._usage = usage
        self._capture = capture
        self._camera = camera
        self._is_needed = is_needed
        self._notify = notify
        self._clock = clock or SystemClock()
        self._debounce = Debounce(0.0 if is_exact else _PROBE_SECONDS, _RELEASE_SECONDS, True)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-nst on demand", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def close(self) -> None:
        """Watch no more; the source stays as it is. Calling it again does nothing."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self._usage.close()

    def step(self) -> None:
        """Look once, and let the source rest or wake."""
        used = self._usage.wait(_POLL_SECONDS)
        before = self._debounce.state
        needed = self._is_needed()
        if needed:
            self._debounce.state = True  # at once
        active = self._debounce.update(used or needed, self._clock.now())
        if active:
            self._camera.wake()
            self._capture.wake()
        else:
            self._camera.rest()
            self._capture.rest(REST_NOTICE)
        if active != before:
            self._notify(
                "The source is used again."
                if active
                else "No program reads the virtual camera: the source is released."
            )

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self.step()
        except BaseException as exc:  # the session goes on without it
            self._camera.wake()
            self._capture.wake()
            self._notify(f"--on-demand ended: {exc}")
