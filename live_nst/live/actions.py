"""Carry out what a key asks for: change style, look and size, save an image, record."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image as Pillow

from live_nst.errors import LiveNstError
from live_nst.live.keys import Action
from live_nst.live.pipeline import LivePipeline
from live_nst.live.size_controller import SIZE_STEPS
from live_nst.masks.regions import BACKGROUND, EVERYWHERE, PERSON
from live_nst.sinks.recorder import Recorder
from live_nst.sinks.sound import SoundTrack
from live_nst.styles.registry import StyleInput
from live_nst.styles.spec import StyleSpec, mix_styles, parse_style
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import BLEND_PICTURES, BLEND_STYLES
from live_nst.types import Notify

STROKE_STEPS = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
DETAIL_STEPS = (0.0, 0.5, 1.0)
STRENGTH_STEP = 0.1
MIX_STEPS = 5  # from one style to the next


class ActionHandler:
    """Carries out the actions of keys on a running session.

    Args:
        pipeline: The session.
        stylizer: Its stylizer.
        styles: The styles to switch through, in order.
        notify: Called with a short sentence, from any thread.
        folder: Where images and recordings go that were started by key.
        recorder: The recording that runs from the start; None if there is none.
        sound: The sound of recordings; None for none.

    Attributes:
        recorder: The recording that runs now; None if there is none.
    """

    def __init__(
        self,
        pipeline: LivePipeline,
        stylizer: StylizerCore,
        styles: Sequence[StyleInput],
        notify: Notify,
        *,
        folder: Path,
        recorder: Recorder | None = None,
        sound: SoundTrack | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._stylizer = stylizer
        self._styles = [parse_style(str(style)) for style in styles]
        self._index, self._mixed = 0, 0  # of the style, and steps from it towards the next one
        self._style = self._styles[0]
        self._stroke = stylizer.stroke
        only = stylizer.look.only
        masks = [EVERYWHERE, PERSON, BACKGROUND]
        start = masks.index(only) if only in masks else 0
        self._masks = [*masks[start:], *masks[:start]]
        if only not in masks:
            self._masks.insert(0, only)
        self._size = stylizer.size
        self._notify = notify
        self._folder = folder
        self.recorder = recorder
        self._sound = sound

    def perform(self, action: Action, key: str) -> None:
        """Carry out an action.

        Args:
            action: The action. Those of the display itself are ignored.
            key: The key that was pressed.
        """
        view = self._pipeline.view
        match action:
            case Action.QUIT:
                self._pipeline.stop()
            case Action.NEXT_STYLE:
                self._select_index(self._index + 1)
            case Action.PREVIOUS_STYLE:
                self._select_index(self._index - 1)
            case Action.CHOOSE_STYLE:
                if int(key) <= len(self._styles):
                    self._select_index(int(key) - 1)
            case Action.MIX_TOWARDS_NEXT | Action.MIX_TOWARDS_PREVIOUS:
                self._mix(1 if action is Action.MIX_TOWARDS_NEXT else -1)
            case Action.BROADER_STROKES | Action.FINER_STROKES:
                self._change_stroke(1 if action is Action.BROADER_STROKES else -1)
            case Action.STRONGER | Action.WEAKER:
                self._change_strength(1 if action is Action.STRONGER else -1)
            case Action.TOGGLE_BLEND:
                self._toggle_blend()
            case Action.TOGGLE_COLORS:
                self._toggle_colors()
            case Action.NEXT_DETAIL:
                self._next_detail()
            case Action.NEXT_MASK:
                self._next_mask()
            case Action.MIRROR:
                view.mirror = not view.mirror
            case Action.SPLIT:
                view.split = not view.split
            case Action.FREEZE:
                view.frozen = not view.frozen
            case Action.LARGER | Action.SMALLER:
                self._change_size(1 if action is Action.LARGER else -1)
            case Action.AUTOMATIC_SIZE:
                self._pipeline.worker.size_controller.use_automatic()
                self._notify("size chosen by speed")
            case Action.SNAPSHOT:
                self._save_snapshot()
            case Action.RECORD:
                self._toggle_recording()
            case _:
                return
        self._pipeline.worker.look_changed()

    def _select_index(self, index: int) -> None:
        self._index, self._mixed = index % len(self._styles), 0
        self._select(self._styles[self._index])

    def _mix(self, steps: int) -> None:
        """Go steps on the circle of styles; between two neighbors lie their mixes."""
        index, self._mixed = divmod(self._index * MIX_STEPS + self._mixed + steps, MIX_STEPS)
        self._index = index % len(self._styles)
        following = self._styles[(self._index + 1) % len(self._styles)]
        self._select(mix_styles(self._styles[self._index], following, self._mixed / MIX_STEPS))

    def _select(self, style: StyleSpec) -> None:
        self._style = style
        self._notify(f"style {style.label}")
        self._pipeline.worker.style_changer.select(style, self._show_error)

    def _change_stroke(self, steps: int) -> None:
        stroke = next_stroke(self._stroke, steps)
        if stroke != self._stroke:
            self._stroke = stroke
            self._notify(f"strokes {stroke:.0%}")
            changer = self._pipeline.worker.style_changer
            changer.select(self._style, self._show_error, stroke=stroke)

    def _change_strength(self, steps: int) -> None:
        strength = next_strength(self._stylizer.look.strength, steps)
        self._stylizer.look = replace(self._stylizer.look, strength=strength)
        self._notify(f"strength {strength:.0%}")

    def _toggle_blend(self) -> None:
        look = self._stylizer.look
        blend = BLEND_STYLES if look.blend == BLEND_PICTURES else BLEND_PICTURES
        self._stylizer.look = replace(look, blend=blend)
        self._notify(f"strength blends {blend}")

    def _toggle_colors(self) -> None:
        look = self._stylizer.look
        self._stylizer.look = replace(look, keep_colors=0.0 if look.keep_colors else 1.0)
        self._notify("the style's colors" if look.keep_colors else "the camera's colors")

    def _next_detail(self) -> None:
        look = self._stylizer.look
        detail = next_detail(look.detail)
        self._stylizer.look = replace(look, detail=detail)
        self._notify(f"detail {detail:.0%}" if detail else "no detail added")

    def _next_mask(self) -> None:
        self._masks = [*self._masks[1:], self._masks[0]]
        only = self._masks[0]
        self._notify(f"stylizing {_describe_mask(only)}")
        self._pipeline.worker.style_changer.select_mask(only, self._show_error)

    def _change_size(self, steps: int) -> None:
        controller = self._pipeline.worker.size_controller
        if controller.automatic:
            self._size = self._stylizer.size
        size = next_size(self._size, steps)
        if size != self._size:
            self._size = size
            self._notify(f"size {size}")
            controller.use(size, self._show_error)

    def _save_snapshot(self) -> None:
        image = self._pipeline.newest
        if image is None:
            return
        path = self._folder / f"live-nst-{_timestamp()}.png"
        try:
            Pillow.fromarray(image[..., ::-1]).save(path)
        except OSError as exc:
            self._notify(f"cannot save the picture: {exc.strerror or exc}")
        else:
            self._notify(f"saved {path.name}")

    def _toggle_recording(self) -> None:
        if self.recorder is not None:
            self._pipeline.remove_sink(self.recorder)
            self._notify(f"recorded {self.recorder.path.name}")
            self.recorder = None
            return
        try:
            path = self._folder / f"live-nst-{_timestamp()}.mp4"
            self.recorder = Recorder(path, sound=self._sound)
        except LiveNstError as exc:
            self._show_error(exc)
            return
        self._pipeline.add_sink(self.recorder)
        self._notify(f"recording {self.recorder.path.name}")

    def _show_error(self, error: LiveNstError) -> None:
        self._notify(error.message)


def next_strength(strength: float, steps: int) -> float:
    """Return the strength some tenths higher or lower, within 0 to 1."""
    return min(1.0, max(0.0, round(strength + steps * STRENGTH_STEP, 2)))


def next_size(size: int, steps: int) -> int:
    """Return the next larger (`steps` 1) or smaller (-1) processing size; at the end, the same."""
    return int(_next(SIZE_STEPS, size, steps))


def next_stroke(stroke: float, steps: int) -> float:
    """Return the next broader (`steps` 1) or finer (-1) stroke; at the end, the same."""
    return _next(STROKE_STEPS, stroke, steps)


def next_detail(detail: float) -> float:
    """Return the next larger share of the camera's detail; after the largest, none."""
    return min((d for d in DETAIL_STEPS if d > detail), default=DETAIL_STEPS[0])


def _next(values: Sequence[float], value: float, steps: int) -> float:
    if steps > 0:
        return min((v for v in values if v > value), default=value)
    return max((v for v in values if v < value), default=value)


def _describe_mask(only: str) -> str:
    words = {EVERYWHERE: "everything", PERSON: "people only", BACKGROUND: "the background only"}
    return words.get(only, f"within {Path(only).name} only")


def _timestamp() -> str:
    """Return the local time as a part of a file name."""
    return time.strftime("%Y%m%d-%H%M%S")
