"""Run live sessions, one at a time, each in a thread of its own."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol

from live_nst.errors import LiveNstError
from live_nst.files.secrets import hide_keys
from live_nst.live.actions import ActionHandler
from live_nst.live.keys import KEY_ACTIONS
from live_nst.live.options import LiveOptions
from live_nst.live.session import Attach, LiveSession, OpenNamedSource
from live_nst.presets.files import write_session
from live_nst.studio.requests import RequestError, as_sentence, no_session
from live_nst.stylizer.look import Look
from live_nst.types import Closeable, DownloadProgress, Notify

_BUSY_SECONDS = 1.0  # that a request waits for another one
_END_SECONDS = 60.0  # for a model that is just being loaded, and for a recording to be finished


class Host(Protocol):
    """Knows the session that runs, if one does. `SessionHost` and `AttachedSession` are hosts.

    Attributes:
        session: The session that runs; None if none does.
        options: What the session was asked to do, or the next one will be.
        starting: Whether a session is being opened.
        problem: Why the last session ended or could not start; empty if that was wanted.
        started: When the session began, in seconds of `time.monotonic()`.
    """

    session: LiveSession | None
    options: LiveOptions
    starting: bool
    problem: str
    started: float

    def start(self, options: LiveOptions) -> None:
        """Start a session, or restart it with other options; return when it runs.

        Raises:
            LiveNstError: It cannot run so; a session that ran before runs again.
        """
        ...

    def stop(self) -> None:
        """End the session and wait until its files are finished."""
        ...

    def press(self, key: str) -> None:
        """Do what a key does in the window."""
        ...


class SessionHost(Closeable):
    """Starts, restarts and ends sessions. Any thread may call everything here.

    Settings outlive a restart: the style, the look, the size and the view.

    Args:
        options: What the first session is asked to do.
        notify: Called with sentences for the terminal, from any thread.
        progress: Called while a model is downloaded.
        open_source: Opens sources by their names.
        attach: What reads each session while it runs.
        changed: Called, in any thread, when a session starts or ends.
    """

    def __init__(
        self,
        options: LiveOptions,
        notify: Notify,
        progress: DownloadProgress,
        *,
        open_source: OpenNamedSource | None = None,
        attach: Sequence[Attach] = (),
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.session: LiveSession | None = None
        self.options = options
        self.starting = False
        self.problem = ""
        self.started = 0.0
        self._notify = notify
        self._progress = progress
        self._open_source = open_source
        self._attach = tuple(attach)
        self._changed = changed
        self._changing = threading.Lock()  # one start or stop at a time
        self._run: _Run | None = None
        self._keys: ActionHandler | None = None
        self._closed = False

    def start(self, options: LiveOptions) -> None:
        """See `Host.start`."""
        with _Exclusive(self._changing, _BUSY_SECONDS):
            before = self._run
            former = self.options
            if before is not None and before.session is not None:
                former = _keep_settings(former, before.session)
                options = _keep_settings(options, before.session)
            options.check()
            self._end()
            try:
                self._begin(options)
            except LiveNstError:
                if before is not None and before.was_running and not self._closed:
                    self._begin(former)  # what ran until now runs again
                raise

    def begin(self) -> None:
        """Start the first session beside the caller; an error becomes `problem`."""

        def begin() -> None:
            try:
                self.start(self.options)
            except LiveNstError as exc:
                self._notify(str(exc))
                self._fail(_sentence(exc))

        threading.Thread(target=begin, name="live-nst first session", daemon=True).start()

    def stop(self) -> None:
        """See `Host.stop`."""
        run = self._run
        if run is not None:
            run.stop()  # also one that is just being opened
        with _Exclusive(self._changing, _END_SECONDS):
            self._end()
            self.problem = ""
        self._changed()

    def press(self, key: str) -> None:
        """See `Host.press`."""
        press_key(self._keys, key)

    def close(self) -> None:
        """End the session; no other can be started. Calling it again does nothing."""
        self._closed = True
        run = self._run
        if run is not None:
            run.stop()
        with self._changing:
            self._end()

    def _begin(self, options: LiveOptions) -> None:
        """Start a session and wait until it runs; the caller holds `_changing`."""
        if self._closed:
            raise RequestError(503, "The studio is ending.")
        self.starting, self.problem = True, ""
        self._changed()
        run = self._run = _Run(self, options)
        run.thread.start()
        run.ready.wait()
        self.starting = False
        self._changed()
        if run.session is None and run.failure is not None and not run.was_running:
            self._fail(_sentence(run.failure))
            if isinstance(run.failure, LiveNstError):
                raise run.failure
            raise RequestError(409, self.problem)
        self.options = options

    def _end(self) -> None:
        run = self._run
        if run is not None:
            run.stop()
            run.thread.join(_END_SECONDS)

    def _fail(self, problem: str) -> None:
        self.problem = problem
        self.starting = False
        self._changed()

    # Called by the thread of a session.

    def _on_ready(self, session: LiveSession) -> None:
        self._keys = ActionHandler(session.control)
        self.started = time.monotonic()
        self.session = session

    def _on_end(self, run: "_Run") -> None:
        if run.was_running and run.failure is not None:
            self.problem = _sentence(run.failure)
        self.session = self._keys = None
        if run.was_running and self.problem:
            self._notify(self.problem)
        self._changed()


class _Run:
    """One session in a thread of its own.

    Attributes:
        session: The session while it runs.
        ready: Set when it runs or has failed.
        was_running: Whether it ran.
        stopping: Whether it was asked to end.
        failure: The error that ended it.
    """

    def __init__(self, host: SessionHost, options: LiveOptions) -> None:
        self._host = host
        self._options = options
        self.session: LiveSession | None = None
        self.ready = threading.Event()
        self.was_running = self.stopping = False
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="live-nst session", daemon=True)

    def stop(self) -> None:
        self.stopping = True
        if self.session is not None:
            self.session.stop()

    def _run(self) -> None:
        host = self._host
        try:
            with ExitStack() as stack:
                session = stack.enter_context(
                    LiveSession(
                        self._options, host._notify, host._progress, open_source=host._open_source
                    )
                )
                for attach in host._attach:
                    stack.enter_context(attach(session))
                self.session, self.was_running = session, True
                host._on_ready(session)
                self.ready.set()
                if self.stopping:
                    session.stop()
                session.run()
                host.options = _keep_settings(host.options, session)
                if not session.pipeline.stopping:
                    host.problem = "The source has ended."
                host.session = None  # before the stack closes what requests would use
        except BaseException as exc:  # kept for those who asked for the session
            self.failure = exc
        finally:
            self.session = None
            host._on_end(self)
            self.ready.set()


class _Exclusive:
    """Holds a lock, or refuses a request while another one holds it."""

    def __init__(self, lock: threading.Lock, seconds: float) -> None:
        self._lock = lock
        self._seconds = seconds

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=self._seconds):
            raise RequestError(409, "The session is just being changed.", "try again in a moment")

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class AttachedSession:
    """A host of a session that someone else runs: it cannot be started or ended from here.

    Args:
        session: The session.
    """

    def __init__(self, session: LiveSession) -> None:
        self.session: LiveSession | None = session
        self.options = session.options
        self.starting = False
        self.problem = ""
        self.started = time.monotonic()
        self._keys = ActionHandler(session.control, lambda: write_session(session))

    def start(self, options: LiveOptions) -> None:
        """Refuse it."""
        raise RequestError(
            409, "This session cannot be started again from here.", "use `live-nst studio`"
        )

    def stop(self) -> None:
        """End the session, and so the program."""
        if self.session is not None:
            self.session.stop()

    def press(self, key: str) -> None:
        """See `Host.press`."""
        press_key(self._keys, key)


def press_key(handler: ActionHandler | None, key: str) -> None:
    """Do what a key does in the window.

    Raises:
        RequestError: There is no session, or no such key.
    """
    if key not in KEY_ACTIONS:
        raise RequestError(422, "There is no such key.", "the key h in the window lists them")
    if handler is None:
        raise no_session()
    handler.perform(KEY_ACTIONS[key], key)


def _keep_settings(options: LiveOptions, session: LiveSession) -> LiveOptions:
    """Return options with the settings that a session has now."""
    now = session.control.settings
    stylizer = replace(
        options.stylizer,
        styles=(now.style,),
        size=None if now.automatic_size else now.size,
        look=Look(
            strength=now.strength,
            keep_colors=now.keep_colors,
            detail=now.detail,
            only=now.only,
            blend=now.blend,
        ),
        stroke=now.stroke,
    )
    return replace(options, stylizer=stylizer, mirror=now.mirror)


def _sentence(error: BaseException) -> str:
    if isinstance(error, LiveNstError):
        return as_sentence(str(error))
    return f"The session failed unexpectedly: {type(error).__name__}: {hide_keys(str(error))}"
