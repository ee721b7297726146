"""The options that several commands share."""

import re
from enum import StrEnum
from typing import Annotated

import typer

from live_nst.errors import UsageError
from live_nst.stylizer.look import EVERYWHERE, Look


class Device(StrEnum):
    """Where the network runs."""

    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"


class EngineName(StrEnum):
    """What runs the network."""

    auto = "auto"
    tensorflow = "tensorflow"
    openvino = "openvino"


class PrecisionName(StrEnum):
    """What the network computes in."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


class StabilizeName(StrEnum):
    """What is done against flicker."""

    off = "off"
    fast = "fast"
    best = "best"


ModelOption = Annotated[
    str,
    typer.Option(
        help="mobile (built in), hub (TF Hub's arbitrary-image-stylization-v1-256), another Hub or "
        "Kaggle handle, or a SavedModel folder. auto: hub where there is a GPU, else mobile.",
    ),
]
DeviceOption = Annotated[Device, typer.Option(help="Where the network runs.")]
EngineOption = Annotated[
    EngineName,
    typer.Option(help="What runs it. auto: TensorFlow on a GPU, OpenVINO on a CPU."),
]
PrecisionOption = Annotated[
    PrecisionName,
    typer.Option(help="What it computes in. auto: bfloat16 on a CPU that has it, else float32."),
]
StabilizeOption = Annotated[
    StabilizeName,
    typer.Option(
        help="Steady the painted picture, so that it does not flicker. best takes longer: for "
        "conversions."
    ),
]
SizeOption = Annotated[
    int | None,
    typer.Option(
        help="Long side, in pixels, of what the network sees: smaller is faster.  "
        "[default: 384 on a CPU, 640 on a GPU]",
        show_default=False,
    ),
]


StrengthOption = Annotated[
    float, typer.Option(help="0 shows the camera's picture, 1 the full style.")
]


class Blend(StrEnum):
    """What strength blends."""

    pictures = "pictures"
    styles = "styles"


BlendOption = Annotated[
    Blend,
    typer.Option(
        help="What --strength blends: the camera's and the painted picture, or the style and that "
        "of the camera's picture itself, which takes longer."
    ),
]
KeepColorsOption = Annotated[
    float,
    typer.Option(
        metavar="[0..1]",
        help="Keep the camera's colors: paint in light and dark only. With a number, as far as "
        "that.  [default: 0; 1 if no number is given]",
        show_default=False,
    ),
]
DetailOption = Annotated[
    float, typer.Option(help="How much of the camera's fine detail is added back, 0 to 1.")
]
OnlyOption = Annotated[
    str | None,
    typer.Option(
        metavar="person|background|MASK.png",
        help="Paint only people, only what is not a person, or only where a mask picture is white. "
        " [default: everywhere]",
        show_default=False,
    ),
]
StrokeOption = Annotated[
    float,
    typer.Option(help="Size of the brush strokes, 0.3 to 3; 1 is their size in the style picture."),
]


StrengthKeys = Annotated[
    list[str] | None,
    typer.Option(
        metavar="0..1[@TIME]",
        help="0 shows the video itself, 1 the full style. With a time, from there on: "
        "--strength 0.3 --strength 1@1:30.  [default: 1]",
        show_default=False,
    ),
]
KeepColorsKeys = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[0..1[@TIME]]",
        help="Keep the video's colors: paint in light and dark only. With a number, as far as "
        "that; with a time, from there on.  [default: 0; 1 if no number is given]",
        show_default=False,
    ),
]
DetailKeys = Annotated[
    list[str] | None,
    typer.Option(
        metavar="0..1[@TIME]",
        help="How much of the video's fine detail is added back.  [default: 0]",
        show_default=False,
    ),
]
OnlyKeys = Annotated[
    list[str] | None,
    typer.Option(
        metavar="person|background|everywhere|MASK.png[@TIME]",
        help="Paint only people, only what is not a person, or only where a mask picture is white. "
        " [default: everywhere]",
        show_default=False,
    ),
]
StrokeKeys = Annotated[
    list[str] | None,
    typer.Option(
        metavar="0.3..3[@TIME]",
        help="Size of the brush strokes; 1 is their size in the style picture.  [default: 1]",
        show_default=False,
    ),
]


def parse_live_size(text: str) -> int | None:
    """A number of pixels, or None for "auto"."""
    if text == "auto":
        return None
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither auto nor a number of pixels.") from None


LiveSizeOption = Annotated[
    int | None,
    typer.Option(
        parser=parse_live_size,
        metavar="auto|PIXELS",
        help="Long side, in pixels, of what the network sees: smaller is faster. auto: the largest "
        "that holds --fps, changed as the machine is busy or idle.  [default: auto]",
        show_default=False,
    ),
]


def parse_size(text: str) -> tuple[int, int]:
    """(width, height) from "1280x720".

    Raises:
        UsageError: It is written otherwise.
    """
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no size.", "write it as 1280x720")
    return int(match[1]), int(match[2])


def look_of(
    strength: float, blend: Blend, keep_colors: float, detail: float, only: str | None
) -> Look:
    """The look that the options ask for.

    Raises:
        UsageError: A number is out of range.
    """
    return Look(
        strength=strength,
        keep_colors=keep_colors,
        detail=detail,
        only=only or EVERYWHERE,
        blend=blend.value,
    )
