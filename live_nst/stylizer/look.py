"""The look: what happens at camera size to what the network painted, as one value."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from live_nst.errors import UsageError

EVERYWHERE, PERSON, BACKGROUND = "everywhere", "person", "background"
"""Values of `Look.only` that are no file."""

BLEND_PICTURES, BLEND_STYLES = "pictures", "styles"
"""Values of `Look.blend`."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the painted picture meets the camera's. A value: it is replaced, never changed.

    Attributes:
        strength: 0 shows the camera's picture itself, 1 the painted one, between them a blend.
        blend: What strength blends: the two "pictures", or the "styles": the style with that of the
            frame itself. Then all is painted, at 0 as like the frame as the model can, and each
            frame takes the model's style part once more.
        keep_colors: 1 keeps the camera's colors and paints their brightness only; 0 takes the
            style's colors.
        detail: How much of the camera's fine detail is added to the painted picture, 0..1.
        only: Where it is painted: "everywhere", "person", "background", or a picture file that is
            white where to paint and black where not.

    Raises:
        UsageError: A number is out of range.
    """

    strength: float = 1.0
    keep_colors: float = 0.0
    detail: float = 0.0
    only: str = EVERYWHERE
    blend: str = BLEND_PICTURES

    def __post_init__(self) -> None:
        for name in ("strength", "keep_colors", "detail"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise UsageError(
                    f"A {name.replace('_', '-')} of {value:g} is out of range.", "use 0 to 1"
                )
        if self.blend not in (BLEND_PICTURES, BLEND_STYLES):
            raise UsageError(
                f"There is no blend of {self.blend!r}.", f"use {BLEND_PICTURES} or {BLEND_STYLES}"
            )

    @property
    def opacity(self) -> float:
        """How much of the painted picture covers the camera's, 0..1."""
        return self.strength if self.blend == BLEND_PICTURES else 1.0

    @property
    def style_share(self) -> float:
        """How much of the style the network is given, 0..1; the rest is the frame's own."""
        return self.strength if self.blend == BLEND_STYLES else 1.0

    @property
    def shows_content_only(self) -> bool:
        """Whether nothing shows of the painted picture."""
        return self.opacity <= 0

    @property
    def mask_file(self) -> Path | None:
        """The file that `only` names, if it names one."""
        if self.only in (EVERYWHERE, PERSON, BACKGROUND):
            return None
        return Path(self.only).expanduser()

    def fingerprint(self) -> str:
        """What tells this look from any other, the content of its mask file included.

        Raises:
            OSError: The mask file cannot be read.
        """
        values = asdict(self)
        if self.mask_file is not None:
            values["only"] = hashlib.sha256(self.mask_file.read_bytes()).hexdigest()
        return json.dumps(values, sort_keys=True)


def interpolate_looks(first: Look, second: Look, share: float) -> Look:
    """The look `share` (0..1) of the way from one to the other.

    Numbers go straight; `only` and `blend`, which have nothing between, change half way.
    """
    if share <= 0.0:
        return first
    if share >= 1.0:
        return second
    return Look(
        strength=(1.0 - share) * first.strength + share * second.strength,
        keep_colors=(1.0 - share) * first.keep_colors + share * second.keep_colors,
        detail=(1.0 - share) * first.detail + share * second.detail,
        only=(first if share < 0.5 else second).only,
        blend=(first if share < 0.5 else second).blend,
    )
