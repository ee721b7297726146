"""The look: how the stylized image is blended with the frame, as one immutable value."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from live_nst.errors import UsageError
from live_nst.masks.regions import EVERYWHERE, mask_image_path

BLEND_PICTURES, BLEND_STYLES = "pictures", "styles"
"""Values of `Look.blend`."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the stylized image is blended with the frame. Replace it to change it.

    Attributes:
        strength: 0 shows the frame itself, 1 the stylized image, values between them a blend.
        blend: What strength blends: "pictures" blends the two images. "styles" blends the style
            with the content style of the frame itself: the whole frame is stylized, and with a
            strength of 0 it looks as similar to the frame as the model can make it. Every frame
            then runs the style part of the model once more.
        keep_colors: 1 keeps the frame's colors and takes only the brightness of the stylized
            image; 0 takes the colors of the style.
        detail: How much of the frame's fine detail is added to the stylized image, 0 to 1.
        only: Where the frame is stylized: "everywhere", "person", "background", or the path of an
            image that is white where to stylize and black where not.

    Raises:
        UsageError: A value is invalid.
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
                raise UsageError(f"Invalid {name.replace('_', '-')} {value:g}.", "use 0 to 1")
        if self.blend not in (BLEND_PICTURES, BLEND_STYLES):
            raise UsageError(
                f"Invalid blend {self.blend!r}.", f"use {BLEND_PICTURES} or {BLEND_STYLES}"
            )

    @property
    def opacity(self) -> float:
        """How opaque the stylized image is over the frame, 0 to 1."""
        return self.strength if self.blend == BLEND_PICTURES else 1.0

    @property
    def style_share(self) -> float:
        """Share of the style that the network is given, 0 to 1; the rest is the content style."""
        return self.strength if self.blend == BLEND_STYLES else 1.0

    @property
    def shows_content_only(self) -> bool:
        """Whether nothing of the stylized image is visible."""
        return self.opacity <= 0

    @property
    def mask_file(self) -> Path | None:
        """Path of the mask image, if `only` names one."""
        return mask_image_path(self.only)

    def fingerprint(self) -> str:
        """Return text that identifies this look, including the content of its mask image.

        Raises:
            OSError: The mask image cannot be read.
        """
        values = asdict(self)
        if self.mask_file is not None:
            values["only"] = hashlib.sha256(self.mask_file.read_bytes()).hexdigest()
        return json.dumps(values, sort_keys=True)


def interpolate_looks(first: Look, second: Look, share: float) -> Look:
    """Return the look that lies `share` (0 to 1) of the way from `first` to `second`.

    Numbers are interpolated linearly; `only` and `blend` change half way.
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
