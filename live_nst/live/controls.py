"""What can be changed while a session runs, and by which keys."""

from dataclasses import dataclass
from enum import Enum

SIZES = (128, 192, 256, 320, 384, 448, 512, 640, 768, 960, 1280)
STRENGTH_STEP = 0.1


class Action(Enum):
    """What a key asks for; the values say it to people."""

    QUIT = "quit"
    NEXT_STYLE = "next style"
    PREVIOUS_STYLE = "previous style"
    CHOOSE_STYLE = "style by number"
    STRONGER = "more style"
    WEAKER = "less style"
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


KEYS: dict[str, Action] = {
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
    ("up down", "more, less style"),
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
class View:
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
    if steps > 0:
        return min((s for s in SIZES if s > size), default=size)
    return max((s for s in SIZES if s < size), default=size)
