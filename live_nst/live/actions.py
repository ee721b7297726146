"""What each key does to a session: the next style, a bit more strength, a recording."""

from collections.abc import Callable, Sequence
from pathlib import Path

from live_nst.errors import LiveNstError
from live_nst.live.control import SessionControl
from live_nst.live.keys import Action
from live_nst.live.settings import SettingsChange
from live_nst.live.size_controller import SIZE_STEPS
from live_nst.masks.regions import BACKGROUND, EVERYWHERE, PERSON
from live_nst.styles.spec import StyleSpec, mix_styles
from live_nst.stylizer.look import BLEND_PICTURES, BLEND_STYLES

STROKE_STEPS = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
DETAIL_STEPS = (0.0, 0.5, 1.0)
STRENGTH_STEP = 0.1
MIX_STEPS = 5  # from one style to the next


class ActionHandler:
    """Carries out the actions of keys on a running session.

    Args:
        control: The session.
        save_preset: Writes what the session is set to into a file, and returns its path; None if
            there is no such key.
        on_error: Gets the error of an action that cannot be done; None: the user is told.
    """

    def __init__(
        self,
        control: SessionControl,
        save_preset: Callable[[], Path] | None = None,
        on_error: Callable[[LiveNstError], None] | None = None,
    ) -> None:
        self._control = control
        self._write_preset = save_preset
        self._on_error = on_error or control.show_error
        self._selected = control.settings.style
        self._mixed = 0  # steps from the style towards the next one
        self._index = self._find(self._selected)
        only = control.settings.only
        masks = [EVERYWHERE, PERSON, BACKGROUND]
        self._masks = masks if only in masks else [only, *masks]

    def perform(self, action: Action, key: str) -> None:
        """Carry out an action.

        Args:
            action: The action. Those of the display itself are ignored.
            key: The key that was pressed.

        Raises:
            LiveNstError: It cannot be done, and `on_error` raises its error.
        """
        control, settings = self._control, self._control.settings
        match action:
            case Action.QUIT:
                control.stop()
            case Action.NEXT_STYLE:
                self._select_index(self._current_index() + 1)
            case Action.PREVIOUS_STYLE:
                self._select_index(self._current_index() - 1)
            case Action.CHOOSE_STYLE:
                if int(key) <= len(control.styles):
                    self._select_index(int(key) - 1)
            case Action.MIX_TOWARDS_NEXT | Action.MIX_TOWARDS_PREVIOUS:
                self._mix(1 if action is Action.MIX_TOWARDS_NEXT else -1)
            case Action.BROADER_STROKES | Action.FINER_STROKES:
                self._change_stroke(1 if action is Action.BROADER_STROKES else -1)
            case Action.STRONGER | Action.WEAKER:
                steps = 1 if action is Action.STRONGER else -1
                control.change(SettingsChange(strength=next_strength(settings.strength, steps)))
            case Action.TOGGLE_BLEND:
                styles = settings.blend == BLEND_PICTURES
                control.change(SettingsChange(blend=BLEND_STYLES if styles else BLEND_PICTURES))
            case Action.TOGGLE_COLORS:
                control.change(SettingsChange(keep_colors=0.0 if settings.keep_colors else 1.0))
            case Action.NEXT_DETAIL:
                control.change(SettingsChange(detail=next_detail(settings.detail)))
            case Action.NEXT_MASK:
                following = (self._masks.index(settings.only) + 1) % len(self._masks)
                control.change(SettingsChange(only=self._masks[following]))
            case Action.MIRROR:
                control.change(SettingsChange(mirror=not settings.mirror))
            case Action.SPLIT:
                control.change(SettingsChange(split=not settings.split))
            case Action.FREEZE:
                control.change(SettingsChange(frozen=not settings.frozen))
            case Action.LARGER | Action.SMALLER:
                size = next_size(settings.size, 1 if action is Action.LARGER else -1)
                if size != settings.size:
                    control.change(SettingsChange(size=size))
            case Action.AUTOMATIC_SIZE:
                control.change(SettingsChange(size="auto"))
            case Action.SNAPSHOT:
                self._save_snapshot()
            case Action.RECORD:
                self._toggle_recording()
            case Action.SAVE_PRESET:
                self._save_preset()

    def _current_index(self) -> int:
        """Return the place of the style in use, which others may have changed."""
        style = self._control.settings.style
        if style != self._selected:
            self._index, self._mixed = self._find(style), 0
            self._selected = style
        return self._index

    def _find(self, style: StyleSpec) -> int:
        """Return the place of a style; 0 for one that is none of those to choose from."""
        styles = self._control.styles
        return styles.index(style) if style in styles else 0

    def _select_index(self, index: int) -> None:
        styles = self._control.styles
        self._index, self._mixed = index % len(styles), 0
        self._selected = styles[self._index]
        self._control.change(SettingsChange(style=self._selected))

    def _mix(self, steps: int) -> None:
        """Go steps on the circle of styles; between two neighbors lie their mixes."""
        styles = self._control.styles
        place = self._current_index() * MIX_STEPS + self._mixed + steps
        index, self._mixed = divmod(place, MIX_STEPS)
        self._index = index % len(styles)
        following = styles[(self._index + 1) % len(styles)]
        self._selected = mix_styles(styles[self._index], following, self._mixed / MIX_STEPS)
        self._control.change(SettingsChange(style=self._selected))

    def _change_stroke(self, steps: int) -> None:
        stroke = self._control.settings.stroke
        if (following := next_stroke(stroke, steps)) != stroke:
            self._control.change(SettingsChange(stroke=following))

    def _save_snapshot(self) -> None:
        try:
            self._control.save_snapshot()
        except LiveNstError as exc:
            self._on_error(exc)

    def _save_preset(self) -> None:
        if self._write_preset is None:
            self._control.show_message("presets cannot be written here")
            return
        try:
            self._control.show_message(f"saved {self._write_preset().name}")
        except LiveNstError as exc:
            self._on_error(exc)

    def _toggle_recording(self) -> None:
        if self._control.recorder is not None:
            self._control.stop_recording()
            return
        try:
            self._control.start_recording()
        except LiveNstError as exc:
            self._on_error(exc)


def raise_error(error: LiveNstError) -> None:
    """Raise an error: an `on_error` for those who have a way to show it, such as programs."""
    raise error


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
