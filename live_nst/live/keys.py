"""The keys of a live session and what they do."""

from enum import Enum


class Action(Enum):
    """What a key does; the values describe it to the user."""

    QUIT = "quit"
    NEXT_STYLE = "next style"
    PREVIOUS_STYLE = "previous style"
    CHOOSE_STYLE = "style by number"
    STRONGER = "more style"
    WEAKER = "less style"
    MIX_TOWARDS_NEXT = "more of the next style"
    MIX_TOWARDS_PREVIOUS = "less of the next style"
    FINER_STROKES = "finer strokes"
    BROADER_STROKES = "broader strokes"
    TOGGLE_BLEND = "strength blends pictures or styles"
    TOGGLE_COLORS = "keep the camera's colors"
    NEXT_DETAIL = "add the camera's detail"
    NEXT_MASK = "stylize everything, people or the background"
    MIRROR = "mirror"
    SPLIT = "original | stylized"
    OVERLAY = "figures on/off"
    FREEZE = "freeze"
    SNAPSHOT = "save a picture"
    RECORD = "record on/off"
    SAVE_PRESET = "write a preset"
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
    "l": Action.MIX_TOWARDS_NEXT,
    "k": Action.MIX_TOWARDS_PREVIOUS,
    ",": Action.FINER_STROKES,
    ".": Action.BROADER_STROKES,
    "t": Action.TOGGLE_BLEND,
    "c": Action.TOGGLE_COLORS,
    "d": Action.NEXT_DETAIL,
    "b": Action.NEXT_MASK,
    "m": Action.MIRROR,
    "v": Action.SPLIT,
    "o": Action.OVERLAY,
    "space": Action.FREEZE,
    "s": Action.SNAPSHOT,
    "r": Action.RECORD,
    "w": Action.SAVE_PRESET,
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
    ("t", Action.TOGGLE_BLEND.value),
    (", .", "finer, broader strokes"),
    ("c", Action.TOGGLE_COLORS.value),
    ("d", Action.NEXT_DETAIL.value),
    ("b", Action.NEXT_MASK.value),
    ("[ ]", "coarser and faster, finer and slower"),
    ("a", Action.AUTOMATIC_SIZE.value),
    ("v", Action.SPLIT.value),
    ("m", Action.MIRROR.value),
    ("space", Action.FREEZE.value),
    ("s", Action.SNAPSHOT.value),
    ("r", Action.RECORD.value),
    ("w", Action.SAVE_PRESET.value),
    ("o", Action.OVERLAY.value),
    ("f", Action.FULLSCREEN.value),
    ("h", Action.HELP.value),
    ("q", Action.QUIT.value),
)
