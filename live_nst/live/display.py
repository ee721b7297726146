"""The window of a live session: the picture, the figures over it, the keys."""

from collections.abc import Callable

from live_nst.live.keys import HELP_KEYS, KEY_ACTIONS, Action
from live_nst.runtime.timing import Clock
from live_nst.sinks.overlay import draw_overlay
from live_nst.sinks.window import Window
from live_nst.types import Frame

MESSAGE_SECONDS = 2.5
FIGURES_SECONDS = 0.25  # figures that change with every frame cannot be read


class WindowDisplay:
    """Shows frames with an overlay, and turns keys into actions; see `pipeline.Display`.

    Args:
        window: Where it shows them.
        figures: The overlay's lines, asked for a few times a second.
        perform: Carries out an action that a key asked for.
        clock: For how long a message stays.
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
        """Draw the overlay on a copy of the frame and show it."""
        image = frame.image.copy()  # sinks get the picture without it
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
        """Whether the window was closed."""
        return self._window.closed

    def close(self) -> None:
        """Close the window."""
        self._window.close()
