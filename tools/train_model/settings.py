"""The settings of a training run: one value, kept in every checkpoint."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is made of, its pictures aside. A value: it is replaced, never changed.

    Attributes:
        student: The shape of the network, a name in `students.STUDENTS`.
        seed: Of every random choice.
        batch: Pictures a step.
        crop: Side of the square that is cut from a photo, in pixels, a multiple of 8.
        photo_side: Short side, in pixels, that a photo is brought to before it is cropped.
        style_side: Long side, in pixels, at which VGG sees a style at stroke 1.
        strokes: The sizes of strokes that are trained besides 1, as factors.
        stroke_share: The share of styles that are also trained at each of `strokes`.
        most_styles: How many styles are trained; 0 for all. Each costs as much once as a picture.
        variants: How many variants of each style are trained as styles, too: `pictures.variant`.
        held_out: The share of photos, and of styles, that are kept for evaluation.
        rate: The learning rate of Adam.
        head_rate: The learning rate of the student's head as a share of `rate`; 0 keeps it as is.
        warm_up: Steps over which the rate rises from 0.
        pictures: How many pictures the run sees in all; the rate falls to its end at that number.
        decay: The last share of `pictures` over which the rate falls linearly to 2%.
        average: The largest weight that the moving average of the weights gives to its past.
        style: The weight of the style loss; content has 1.
        even: How much of the style loss, 0..1, counts every layer's own share alike.
        color: The weight of the distance of colors, see `losses.color_loss`.
        grid: The weight of a pattern that repeats every few pixels, see `losses.grid_loss`.
        perceive: The weight of content, style, color, texture and grid together; at 0 VGG is not
            used.
        teach: The weight of the mean squared difference (0..1) to the teacher's paintings.
        steady: The weight of the mean squared difference (0..1) between two views' paintings.
        texture: The weight of fine texture that neither the photo nor the style has.
        full: The share of pictures that are trained at full strength; the others are at random
            strengths between 0 and 1.
        frame_area: Pixels of the frame at which content and style are weighed, as content is a
            sum over positions and style is not.
    """

    student: str = "mobile"
    seed: int = 0
    batch: int = 4
    crop: int = 256
    photo_side: int = 288
    style_side: int = 384
    strokes: tuple[float, ...] = (1.5,)
    stroke_share: float = 0.25
    most_styles: int = 0
    variants: int = 0
    held_out: float = 0.05
    rate: float = 5e-4
    head_rate: float = 0.0
    warm_up: int = 30
    pictures: int = 20_000
    decay: float = 0.3
    average: float = 0.99
    style: float = 3.0
    even: float = 0.3
    color: float = 0.0
    grid: float = 0.0
    perceive: float = 1.0
    teach: float = 0.0
    steady: float = 30.0
    texture: float = 20.0
    full: float = 0.7
    frame_area: int = 384 * 216

    def __post_init__(self) -> None:
        if self.crop % 8 or not 64 <= self.crop <= self.photo_side:
            raise ValueError("crop must be a multiple of 8 from 64 up to photo_side")
        for name in ("stroke_share", "held_out", "decay", "average", "even", "full"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1")
        if self.batch < 1 or self.pictures < 1:
            raise ValueError("batch and pictures must be at least 1")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them."""
        return {**asdict(self), "strokes": list(self.strokes)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Settings":
        """Read what `to_dict` gave; names that are not known any more are ignored."""
        known = {field.name for field in fields(cls)}
        kept = {name: value for name, value in values.items() if name in known}
        if "strokes" in kept:
            kept["strokes"] = tuple(kept["strokes"])
        return cls(**kept)

    def changed(self, **values: Any) -> "Settings":
        """Return a copy with every value that is not None replaced."""
        return replace(self, **{n: v for n, v in values.items() if v is not None})

    def rate_at(self, seen: int, step: int) -> float:
        """Compute the learning rate.

        Args:
            seen: Pictures seen before this step.
            step: Steps taken before this one since the weights were loaded without their state.

        Returns:
            The rate: it rises over `warm_up` steps, stays, and falls linearly over `decay`.
        """
        left = max(0.0, 1 - seen / self.pictures)
        fall = 1.0 if not self.decay else min(1.0, left / self.decay)
        return self.rate * min(1.0, (step + 1) / max(1, self.warm_up)) * (0.02 + 0.98 * fall)
