"""What can be changed while a session runs, and by which keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

SIZE_STEPS = (128, 192, 256, 320, 384, 448, 512, 640, 768, 960, 1280)
STROKE_STEPS = (0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
DETAIL_STEPS = (0.0, 0.5, 1.0)
STRENGTH_STEP = 0.1
MIX_STEPS = 5
"""From one style to the next."""


class Action(Enum):
    """What a key asks for; the values say it to people."""

    QUIT = "quit"
    NEXT_STYLE = "next style"
    PREVIOUS_STYLE = "previous style"
    CHOOSE_STYLE = "style by number"
    STRONGER = "more style"
    WEAKER = "less style"
    MIX_ON = "more of the next style"
    MIX_BACK = "less of the next style"
    FINER = "finer strokes"
    BROADER = "broader strokes"
    BLEND = "strength blends pictures or styles"
    KEEP_COLORS = "keep the camera's colors"
    DETAIL = "add the camera's detail"
    ONLY = "paint everything, people or the background"
    MIRROR = "mirror"
    SPLIT = "original | painted"
    OVERLAY = "figures on/off"
    FREEZE = "freeze"
    SNAPSHOT = "save a picture"
    RECORD = "record on/off"
    LARGER = "finer, slower"
    SMALLER = "coarser, faster"
    AUTOMATIC_SIZE = "size by speed"
    FULLSCREEN = "full screen"
    HELP = "this help"


KEY_ACTIONS: dict[str, Action] = {
    "q": Action.QUIT,
    "escape": Action.QUIT,
    "n": Action.NEXT_STYLE,
    "right": Action.NEXT_STYLE,
    "p": Action.PREVIOUS_STYLE,
    "left": Action.PREVIOUS_STYLE,
    **{str(digit): Action.CHOOSE_STYLE for digit in range(1, 10)},
    "up": Action.STRONGER,
    "+": Action.STRONGER,
    "=": Action.STRONGER,
    "down": Action.WEAKER,
    "-": Action.WEAKER,
    "l": Action.MIX_ON,
    "k": Action.MIX_BACK,
    ",": Action.FINER,
    ".": Action.BROADER,
    "t": Action.BLEND,
    "c": Action.KEEP_COLORS,
    "d": Action.DETAIL,
    "b": Action.ONLY,
    "m": Action.MIRROR,
    "v": Action.SPLIT,
    "o": Action.OVERLAY,
    "space": Action.FREEZE,
    "s": Action.SNAPSHOT,
    "r": Action.RECORD,
    "]": Action.LARGER,
    "[": Action.SMALLER,
    "a": Action.AUTOMATIC_SIZE,
    "f": Action.FULLSCREEN,
    "h": Action.HELP,
    "?": Action.HELP,
}

HELP_KEYS: tuple[tuple[str, str], ...] = (
    ("n p 1-9", "next, previous, numbered style"),
    ("k l", "mix: towards the previous, the next style"),
    ("up down", "more, less style"),
    ("t", Action.BLEND.value),
    (", .", "finer, broader strokes"),
    ("c", Action.KEEP_COLORS.value),
    ("d", Action.DETAIL.value),
    ("b", Action.ONLY.value),
    ("[ ]", "coarser and faster, finer and slower"),
    ("a", Action.AUTOMATIC_SIZE.value),
    ("v", Action.SPLIT.value),
    ("m", Action.MIRROR.value),
    ("space", Action.FREEZE.value),
    ("s", Action.SNAPSHOT.value),
    ("r", Action.RECORD.value),
    ("o", Action.OVERLAY.value),
    ("f", Action.FULLSCREEN.value),
    ("h", Action.HELP.value),
    ("q", Action.QUIT.value),
)


@dataclass
class ViewState:
    """How frames are shown; changed by one thread, read by others.

    Attributes:
        mirror: Flip left and right, as in a mirror.
        split: The original in the left half.
        frozen: Hold the frame, not the style.
    """

    mirror: bool = False
    split: bool = False
    frozen: bool = False


def next_strength(strength: float, steps: int) -> float:
    """Up or down by tenths, within 0..1."""
    return min(1.0, max(0.0, round(strength + steps * STRENGTH_STEP, 2)))


def next_size(size: int, steps: int) -> int:
    """The next larger (`steps` 1) or smaller (-1) processing size; at the end, the same."""
    return int(_next(SIZE_STEPS, size, steps))


def next_stroke(stroke: float, steps: int) -> float:
    """The next broader (`steps` 1) or finer (-1) stroke; at the end, the same."""
    return _next(STROKE_STEPS, stroke, steps)


def next_detail(detail: float) -> float:
    """The next larger share of the camera's detail; after all of it, none."""
    return min((d for d in DETAIL_STEPS if d > detail), default=DETAIL_STEPS[0])


def _next(values: Sequence[float], value: float, steps: int) -> float:
    if steps > 0:
        return min((v for v in values if v > value), default=value)
    return max((v for v in values if v < value), default=value)
