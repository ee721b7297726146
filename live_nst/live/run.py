"""Run a live session from its options, with its window and the signals that end it."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from live_nst.live.actions import ActionHandler
from live_nst.live.display import WindowDisplay
from live_nst.live.figures import overlay_lines
from live_nst.live.options import LiveOptions
from live_nst.live.session import LiveSession, no_progress
from live_nst.live.stats import LiveReport
from live_nst.runtime.signals import handle_stop_signals, raise_interrupt
from live_nst.runtime.timing import SystemClock
from live_nst.sinks.x11 import require_display
from live_nst.types import Closeable, DownloadProgress, Notify

Attach = Callable[[LiveSession], Closeable]
"""Opens something that reads and changes a session while it runs, such as a server."""

SavePreset = Callable[[LiveSession], Path]
"""Writes what a session is set to into a file, and returns its path."""


def run_live(
    options: LiveOptions,
    notify: Notify,
    progress: DownloadProgress = no_progress,
    attach: Sequence[Attach] = (),
    save_preset: SavePreset | None = None,
) -> LiveReport:
    """Run a session until it ends, and report on it.

    The first signal to stop ends it cleanly, a second one at once; see `runtime.signals`.

    Args:
        options: What to do.
        notify: Called with one sentence at a time, from any thread.
        progress: Called while a model is downloaded.
        attach: Called, in order, before the first frame. What they return is closed at the end.
        save_preset: Called by the window's key for presets; None if it does nothing.

    Returns:
        The figures of the session.

    Raises:
        LiveNstError: Something cannot be opened or used, or broke.
        KeyboardInterrupt: A signal came before the pipeline started.
    """
    options.check()
    if options.window:
        require_display()
    with handle_stop_signals(raise_interrupt) as stop, ExitStack() as stack:
        session = stack.enter_context(LiveSession(options, notify, progress))
        for each in attach:
            stack.enter_context(each(session))
        display = _open_display(session, save_preset) if options.window else None
        stop.on_request = session.stop
        return session.run(display)


def _open_display(session: LiveSession, save_preset: SavePreset | None) -> WindowDisplay:
    """Open the window, with its overlay and keys."""
    from live_nst.sinks.window import Window

    info = session.info
    window = Window("live-nst", (info.width, info.height), session.options.fullscreen)
    figures = partial(overlay_lines, session.pipeline, session.stylizer, session.streams)
    save = None if save_preset is None else partial(save_preset, session)
    perform = ActionHandler(session.control, save).perform
    display = WindowDisplay(window, figures, perform, SystemClock())
    session.listen(display.notify)
    return display
