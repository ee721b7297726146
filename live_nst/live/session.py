"""A live session: everything that its options name is open, and the pipeline runs."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from live_nst.live.capture_worker import CaptureWorker
from live_nst.live.control import SessionControl
from live_nst.live.display import Display
from live_nst.live.figures import make_report
from live_nst.live.options import (
    LiveOptions,
    ViewState,
    pipeline_options,
    styles_to_choose_from,
)
from live_nst.live.pipeline import LivePipeline
from live_nst.live.sound import start_sound
from live_nst.live.stats import LiveReport
from live_nst.live.streams import LiveStreams
from live_nst.sinks.base import Sink
from live_nst.sinks.recorder import Recorder
from live_nst.sinks.sound import SoundTrack
from live_nst.sources.base import Source, SourceInfo, SourceRequest
from live_nst.sources.factory import open_source
from live_nst.styles.spec import as_spec
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Closeable, DownloadProgress, Notify

_CONTENT_STYLE_SECONDS = 0.5  # between two computations of the content style
_QUICK_REFUSAL_SECONDS = 0.3  # most missing cameras are noticed within this time

OpenNamedSource = Callable[[str, SourceRequest], Source]
"""Opens the source that a name means, as `live_nst.sources.factory.open_source` does."""


def no_progress(done: int, total: int | None) -> None:
    """Take no notice of a download."""


class LiveSession(Closeable):
    """A session with everything open: source, stylizer, sinks and pipeline. `run` runs it once.

    Args:
        options: What to do, already checked. A window is the caller's: see `run`.
        notify: Called with one sentence at a time, from any thread.
        progress: Called while a model is downloaded.
        open_source: Opens sources by their names; None for `open_source` of the factory.

    Attributes:
        options: What it was asked to do.
        source: Name of the source, as in `LiveOptions.source`; `change_source` changes it.
        stylizer: The stylizer.
        pipeline: The pipeline.
        control: Reads and changes the settings; snapshots and recordings.
        streams: Sends the session to servers, and has the encoder for all who want H.264.

    Raises:
        LiveNstError: Something cannot be opened or used.
    """

    def __init__(
        self,
        options: LiveOptions,
        notify: Notify,
        progress: DownloadProgress = no_progress,
        *,
        open_source: OpenNamedSource | None = None,
    ) -> None:
        self.options = options
        self.source = options.source
        self._notify = notify
        self._open = open_source or _open_source
        self._listeners: tuple[Notify, ...] = ()
        self._camera: Sink | None = None
        self._began: float | None = None  # when the pipeline started
        with ExitStack() as stack:
            self._capture = CaptureWorker(partial(self._open, options.source, options.request))
            stack.callback(self._capture.close)
            sound = start_sound(options.audio, self._sound_origin, self._notify_all, stack)
            recorder = _open_recorder(options, sound, notify, stack)
            self._capture.start()
            self._capture.wait_opened(_QUICK_REFUSAL_SECONDS)
            sinks: list[Sink] = [recorder] if recorder else []
            if options.virtual_camera is not None:  # checked before the model takes its seconds
                _wait_opened(self._capture)
                self._camera = self._open_virtual_camera(options.virtual_camera or None)
                stack.callback(self._camera.close)
                sinks.append(self._camera)
            stylizer_options = replace(
                options.stylizer, content_style_seconds=_CONTENT_STYLE_SECONDS
            )
            self.stylizer = stack.enter_context(
                StylizerCore(stylizer_options, notify=notify, progress=progress)
            )
            info = _wait_opened(self._capture)
            notify(f"Source {info}.")
            size = _describe_size(options, self.stylizer)
            notify(f"Running on {self.stylizer.device} with {self.stylizer.engine}, {size}.")
            self.stylizer.prepare((info.width, info.height), self.stylizer.size)
            self.pipeline = LivePipeline(
                self._capture,
                self.stylizer,
                pipeline_options(options, overlap=self.stylizer.device != "cpu"),
                view=ViewState(mirror=options.mirror),
                sinks=sinks,
                notify=self._notify_all,
            )
            self.control = SessionControl(
                self.pipeline,
                self.stylizer,
                styles_to_choose_from(options),
                self._tell_listeners,
                folder=options.folder,
                style=as_spec(options.stylizer.styles[0]),
                recorder=recorder,
                sound=sound,
            )
            self.streams = stack.enter_context(
                LiveStreams(
                    self.pipeline.add_sink,
                    fps=info.fps or options.request.fps,
                    bitrate=options.bitrate,
                    encoder=options.encoder,
                    sound=sound,
                    notify=self._notify_all,
                )
            )
            for url in options.streams:
                self.streams.start(url)
            if options.on_demand:
                stack.enter_context(self._watch_camera())
            self._stack = stack.pop_all()

    @property
    def info(self) -> SourceInfo:
        """What the source gives now."""
        info = self._capture.info
        assert info is not None  # it is open
        return info

    @property
    def reopened(self) -> int:
        """How often the source was reopened."""
        return self._capture.reopened

    def listen(self, listener: Notify) -> None:
        """Call `listener` with one sentence about each change and each notice, from any thread."""
        self._listeners = (*self._listeners, listener)

    def run(self, display: Display | None = None) -> LiveReport:
        """Run until the source ends, a limit is reached, the display is closed, or `stop`.

        Args:
            display: Used in this thread and closed at the end; None for no window.

        Returns:
            The figures of the session.

        Raises:
            LiveNstError: A sink broke and nothing else shows frames, or the source is damaged.
            BaseException: The error that ended a thread.
        """
        self._began = time.monotonic()
        self.pipeline.run(display)
        return make_report(self.pipeline, self.stylizer, self._capture)

    def stop(self) -> None:
        """End `run` soon. Any thread and any signal handler may call this."""
        self.pipeline.stop()

    def close(self) -> None:
        """Free everything. Calling it again does nothing."""
        self._stack.close()

    def change_source(self, source: str) -> SourceInfo:
        """Go over to another source; the one in use goes on until the other is open.

        Args:
            source: See `live_nst.sources.factory.open_source`.

        Returns:
            What it gives.

        Raises:
            SourceError: It cannot be opened; the one in use goes on.
        """
        info = self._capture.change_source(partial(self._open, source, self.options.request))
        self.source = source
        self._notify_all(f"Source {info}.")
        return info

    def retry_source(self) -> None:
        """Reopen a source that was lost now, without waiting for the end of the pause."""
        self._capture.retry()

    @property
    def virtual_camera(self) -> str | None:
        """Name of the virtual camera that is fed; None if there is none, or if it broke."""
        camera = self._camera
        return camera.name if camera is not None and self.pipeline.is_writing(camera) else None

    def start_virtual_camera(self, device: str | None = None) -> None:
        """Feed a virtual camera, if none is fed yet.

        Args:
            device: Its device or name; None for the first one found.

        Raises:
            VirtualCameraError: It cannot be opened.
        """
        if self.virtual_camera is None:
            camera = self._open_virtual_camera(device)
            self._camera = camera
            self.pipeline.add_sink(camera)

    def stop_virtual_camera(self) -> None:
        """Feed the virtual camera no more."""
        camera, self._camera = self._camera, None
        if camera is not None:
            self.pipeline.remove_sink(camera)
            self._tell_listeners(f"{camera.name} off")

    def _open_virtual_camera(self, device: str | None) -> Sink:
        from live_nst.sinks.virtual_camera import VirtualCamera

        rate = self.info.fps or self.options.request.fps
        camera = VirtualCamera(device, rate, (self.info.width, self.info.height))
        self._notify_all(
            f"Feeding {camera.name} at {camera.size[0]}x{camera.size[1]}, {rate:g} fps."
        )
        return camera

    def _watch_camera(self) -> Closeable:
        """Let the source rest while nobody reads the virtual camera."""
        from live_nst.live.on_demand import OnDemand
        from live_nst.sinks.loopback_usage import watch_usage
        from live_nst.sinks.virtual_camera import VirtualCamera

        camera = self._camera
        assert isinstance(camera, VirtualCamera)  # the options were checked
        usage = watch_usage(camera.device)

        def is_needed() -> bool:
            """Return whether something else needs frames, or the first one has not come yet."""
            others = set(self.pipeline.dropped_by_sinks()) - {camera.name}
            return self.pipeline.newest is None or bool(others) or self.virtual_camera is None

        watcher = OnDemand(
            usage, usage.is_exact, self._capture, camera, is_needed, self._notify_all
        )
        watcher.start()
        return watcher

    def _sound_origin(self) -> float | None:
        """Return when the sound of a file begins: with a source that is a file, else with `run`."""
        capture = self._capture
        return capture.first_time if capture.paused_until_read else self._began

    def _notify_all(self, sentence: str) -> None:
        self._notify(sentence)
        self._tell_listeners(sentence)

    def _tell_listeners(self, sentence: str) -> None:
        for listener in self._listeners:
            listener(sentence)


def _open_source(spec: str, request: SourceRequest) -> Source:
    return open_source(spec, request)


def _open_recorder(
    options: LiveOptions, sound: SoundTrack | None, notify: Notify, stack: ExitStack
) -> Recorder | None:
    if options.record is None:
        return None
    recorder = Recorder(options.record, options.request.fps, sound=sound)
    stack.callback(recorder.close)
    if recorder.notice:
        notify(recorder.notice)
    return recorder


def _wait_opened(capture: CaptureWorker) -> SourceInfo:
    info = capture.wait_opened()
    assert info is not None  # without a limit it returns a value or raises
    return info


def _describe_size(options: LiveOptions, stylizer: StylizerCore) -> str:
    if options.stylizer.size is None:
        return f"size {stylizer.size} at first, then as holds {options.request.fps:g} fps"
    return f"size {stylizer.size}"
