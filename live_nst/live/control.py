"""Read and change a running session: the one way for keys, pages and programs alike."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import Image as Pillow

from live_nst.errors import LiveNstError, RecordingError
from live_nst.live.pipeline import LivePipeline
from live_nst.live.settings import (
    SessionSettings,
    SettingsChange,
    changed_look,
    check_change,
    describe_colors,
    describe_mask,
)
from live_nst.sinks.recorder import Recorder
from live_nst.sinks.sound import SoundTrack
from live_nst.styles.spec import StyleSpec, as_spec
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.types import Image, Notify


class SessionControl:
    """Reads and changes a running session. Any thread may call everything here.

    Args:
        pipeline: The session.
        stylizer: Its stylizer.
        styles: The styles to choose from, in order.
        notify: Called with a short sentence about every change, from any thread.
        folder: Where images, recordings and presets go that are made here.
        style: The style in use; None for the first one.
        recorder: The recording that runs from the start; None if there is none.
        sound: The sound of recordings; None for none.
    """

    def __init__(
        self,
        pipeline: LivePipeline,
        stylizer: StylizerCore,
        styles: Sequence[StyleSpec | str],
        notify: Notify,
        *,
        folder: Path,
        style: StyleSpec | str | None = None,
        recorder: Recorder | None = None,
        sound: SoundTrack | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.stylizer = stylizer
        self._styles = [as_spec(style) for style in styles]
        self._notify = notify
        self._folder = folder
        self._recorder = recorder
        self._sound = sound
        self._recording_since = time.monotonic()
        self._style = self._styles[0] if style is None else as_spec(style)
        self._stroke = stylizer.stroke
        self._only = stylizer.look.only
        self._size = stylizer.size
        self._lock = threading.RLock()  # held from reading the old values to setting the new ones

    @property
    def folder(self) -> Path:
        """Where images, recordings and presets go that are made here."""
        return self._folder

    @property
    def styles(self) -> tuple[StyleSpec, ...]:
        """The styles to choose from, in order."""
        return tuple(self._styles)

    def set_styles(self, styles: Sequence[StyleSpec]) -> None:
        """Replace the styles to choose from. The one in use stays in use."""
        with self._lock:
            self._styles = list(styles)

    def add_style(self, style: StyleSpec) -> None:
        """Add a style to choose from; one with the same label is replaced."""
        with self._lock:
            labels = [other.label for other in self._styles]
            if style.label in labels:
                self._styles[labels.index(style.label)] = style
            else:
                self._styles.append(style)

    def remove_style(self, label: str) -> None:
        """Remove a style to choose from, if it is there. One in use stays in use."""
        with self._lock:
            self._styles = [style for style in self._styles if style.label != label]

    @property
    def settings(self) -> SessionSettings:
        """What the session is set to now."""
        with self._lock:
            look, view = self.stylizer.look, self.pipeline.view
            automatic = self.pipeline.worker.size_controller.automatic
            return SessionSettings(
                style=self._style,
                stroke=self._stroke,
                strength=look.strength,
                blend=look.blend,
                keep_colors=look.keep_colors,
                detail=look.detail,
                only=self._only,
                size=self.stylizer.size if automatic else self._size,
                automatic_size=automatic,
                mirror=view.mirror,
                split=view.split,
                split_at=view.split_at,
                frozen=view.frozen,
            )

    def change(self, change: SettingsChange) -> None:
        """Change settings: all of them, or none if a value is invalid.

        A style, a mask and a size are prepared beside the stream and come into use when they are
        ready. If one cannot be used, `notify` gets the reason.

        Raises:
            UsageError: A value is out of range.
        """
        with self._lock:
            look = changed_look(self.stylizer.look, change)
            check_change(change)
            self._change_look(look, change)
            self._change_style(change)
            self._change_only(change.only)
            self._change_size(change.size)
            self._change_view(change)
        self.pipeline.worker.look_changed()

    def stop(self) -> None:
        """End the session soon."""
        self.pipeline.stop()

    @property
    def newest(self) -> Image | None:
        """The newest stylized image, BGR uint8; None if there is none yet."""
        return self.pipeline.newest

    def save_snapshot(self) -> Path | None:
        """Save the newest stylized image as PNG in the session's folder.

        Returns:
            The file; None if there is no image yet.

        Raises:
            RecordingError: It cannot be written.
        """
        image = self.newest
        if image is None:
            return None
        path = self._folder / f"live-nst-{timestamp()}.png"
        try:
            Pillow.fromarray(image[..., ::-1]).save(path)
        except OSError as exc:
            raise RecordingError(f"cannot save the picture: {exc.strerror or exc}") from exc
        self._notify(f"saved {path.name}")
        return path

    @property
    def recorder(self) -> Recorder | None:
        """The recording that runs now; None if there is none, or if it broke."""
        with self._lock:
            if self._recorder is not None and not self.pipeline.is_writing(self._recorder):
                self._recorder = None
            return self._recorder

    @property
    def recording_seconds(self) -> float:
        """For how long the recording runs, in seconds; 0 if there is none."""
        return time.monotonic() - self._recording_since if self.recorder is not None else 0.0

    def start_recording(self) -> Path:
        """Start a recording in the session's folder, if none runs.

        Returns:
            The file of the recording that runs.

        Raises:
            RecordingError: It cannot be written.
        """
        with self._lock:
            if self.recorder is None:
                self._recorder = Recorder(
                    self._folder / f"live-nst-{timestamp()}.mp4", sound=self._sound
                )
                self._recording_since = time.monotonic()
                self.pipeline.add_sink(self._recorder)
                self._notify(f"recording {self._recorder.path.name}")
            assert self._recorder is not None
            return self._recorder.path

    def stop_recording(self) -> Path | None:
        """End the recording; it is finished beside the stream.

        Returns:
            Its file; None if there was no recording.
        """
        with self._lock:
            recorder, self._recorder = self._recorder, None
            if recorder is None:
                return None
            self.pipeline.remove_sink(recorder)
            self._notify(f"recorded {recorder.path.name}")
            return recorder.path

    def show_message(self, sentence: str) -> None:
        """Tell the user something."""
        self._notify(sentence)

    def show_error(self, error: LiveNstError) -> None:
        """Tell the user of an error."""
        self._notify(error.message)

    # One method for each kind of setting; all are called with the lock held.

    def _change_look(self, look: Look, change: SettingsChange) -> None:
        if look is not self.stylizer.look:
            self.stylizer.look = look
        if change.strength is not None:
            self._notify(f"strength {look.strength:.0%}")
        if change.blend is not None:
            self._notify(f"strength blends {look.blend}")
        if change.keep_colors is not None:
            self._notify(describe_colors(look.keep_colors))
        if change.detail is not None:
            self._notify(f"detail {look.detail:.0%}" if look.detail else "no detail added")

    def _change_style(self, change: SettingsChange) -> None:
        stroke = change.stroke if change.stroke != self._stroke else None
        if change.style is not None:
            self._style = change.style
            self._notify(f"style {change.style.label}")
        if stroke is not None:
            self._stroke = stroke
            self._notify(f"strokes {stroke:.0%}")
        if change.style is not None or stroke is not None:
            changer = self.pipeline.worker.style_changer
            changer.select(self._style, self.show_error, stroke=stroke)

    def _change_only(self, only: str | None) -> None:
        if only is not None:
            self._only = only
            self._notify(f"stylizing {describe_mask(only)}")
            self.pipeline.worker.style_changer.select_mask(only, self.show_error)

    def _change_size(self, size: int | str | None) -> None:
        controller = self.pipeline.worker.size_controller
        if isinstance(size, int):
            self._size = size
            self._notify(f"size {size}")
            controller.use(size, self.show_error)
        elif size == "auto":
            controller.use_automatic()
            self._notify("size chosen by speed")

    def _change_view(self, change: SettingsChange) -> None:
        view = self.pipeline.view
        for name in ("mirror", "split", "split_at", "frozen"):
            value = getattr(change, name)
            if value is not None:
                setattr(view, name, value)


def timestamp() -> str:
    """Return the local time as a part of a file name."""
    return time.strftime("%Y%m%d-%H%M%S")
