"""What the keys do: change the look, the style and the size, save and record."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image as Pillow

from live_nst.errors import LiveNstError
from live_nst.live.keys import (
    MIX_STEPS,
    Action,
    next_detail,
    next_size,
    next_strength,
    next_stroke,
)
from live_nst.live.pipeline import LivePipeline
from live_nst.sinks.recorder import Recorder
from live_nst.styles.spec import StyleSpec, mix_styles, parse_style
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import BACKGROUND, BLEND_PICTURES, BLEND_STYLES, EVERYWHERE, PERSON


class ActionHandler:
    """Carries out actions on a running session.

    Args:
        pipeline: The session.
        stylizer: Paints it.
        styles: What is switched through, in order.
        notify: Called with a short sentence, from any thread.
        folder: Where snapshots and recordings started by key go.
        recorder: The recording that runs from the start, if there is one.
    """

    def __init__(
        self,
        pipeline: LivePipeline,
        stylizer: StylizerCore,
        styles: Sequence[str],
        notify: Callable[[str], None],
        *,
        folder: Path,
        recorder: Recorder | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._stylizer = stylizer
        self._styles = [parse_style(style) for style in styles]
        self._chosen, self._mixed = 0, 0
        self._style = self._styles[0]
        self._stroke = stylizer.stroke
        named = stylizer.look.only
        masks = [EVERYWHERE, PERSON, BACKGROUND]
        start = masks.index(named) if named in masks else 0
        self._masks = [*masks[start:], *masks[:start]]
        if named not in masks:
            self._masks.insert(0, named)
        self._size = stylizer.size
        self._notify = notify
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
            case Action.MIX_ON | Action.MIX_BACK:
                self._mix(1 if action is Action.MIX_ON else -1)
            case Action.BROADER | Action.FINER:
                self._change_stroke(1 if action is Action.BROADER else -1)
            case Action.STRONGER | Action.WEAKER:
                self._change_strength(1 if action is Action.STRONGER else -1)
            case Action.BLEND:
                self._change_blend()
            case Action.KEEP_COLORS:
                self._toggle_colors()
            case Action.DETAIL:
                self._change_detail()
            case Action.ONLY:
                self._change_mask()
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
                self._notify("size chosen by speed")
            case Action.SNAPSHOT:
                self._snapshot()
            case Action.RECORD:
                self._toggle_recording()
            case _:
                return
        self._pipeline.painter.look_changed()

    def _choose(self, number: int) -> None:
        self._chosen, self._mixed = number % len(self._styles), 0
        self._paint_in(self._styles[self._chosen])

    def _mix(self, steps: int) -> None:
        """Go a step on the circle of styles, on which mixes lie between neighbors."""
        place = self._chosen * MIX_STEPS + self._mixed + steps
        number, self._mixed = divmod(place, MIX_STEPS)
        self._chosen = number % len(self._styles)
        following = self._styles[(self._chosen + 1) % len(self._styles)]
        self._paint_in(mix_styles(self._styles[self._chosen], following, self._mixed / MIX_STEPS))

    def _paint_in(self, style: StyleSpec) -> None:
        self._style = style
        self._notify(f"style {style.label}")
        self._pipeline.painter.select(style, self._failed)

    def _change_stroke(self, steps: int) -> None:
        stroke = next_stroke(self._stroke, steps)
        if stroke != self._stroke:
            self._stroke = stroke
            self._notify(f"strokes {stroke:.0%}")
            self._pipeline.painter.select(self._style, self._failed, stroke=stroke)

    def _change_blend(self) -> None:
        look = self._stylizer.look
        blend = BLEND_STYLES if look.blend == BLEND_PICTURES else BLEND_PICTURES
        self._stylizer.look = replace(look, blend=blend)
        self._notify(f"strength blends {blend}")

    def _toggle_colors(self) -> None:
        look = self._stylizer.look
        self._stylizer.look = replace(look, keep_colors=0.0 if look.keep_colors else 1.0)
        self._notify("the style's colors" if look.keep_colors else "the camera's colors")

    def _change_detail(self) -> None:
        look = self._stylizer.look
        detail = next_detail(look.detail)
        self._stylizer.look = replace(look, detail=detail)
        self._notify(f"detail {detail:.0%}" if detail else "no detail added")

    def _change_mask(self) -> None:
        self._masks = [*self._masks[1:], self._masks[0]]
        only = self._masks[0]
        self._notify(f"painting {_only_in_words(only)}")
        self._pipeline.painter.paint_only(only, self._failed)

    def _change_strength(self, steps: int) -> None:
        self._stylizer.strength = next_strength(self._stylizer.strength, steps)
        self._notify(f"strength {self._stylizer.strength:.0%}")

    def _resize(self, steps: int) -> None:
        sizing = self._pipeline.painter.sizing
        if sizing.automatic:
            self._size = self._stylizer.size
        size = next_size(self._size, steps)
        if size != self._size:
            self._size = size
            self._notify(f"size {size}")
            sizing.use(size, self._failed)

    def _snapshot(self) -> None:
        image = self._pipeline.newest
        if image is None:
            return
        path = self._folder / f"live-nst-{_moment()}.png"
        try:
            Pillow.fromarray(image[..., ::-1]).save(path)
        except OSError as exc:
            self._notify(f"the picture cannot be saved: {exc.strerror or exc}")
        else:
            self._notify(f"saved {path.name}")

    def _toggle_recording(self) -> None:
        if self.recorder is not None:
            self._pipeline.remove_sink(self.recorder)
            self._notify(f"recorded {self.recorder.path.name}")
            self.recorder = None
            return
        try:
            self.recorder = Recorder(self._folder / f"live-nst-{_moment()}.mp4")
        except LiveNstError as exc:
            self._failed(exc)
            return
        self._pipeline.add_sink(self.recorder)
        self._notify(f"recording {self.recorder.path.name}")

    def _failed(self, error: LiveNstError) -> None:
        self._notify(error.message)


def _only_in_words(only: str) -> str:
    words = {EVERYWHERE: "everything", PERSON: "people only", BACKGROUND: "the background only"}
    return words.get(only, f"within {Path(only).name} only")


def _moment() -> str:
    """The local time, as part of a file name."""
    return time.strftime("%Y%m%d-%H%M%S")
