"""The screen of this computer as a source, through mss."""

import contextlib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from live_nst.errors import SourceError, SourceLostError
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.sources.base import SourceInfo, SourceRequest
from live_nst.sources.pacing import FrameSchedule
from live_nst.types import Closeable, Frame

_STUDIO_HINT = "start `live-nst studio` and share the screen in its page"
_SYNTAX = re.compile(r"screen(?::(?P<number>\d+))?(?::(?P<region>-?\d+(?:,-?\d+){3}))?")
_SYNTAX_HINT = (
    "write `screen`, `screen:2` for the second screen, or `screen:1:0,0,1280,720` for a part of "
    "it: left, top, width and height in pixels"
)


@dataclass(frozen=True, slots=True)
class ScreenRegion:
    """What a `screen` spec names.

    Attributes:
        number: Number of the screen, from 1; 0 for all screens together; None for the main one.
        region: Left, top, width and height of a part of it, in pixels; None for all of it.
    """

    number: int | None = None
    region: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen.

    Attributes:
        number: Its number for `--source screen:N`.
        left, top: Its place among all screens, in pixels.
        width, height: Its size in pixels.
        name: Its own name; may be empty.
        is_main: Whether it is the main one.
    """

    number: int
    left: int
    top: int
    width: int
    height: int
    name: str = ""
    is_main: bool = False

    def __str__(self) -> str:
        return f"screen {self.number} ({self.width}x{self.height})"


class ScreenGrabber(Protocol):
    """The part of `mss.MSS` that is used here."""

    @property
    def monitors(self) -> Sequence[Mapping[str, Any]]: ...  # noqa: D102
    def grab(self, monitor: dict[str, int], /) -> Any: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


GrabberOpener = Callable[[], ScreenGrabber]


def parse_screen(spec: str) -> ScreenRegion:
    """Parse `screen[:N][:x,y,w,h]`.

    Raises:
        SourceError: It has another form, or the region is empty.
    """
    match = _SYNTAX.fullmatch(spec)
    if match is None:
        raise SourceError(f"{spec!r} names no screen", _SYNTAX_HINT)
    number = None if match["number"] is None else int(match["number"])
    if match["region"] is None:
        return ScreenRegion(number)
    left, top, width, height = (int(value) for value in match["region"].split(","))
    if width <= 0 or height <= 0:
        raise SourceError(f"the region {match['region']} of the screen is empty", _SYNTAX_HINT)
    return ScreenRegion(number, (left, top, width, height))


def list_screens(
    *, opener: GrabberOpener | None = None, environ: Mapping[str, str] | None = None
) -> list[Screen]:
    """Return the screens of this computer.

    Raises:
        SourceError: They cannot be read: there is no display, or it belongs to Wayland.
    """
    grabber = _open(opener, environ)
    try:
        return _screens(grabber)
    finally:
        _close(grabber)


class ScreenSource(Closeable):
    """Frames of a screen or a part of it, at the rate that is asked for.

    Their size is that of the screen in pixels, whatever the request says. Frame k is taken k / fps
    seconds after opening; a late reader gets the newest one that is due.

    Args:
        which: The screen and the part of it.
        request: Its rate is used.
        clock: Gives the time and waits.
        opener: Opens the screens; None for `mss.MSS`.
        environ: The environment variables; None for those of this process.

    Raises:
        SourceError: There is no such screen, the region reaches beyond it, or nothing may be
            captured here.
    """

    def __init__(
        self,
        which: ScreenRegion,
        request: SourceRequest,
        clock: Clock | None = None,
        *,
        opener: GrabberOpener | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._grabber = _open(opener, environ)
        try:
            screen = _find(which.number, self._grabber)
            self._area = _area(which, screen)
            # What is captured may be larger than the screen's nominal size: Apple's Retina.
            height, width = self._grab().shape[:2]
        except SourceLostError as exc:  # it was never there: trying again does not help
            _close(self._grabber)
            raise SourceError(exc.message, exc.hint) from exc
        except BaseException:
            _close(self._grabber)
            raise
        name = "all screens" if screen.number == 0 else f"screen {screen.number}"
        detail = "" if which.region is None else "from {},{}".format(*which.region)
        self._info = SourceInfo(name, width, height, request.fps, detail)
        self._schedule = FrameSchedule(request.fps, self._clock)
        self._closed = False

    @property
    def info(self) -> SourceInfo:
        """The size of what is captured, and the rate that was asked for."""
        return self._info

    def read(self) -> Frame | None:
        """Wait until the next frame is due and capture it; None after `close`.

        Raises:
            SourceLostError: The screen cannot be captured any more, as when it was unplugged.
        """
        import cv2

        if self._closed:
            return None
        index = self._schedule.wait()
        captured = self._clock.now()
        image = cv2.cvtColor(self._grab(), cv2.COLOR_BGRA2BGR)
        return Frame(image, index, captured)  # type: ignore[arg-type]

    def close(self) -> None:
        """Leave the screens alone. Calling it again does nothing."""
        self._closed = True
        _close(self._grabber)

    def _grab(self) -> "np.ndarray[Any, np.dtype[np.uint8]]":
        """Return BGRA uint8 [height, width, 4]."""
        from mss.exception import ScreenShotError

        try:  # mss asserts that an X server answers, and one that has ended does not
            shot = self._grabber.grab(self._area)
        except (ScreenShotError, OSError, AssertionError) as exc:
            raise SourceLostError(
                f"the screen cannot be captured: {_first_line(exc)}",
                "allow it in the system's privacy settings, or " + _STUDIO_HINT,
            ) from exc
        return np.frombuffer(shot.raw, np.uint8).reshape(shot.size[1], shot.size[0], 4)


def _open(opener: GrabberOpener | None, environ: Mapping[str, str] | None) -> ScreenGrabber:
    environ = os.environ if environ is None else environ
    if sys.platform.startswith("linux"):
        _check_session(environ)
    from mss import MSS
    from mss.exception import ScreenShotError

    try:
        # Which of its classes comes back depends on the system.
        return MSS() if opener is None else opener()  # type: ignore[return-value,unused-ignore]
    except (ScreenShotError, OSError, AssertionError) as exc:
        raise SourceError(f"no screen can be captured: {_first_line(exc)}", _STUDIO_HINT) from exc


def _close(grabber: ScreenGrabber) -> None:
    """Close what captures; if the X server has ended, there is nothing left to close."""
    from mss.exception import ScreenShotError

    with contextlib.suppress(ScreenShotError, OSError, AssertionError):
        grabber.close()


def _check_session(environ: Mapping[str, str]) -> None:
    """Raise where a Linux desktop lets no program capture its screen."""
    if environ.get("WAYLAND_DISPLAY") or environ.get("XDG_SESSION_TYPE") == "wayland":
        raise SourceError(
            "the screen cannot be captured: this desktop runs Wayland, which allows that to no "
            "program of its own",
            _STUDIO_HINT,
        )
    if not environ.get("DISPLAY"):
        raise SourceError(
            "there is no screen to capture: DISPLAY is not set",
            "start live-nst on a desktop; for the screen of another computer, "
            "start `live-nst studio` here and share the screen in its page",
        )


def _screens(grabber: ScreenGrabber) -> list[Screen]:
    """Return the screens, numbered from 1."""
    monitors = list(grabber.monitors)[1:]  # the first entry is all screens together
    main = next((i for i, monitor in enumerate(monitors) if monitor.get("is_primary")), 0)
    return [
        _screen(number, monitor, is_main=number - 1 == main)
        for number, monitor in enumerate(monitors, 1)
    ]


def _screen(number: int, monitor: Mapping[str, Any], *, is_main: bool) -> Screen:
    left, top, width, height = (monitor[key] for key in ("left", "top", "width", "height"))
    name = str(monitor.get("output") or "")
    return Screen(number, left, top, width, height, name, is_main)


def _find(number: int | None, grabber: ScreenGrabber) -> Screen:
    screens = _screens(grabber)
    if number == 0:
        return _screen(0, grabber.monitors[0], is_main=False)
    for screen in screens:
        if screen.is_main if number is None else screen.number == number:
            return screen
    if not screens:
        raise SourceError("there is no screen to capture", _STUDIO_HINT)
    numbers = ", ".join(f"{screen.number} ({screen.width}x{screen.height})" for screen in screens)
    raise SourceError(f"there is no screen {number}", f"use one of these: {numbers}")


def _area(which: ScreenRegion, screen: Screen) -> dict[str, int]:
    """Return what mss is asked for; its origin is that of all screens together."""
    if which.region is None:
        left, top, width, height = 0, 0, screen.width, screen.height
    else:
        left, top, width, height = which.region
    inside = left >= 0 and top >= 0
    if not inside or left + width > screen.width or top + height > screen.height:
        raise SourceError(
            f"the region {left},{top},{width},{height} reaches beyond the screen",
            f"stay within 0,0,{screen.width},{screen.height}",
        )
    return {
        "left": screen.left + left,
        "top": screen.top + top,
        "width": width,
        "height": height,
    }


def _first_line(exc: Exception) -> str:
    if isinstance(exc, AssertionError):
        return "it does not answer any more"
    return str(exc).split("\n", 1)[0].rstrip(".:") or type(exc).__name__
