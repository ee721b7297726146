"""The look: what happens at camera size to what the network painted, as one value."""

from dataclasses import dataclass

from live_nst.errors import UsageError


@dataclass(frozen=True, slots=True)
class Look:
    """How the painted picture meets the camera's. A value: it is replaced, never changed.

    Attributes:
        strength: 0 shows the camera's picture itself, 1 the painted one, between them a blend.
        keep_colors: 1 keeps the camera's colours and paints their brightness only; 0 takes the
            style's colours.
        detail: How much of the camera's fine detail is added to the painted picture, 0..1.

    Raises:
        UsageError: A number is out of range.
    """

    strength: float = 1.0
    keep_colors: float = 0.0
    detail: float = 0.0

    def __post_init__(self) -> None:
        for name in ("strength", "keep_colors", "detail"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise UsageError(
                    f"A {name.replace('_', '-')} of {value:g} is out of range.", "use 0 to 1"
                )


def between(first: Look, second: Look, share: float) -> Look:
    """The look `share` (0..1) of the way from one to the other."""
    if share <= 0.0:
        return first
    if share >= 1.0:
        return second
    return Look(
        strength=(1.0 - share) * first.strength + share * second.strength,
        keep_colors=(1.0 - share) * first.keep_colors + share * second.keep_colors,
        detail=(1.0 - share) * first.detail + share * second.detail,
    )
