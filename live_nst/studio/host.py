"""Run live sessions, one at a time, each in a thread of its own."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Protocol

from live_nst.engines.choice import choose_engine
from live_nst.errors import LiveNstError
from live_nst.files.secrets import hide_keys
from live_nst.live.actions import ActionHandler, raise_error
from live_nst.live.keys import KEY_ACTIONS
from live_nst.live.options import LiveOptions, ViewState
from live_nst.live.run import Attach
from live_nst.live.session import LiveSession, OpenNamedSource
from live_nst.presets.files import write_session
from live_nst.studio.kept import (
    KeptOutputs,
    keep_outputs,
    keep_settings,
    keep_view,
    restore,
    without_outputs,
)
from live_nst.studio.requests import Exclusive, RequestError, as_sentence, no_session
from live_nst.types import Closeable, DownloadProgress, Notify

_BUSY_SECONDS = 1.0  # that a request waits for another one
_END_SECONDS = 60.0  # for a model that is just being loaded, and for a recording to be finished


class Host(Protocol):
    """Knows the session that runs, if one does. `SessionHost` is one, `AttachedSession` another.

    Attributes:
        session: The session that runs; None if none does.
        options: What the session was asked to do, or the next one will be.
        view: How the next session shows its frames.
        starting: Whether a session is being opened.
        problem: Why the last session ended or could not start; empty if that was wanted.
        started: When the session began, in seconds of `time.monotonic()`.
    """

    session: LiveSession | None
    options: LiveOptions
    view: ViewState
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

    Settings outlive a session: the style, the look, the size and the view. When a session is
    restarted, the virtual camera and the streams go on as well. A frozen frame and a recording end
    with their session; and so do all outputs when it is stopped.

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
        self.view = ViewState()
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
        with Exclusive(self._changing, _BUSY_SECONDS):
            before = self._run
            session = before.session if before is not None else None
            former, outputs = self.options, KeptOutputs()
            if session is not None:
                former = replace(keep_settings(former, session), source=session.source)
                options = keep_settings(options, session)
            options.check()
            if session is not None:
                asked = options.stylizer
                choose_engine(asked.engine, asked.device, asked.precision)  # before anything ends
                outputs = keep_outputs(session)
            self._end()
            try:
                self._begin(options, outputs)
            except LiveNstError:
                if before is not None and before.was_running and not self._closed:
                    self._begin(former, outputs)  # what ran until now runs again
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
        with Exclusive(self._changing, _END_SECONDS):
            self._end()
            self.problem = ""
        self._changed()

    def press(self, key: str) -> None:
        """See `Host.press`."""
        press_key(self._keys, key, starting=self.starting)

    def close(self) -> None:
        """End the session; no other can be started. Calling it again does nothing."""
        self._closed = True
        run = self._run
        if run is not None:
            run.stop()
        with self._changing:
            self._end()

    def _begin(self, options: LiveOptions, outputs: KeptOutputs) -> None:
        """Start a session and wait until it runs; the caller holds `_changing`."""
        if self._closed:
            raise RequestError(503, "The studio is ending.")
        self.starting, self.problem = True, ""
        self._changed()
        run = self._run = _Run(self, options, outputs)
        run.thread.start()
        run.ready.wait()
        self.starting = False
        self._changed()
        if run.session is None and run.failure is not None and not run.was_running:
            self._fail(_sentence(run.failure))
            if isinstance(run.failure, LiveNstError):
                raise run.failure
            raise RequestError(409, self.problem)
        self.options = without_outputs(options)

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

    def _on_ready(self, session: LiveSession, outputs: KeptOutputs) -> None:
        restore(session, self.view, outputs, self._notify)
        self._keys = key_handler(session)
        self.started = time.monotonic()
        self.session = session

    def _keep(self, session: LiveSession) -> None:
        self.view = keep_view(session)
        self.options = replace(keep_settings(self.options, session), source=session.source)

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

    def __init__(self, host: SessionHost, options: LiveOptions, outputs: KeptOutputs) -> None:
        self._host = host
        self._options = options
        self._outputs = outputs
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
                host._on_ready(session, self._outputs)
                self.ready.set()
                if self.stopping:
                    session.stop()
                try:
                    session.run()
                finally:
                    host._keep(session)
                if not session.pipeline.stopping:
                    host.problem = "The source has ended."
                host.session = None  # before the stack closes what requests would use
        except BaseException as exc:  # kept for those who asked for the session
            self.failure = exc
        finally:
            self.session = None
            host._on_end(self)
            self.ready.set()


def key_handler(session: LiveSession) -> ActionHandler:
    """Return what the keys of the window do to a session; its errors are raised."""
    return ActionHandler(session.control, partial(write_session, session), raise_error)


def press_key(handler: ActionHandler | None, key: str, *, starting: bool = False) -> None:
    """Do what a key does in the window.

    Args:
        handler: Does it; None if no session runs.
        key: The key.
        starting: Whether a session is just being opened.

    Raises:
        LiveNstError: There is no session, or no such key; or what it does cannot be done.
    """
    if key not in KEY_ACTIONS:
        raise RequestError(422, "There is no such key.", "the key h in the window lists them")
    if handler is None:
        raise no_session(starting=starting)
    handler.perform(KEY_ACTIONS[key], key)


def _sentence(error: BaseException) -> str:
    if isinstance(error, LiveNstError):
        return as_sentence(str(error))
    return f"The session failed unexpectedly: {type(error).__name__}: {hide_keys(str(error))}"
