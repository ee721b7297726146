"""What a session is set to, and a change of it: plain values, with their checks and words."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from live_nst.errors import UsageError
from live_nst.masks.regions import BACKGROUND, EVERYWHERE, PERSON
from live_nst.styles.spec import StyleSpec
from live_nst.stylizer.look import Look
from live_nst.stylizer.sizes import check_size, check_stroke


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """What a session is set to. What was asked for last counts, also while it is prepared.

    Attributes:
        style: The style; its `label` is for users.
        stroke: Size of its strokes, as a factor.
        strength, blend, keep_colors, detail, only: See `live_nst.stylizer.look.Look`.
        size: Longer side, in pixels, of what the network sees.
        automatic_size: Whether the size is chosen by speed.
        mirror, split, split_at, frozen: See `live_nst.live.options.ViewState`.
    """

    style: StyleSpec
    stroke: float
    strength: float
    blend: str
    keep_colors: float
    detail: float
    only: str
    size: int
    automatic_size: bool
    mirror: bool
    split: bool
    split_at: float
    frozen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """A change of some settings; None leaves a setting as it is.

    Attributes:
        size: A number of pixels, or "auto" for the size that speed allows.

    The others are those of `SessionSettings`.
    """

    style: StyleSpec | None = None
    stroke: float | None = None
    strength: float | None = None
    blend: str | None = None
    keep_colors: float | None = None
    detail: float | None = None
    only: str | None = None
    size: int | Literal["auto"] | None = None
    mirror: bool | None = None
    split: bool | None = None
    split_at: float | None = None
    frozen: bool | None = None


def changed_look(look: Look, change: SettingsChange) -> Look:
    """Return the look after a change; `look` itself if the change leaves it."""
    values = {
        name: value
        for name in ("strength", "blend", "keep_colors", "detail")
        if (value := getattr(change, name)) is not None
    }
    return replace(look, **values) if values else look


def check_change(change: SettingsChange) -> None:
    """Check the values that are not checked where they are set.

    Raises:
        UsageError: One is out of range.
    """
    if change.stroke is not None:
        check_stroke(change.stroke)
    if isinstance(change.size, int):
        check_size(change.size)
    if change.split_at is not None and not 0.0 <= change.split_at <= 1.0:
        raise UsageError(f"Invalid place {change.split_at:g} of the divider.", "use 0 to 1")


def describe_colors(keep: float) -> str:
    """Return a share of kept colors for people."""
    if 0.0 < keep < 1.0:
        return f"{keep:.0%} of the camera's colors"
    return "the camera's colors" if keep else "the style's colors"


def describe_mask(only: str) -> str:
    """Return where frames are stylized, for people."""
    words = {EVERYWHERE: "everything", PERSON: "people only", BACKGROUND: "the background only"}
    return words.get(only, f"within {Path(only).name} only")
