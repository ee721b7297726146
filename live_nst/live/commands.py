"""What the keys do: change the look, the style and the size, save and record."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image as Pillow

from live_nst.errors import LiveNstError
from live_nst.live.controls import Action, next_size, next_strength
from live_nst.live.pipeline import LivePipeline
from live_nst.sinks.recorder import Recorder
from live_nst.stylizer import Stylizer


class Commands:
    """Carries out actions on a running session.

    Args:
        pipeline: The session.
        stylizer: Paints it.
        styles: What is switched through, in order.
        say: Called with a short sentence, from any thread.
        folder: Where snapshots and recordings started by key go.
        recorder: The recording that runs from the start, if there is one.
    """

    def __init__(
        self,
        pipeline: LivePipeline,
        stylizer: Stylizer,
        styles: Sequence[str],
        say: Callable[[str], None],
        *,
        folder: Path,
        recorder: Recorder | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._stylizer = stylizer
        self._styles = list(styles)
        self._chosen = 0
        self._size = stylizer.size
        self._say = say
        self._folder = folder
        self.recorder = recorder

    def perform(self, action: Action, key: str) -> None:
        """Carry out `action`, asked for by `key`."""
        view = self._pipeline.view
        match action:
            case Action.QUIT:
                self._pipeline.stop()
            case Action.NEXT_STYLE:
                self._choose(self._chosen + 1)
            case Action.PREVIOUS_STYLE:
                self._choose(self._chosen - 1)
            case Action.CHOOSE_STYLE:
                if int(key) <= len(self._styles):
                    self._choose(int(key) - 1)
            case Action.STRONGER | Action.WEAKER:
                self._change_strength(1 if action is Action.STRONGER else -1)
            case Action.MIRROR:
                view.mirror = not view.mirror
            case Action.SPLIT:
                view.split = not view.split
            case Action.FREEZE:
                view.frozen = not view.frozen
            case Action.LARGER | Action.SMALLER:
                self._resize(1 if action is Action.LARGER else -1)
            case Action.AUTOMATIC_SIZE:
                self._pipeline.painter.sizing.automate()
                self._say("size chosen by speed")
            case Action.SNAPSHOT:
                self._snapshot()
            case Action.RECORD:
                self._toggle_recording()
            case _:
                return
        self._pipeline.painter.look_changed()

    def _choose(self, number: int) -> None:
        self._chosen = number % len(self._styles)
        style = self._styles[self._chosen]
        self._say(f"style {style}")
        self._pipeline.painter.select(style, self._failed)

    def _change_strength(self, steps: int) -> None:
        self._stylizer.strength = next_strength(self._stylizer.strength, steps)
        self._say(f"strength {self._stylizer.strength:.0%}")

    def _resize(self, steps: int) -> None:
        sizing = self._pipeline.painter.sizing
        if sizing.automatic:
            self._size = self._stylizer.size
        size = next_size(self._size, steps)
        if size != self._size:
            self._size = size
            self._say(f"size {size}")
            sizing.use(size, self._failed)

    def _snapshot(self) -> None:
        image = self._pipeline.newest
        if image is None:
            return
        path = self._folder / f"live-nst-{_moment()}.png"
        try:
            Pillow.fromarray(image[..., ::-1]).save(path)
        except OSError as exc:
            self._say(f"the picture cannot be saved: {exc.strerror or exc}")
        else:
            self._say(f"saved {path.name}")

    def _toggle_recording(self) -> None:
        if self.recorder is not None:
            self._pipeline.remove_sink(self.recorder)
            self._say(f"recorded {self.recorder.path.name}")
            self.recorder = None
            return
        try:
            self.recorder = Recorder(self._folder / f"live-nst-{_moment()}.mp4")
        except LiveNstError as exc:
            self._failed(exc)
            return
        self._pipeline.add_sink(self.recorder)
        self._say(f"recording {self.recorder.path.name}")

    def _failed(self, error: LiveNstError) -> None:
        self._say(error.message)


def _moment() -> str:
    """The local time, as part of a file name."""
    return time.strftime("%Y%m%d-%H%M%S")
