"""The options that several commands share.

Nothing heavy is imported here: the help of every command needs this module.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from live_nst.errors import UsageError
from live_nst.runtime.device_words import check_device
from live_nst.styles.builtin import builtin_styles

Engine = StrEnum("Engine", ["auto", "tensorflow", "openvino", "onnxruntime"])
PrecisionChoice = StrEnum("PrecisionChoice", ["auto", "float32", "bfloat16", "float16"])
StabilizeMode = StrEnum("StabilizeMode", ["off", "fast", "best"])
Blend = StrEnum("Blend", ["pictures", "styles"])
AudioMode = StrEnum("AudioMode", ["copy", "encode", "none"])


def complete_style(incomplete: str) -> list[str]:
    """Return the built-in styles whose names begin with what was typed."""
    return [name for name in builtin_styles() if name.startswith(incomplete)]


StyleOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="STYLE",
        help="A picture file, a built-in style (see `live-nst styles`), or a mix such as "
        "starry:0.7+wave:0.3. Give several to switch between them.",
        show_default="starry",
        autocompletion=complete_style,
    ),
]
ModelOption = Annotated[
    str,
    typer.Option(
        metavar="MODEL",
        help="mobile (built in), fine (built in: calmer, milder strokes), live (built in: the "
        "quickest), hub (TF Hub's arbitrary-image-stylization-v1-256), another Hub or Kaggle "
        "handle, or a SavedModel folder. auto: hub if TensorFlow has a GPU, else mobile.",
    ),
]


def parse_device(text: str) -> str:
    """Return the word of a device."""
    try:
        return check_device(text)
    except UsageError as exc:
        raise typer.BadParameter(f"{text!r} is no device: {exc.hint}.") from None


DeviceOption = Annotated[
    str,
    typer.Option(
        parser=parse_device,
        metavar="auto|cpu|gpu|gpu:N|npu",
        help="What runs the network. auto: the fastest, measured at the first start.",
    ),
]
EngineOption = Annotated[
    Engine,
    typer.Option(
        help="The library that runs the network. auto: TensorFlow on NVIDIA's GPUs, else OpenVINO."
    ),
]
PrecisionOption = Annotated[
    PrecisionChoice,
    typer.Option(
        help="The number format of the network. auto: float16 on a GPU or NPU and bfloat16 on a "
        "CPU that have units for it, else float32."
    ),
]
StabilizeOption = Annotated[
    StabilizeMode,
    typer.Option(help="Remove flicker. best takes longer: use it for conversions."),
]
SizeOption = Annotated[
    int | None,
    typer.Option(
        metavar="PIXELS",
        help="Long side of the image that the network sees: smaller is faster.",
        show_default="384 on a CPU, else 640",
    ),
]
BlendOption = Annotated[
    Blend,
    typer.Option(
        help="What --strength blends: the original and the stylized picture, or the style and the "
        "original's own style, which takes longer."
    ),
]

_STRENGTH = "0 shows the original, 1 the full style."
_KEEP_COLORS = "How much of the original's colors to keep; 1 if no number is given."
_DETAIL = "How much of the original's fine detail to add."
_STROKE = "Size of the brush strokes; 1 is their size in the style picture."
_ONLY = (
    "Stylize only people, only what is not a person, or only where a mask picture is white, "
    "instead of everything."
)
_TIMED = " With @TIME, from that time on."

StrengthOption = Annotated[float, typer.Option(metavar="0..1", help=_STRENGTH)]
KeepColorsOption = Annotated[float, typer.Option(metavar="[0..1]", help=_KEEP_COLORS)]
DetailOption = Annotated[float, typer.Option(metavar="0..1", help=_DETAIL)]
StrokeOption = Annotated[float, typer.Option(metavar="0.3..3", help=_STROKE)]
OnlyOption = Annotated[
    str, typer.Option(metavar="person|background|MASK.png", help=_ONLY, show_default=False)
]

TimedStrengthOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="0..1[@TIME]",
        help=f"{_STRENGTH}{_TIMED} Give several: --strength 0.3 --strength 1@1:30.",
        show_default="1",
    ),
]
TimedKeepColorsOption = Annotated[
    list[str] | None,
    typer.Option(metavar="[0..1[@TIME]]", help=_KEEP_COLORS + _TIMED, show_default="0"),
]
TimedDetailOption = Annotated[
    list[str] | None,
    typer.Option(metavar="0..1[@TIME]", help=_DETAIL + _TIMED, show_default="0"),
]
TimedStrokeOption = Annotated[
    list[str] | None,
    typer.Option(metavar="0.3..3[@TIME]", help=_STROKE + _TIMED, show_default="1"),
]
TimedOnlyOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="person|background|everywhere|MASK.png[@TIME]",
        help=_ONLY + _TIMED,
        show_default="everywhere",
    ),
]

CameraSizeOption = Annotated[str, typer.Option(metavar="WxH", help="Size of the camera's frames.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

TlsCaOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The certificate of the authority that signed the certificates of all machines.",
        show_default="Dask's configuration",
    ),
]
TlsCertOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The certificate of this machine.", show_default="as above"),
]
TlsKeyOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The private key of that certificate.", show_default="as above"
    ),
]
InsecureOption = Annotated[
    bool,
    typer.Option(
        "--insecure",
        help="Accept an address without TLS beyond this machine: whoever reaches it can run code "
        "on all machines.",
    ),
]

LossOption = Annotated[
    str,
    typer.Option(
        "--loss",
        "--form",
        metavar="NAME",
        help="The loss: gatys (2015), johnson (2016), or magenta (2017, that of the fast models).",
    ),
]
NetworkOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The network whose features are compared: vgg16 or vgg19.",
        show_default="that of the loss",
    ),
]
VggOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.h5",
        help="A copy of Keras' file of VGG's weights.",
        show_default="downloaded once",
    ),
]


def require_studio(purpose: str) -> None:
    """Raise unless the packages of the studio's server are installed.

    Args:
        purpose: What needs them, as the beginning of a sentence.

    Raises:
        DeviceError: One is missing.
    """
    from live_nst.runtime.extras import import_extra

    for module in ("fastapi", "uvicorn", "websockets"):
        import_extra(module, "studio", purpose)
