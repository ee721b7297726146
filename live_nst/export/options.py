"""What is exported. Nothing heavy is imported here: the command line needs this module."""

from dataclasses import dataclass
from pathlib import Path

from live_nst.errors import UsageError
from live_nst.stylizer.sizes import MAX_SIZE, check_stroke

SUFFIX = ".onnx"
PRECISIONS = ("float32", "float16")
IMAGE_TYPES = ("float32", "uint8")
MIN_SIDE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What is exported, and how.

    Attributes:
        model: "mobile", "fine", "live", "hub", a TF Hub or Kaggle handle, or a SavedModel folder.
        size: (width, height) of the frames in pixels.
        styles: For a file, none or the one that becomes part of it. For a folder, those whose
            tensors are written; none for all built-in ones.
        stroke: Size of the brush strokes, 0.3 to 3.
        precision: Precision of the convolutions: "float32" or "float16".
        images: Type of the frames: "float32", 0..1, or "uint8".
    """

    model: str = "mobile"
    size: tuple[int, int] = (384, 216)
    styles: tuple[str, ...] = ()
    stroke: float = 1.0
    precision: str = "float32"
    images: str = "float32"

    def check(self, output: Path) -> None:
        """Check the values.

        Raises:
            UsageError: One is invalid, or does not fit to the output.
        """
        width, height = self.size
        if not MIN_SIDE <= min(self.size) <= max(self.size) <= MAX_SIZE:
            raise UsageError(
                f"Invalid size {width}x{height}.", f"use {MIN_SIDE} to {MAX_SIZE} pixels a side"
            )
        for name, value, valid in (
            ("precision", self.precision, PRECISIONS),
            ("images", self.images, IMAGE_TYPES),
        ):
            if value not in valid:
                raise UsageError(f"Invalid {name} {value!r}.", f"use {' or '.join(valid)}")
        check_stroke(self.stroke)
        if is_file(output) and len(self.styles) > 1:
            raise UsageError(
                "A file holds one style at most.",
                "give one --style, or name a folder, which holds the tensors of many",
            )


def is_file(output: Path) -> bool:
    """Return whether the output is a single file, by its name."""
    return output.suffix.lower() == SUFFIX
