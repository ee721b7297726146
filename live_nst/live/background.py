"""Work beside the stream, so that no change of the style or the size stalls it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from live_nst.errors import LiveNstError
from live_nst.runtime.timing import Clock
from live_nst.styles.registry import StyleInput
from live_nst.stylizer.core import StylizerCore

FADE_SECONDS = 0.3

OnError = Callable[[LiveNstError], None]
"""Called, in another thread, with the error of work that cannot be done."""


class BackgroundJobs:
    """Runs jobs in a thread of its own, one after the other: the last one asked for wins.

    Args:
        name: Name of the thread.
        on_failure: Called in the thread with an unexpected error, which ends the session.
    """

    def __init__(self, name: str, on_failure: Callable[[BaseException], None]) -> None:
        self._executor = ThreadPoolExecutor(1, name)
        self._on_failure = on_failure

    def submit(self, job: Callable[[], None], on_error: OnError | None = None) -> Future[None]:
        """Run a job when those before it are done.

        Args:
            job: The work.
            on_error: Called with a `LiveNstError` that it raises; None: that is unexpected, too.
        """

        def run() -> None:
            try:
                job()
            except LiveNstError as exc:
                (on_error or self._on_failure)(exc)
            except BaseException as exc:
                self._on_failure(exc)

        return self._executor.submit(run)

    def close(self) -> None:
        """Finish the current job and drop the others."""
        self._executor.shutdown(wait=True, cancel_futures=True)


class StyleChanger:
    """Changes the style and the mask of a stylizer that is in use.

    Args:
        stylizer: The stylizer.
        clock: The clock of the stream.
        redraw: Called with the number of seconds for which a held frame changes.
        on_failure: Called in another thread with an unexpected error.
    """

    def __init__(
        self,
        stylizer: StylizerCore,
        clock: Clock,
        redraw: Callable[[float], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._stylizer = stylizer
        self._clock = clock
        self._redraw = redraw
        self._jobs = BackgroundJobs("live-nst styles", on_failure)

    def select(
        self, style: StyleInput, on_error: OnError, *, stroke: float | None = None
    ) -> Future[None]:
        """Compute a style beside the stream, then fade to it.

        Args:
            style: The style.
            on_error: Called if it cannot be used.
            stroke: Size of its strokes; None leaves it.
        """

        def select() -> None:
            self._stylizer.load(style, stroke=stroke)
            # The time is read only now: the fade begins when the style is ready.
            now = self._clock.now()
            self._stylizer.select(style, stroke=stroke, fade=FADE_SECONDS, time=now)
            self._redraw(FADE_SECONDS)

        return self._jobs.submit(select, on_error)

    def select_mask(self, only: str, on_error: OnError) -> Future[None]:
        """Load a mask beside the stream, then stylize only there; see `Look.only`.

        Args:
            only: Name or file of the mask.
            on_error: Called if it cannot be used.
        """

        def select() -> None:
            self._stylizer.load_mask(only)
            self._stylizer.look = replace(self._stylizer.look, only=only)
            self._redraw(0.0)

        return self._jobs.submit(select, on_error)

    def close(self) -> None:
        """Finish the current change and drop the others."""
        self._jobs.close()
