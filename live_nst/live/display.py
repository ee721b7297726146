"""The display of a live session: a window with figures over the image, and its keys."""

from collections.abc import Callable
from typing import Protocol

from live_nst.live.keys import HELP_KEYS, KEY_ACTIONS, Action
from live_nst.runtime.timing import Clock
from live_nst.sinks.overlay import draw_overlay
from live_nst.sinks.window import Window
from live_nst.types import Frame

MESSAGE_SECONDS = 2.5
FIGURES_SECONDS = 0.25  # figures that change with every frame cannot be read


class Display(Protocol):
    """Shows frames and handles keys, all in the thread that calls `LivePipeline.run`."""

    def show(self, frame: Frame, notice: str) -> None:
        """Show a frame with a notice about the source over it, which may be empty."""
        ...

    def poll(self) -> None:
        """Handle the keys that were pressed since the last call."""
        ...

    @property
    def closed(self) -> bool:
        """Whether the user closed it."""
        ...

    def close(self) -> None:
        """Close it. Calling it again does nothing."""
        ...


class WindowDisplay:
    """A `Display` in a window.

    Args:
        window: Shows the image.
        figures: Returns the lines of the overlay; called a few times per second.
        perform: Called with the action of a key that was pressed, and the key.
        clock: Times messages.
    """

    def __init__(
        self,
        window: Window,
        figures: Callable[[], list[str]],
        perform: Callable[[Action, str], None],
        clock: Clock,
    ) -> None:
        self._window = window
        self._figures = figures
        self._perform = perform
        self._clock = clock
        self._overlay = True
        self._help = False
        self._message, self._message_until = "", 0.0
        self._lines: list[str] = []
        self._lines_until = 0.0

    def notify(self, sentence: str) -> None:
        """Show a short message for a moment."""
        self._message, self._message_until = sentence, self._clock.now() + MESSAGE_SECONDS

    def show(self, frame: Frame, notice: str) -> None:
        """Show a frame with figures, message, notice and help over it."""
        image = frame.image.copy()  # sinks get the image without them
        now = self._clock.now()
        message = [self._message] if now < self._message_until else []
        if now >= self._lines_until:
            self._lines, self._lines_until = self._figures(), now + FIGURES_SECONDS
        draw_overlay(
            image,
            [*(self._lines if self._overlay else []), *message],
            notice=notice,
            keys=HELP_KEYS if self._help else (),
        )
        self._window.show(image)

    def poll(self) -> None:
        """Handle one key, if one was pressed."""
        key = self._window.poll()
        action = KEY_ACTIONS.get(key) if key else None
        if key is None or action is None:
            return
        if action is Action.OVERLAY:
            self._overlay = not self._overlay
        elif action is Action.HELP:
            self._help = not self._help
        elif action is Action.FULLSCREEN:
            self._window.toggle_fullscreen()
        self._perform(action, key)

    @property
    def closed(self) -> bool:
        """Whether the user closed the window."""
        return self._window.closed

    def close(self) -> None:
        """Close the window."""
        self._window.close()
