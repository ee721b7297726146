"""The options that several commands share.

Nothing heavy is imported here: the help of every command needs this module.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from live_nst.errors import UsageError
from live_nst.runtime.device_words import check_device
from live_nst.styles.builtin import builtin_styles

if TYPE_CHECKING:
    from live_nst.live.options import LiveOptions

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
        help="mobile (built in), fine (built in: calmer, milder strokes), hub (TF Hub's "
        "arbitrary-image-stylization-v1-256), another Hub or Kaggle handle, or a SavedModel "
        "folder. auto: hub if TensorFlow has a GPU, else mobile.",
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


def parse_live_size(text: str) -> int | None:
    """Return a number of pixels, or None for "auto"."""
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
        help="Long side of the image that the network sees: smaller is faster. auto: the largest "
        "that holds --fps, adapted to the load of the machine.",
        show_default="auto",
    ),
]


PresetOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE.toml",
        help="Take the options from a file, or from a preset saved in the studio, by its name. "
        "Options of the command line win over it.",
    ),
]
OscOption = Annotated[
    str | None,
    typer.Option(
        metavar="[[HOST:]PORT]",
        help="Let OSC messages change the session: /live-nst/style, /live-nst/strength, ... "
        "Port 9000 of this computer if none is given.",
    ),
]
MetricsOption = Annotated[
    str | None,
    typer.Option(
        metavar="[PORT]",
        help="Give the figures to Prometheus, on this computer. Port 9478 if none is given.",
    ),
]
ControlOption = Annotated[
    str | None,
    typer.Option(
        metavar="[PORT]",
        help="Let `live-nst ctl` and other programs of yours control the session: through a "
        "socket, or a port of this computer.",
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


def given_options(context: typer.Context) -> dict[str, Any]:
    """Return the options of the command line that are keys of presets, without the defaults.

    Addresses of streams, and addresses of sources that hold a password or a query, are hidden
    from other users of the machine.
    """
    from live_nst.presets.keys import preset_keys
    from live_nst.runtime.process_list import hide_in_process_list

    given: dict[str, Any] = {}
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        key = parameter.opts[0].removeprefix("--")
        if key in preset_keys() and source is not None and source.name == "COMMANDLINE":
            value = context.params[parameter.name or ""]
            given[key] = value.value if isinstance(value, Enum) else value
    for address in given.get("stream", ()):
        if "://" in address:
            hide_in_process_list(address.partition("://")[2])  # it holds a key
    address = str(given.get("source", "")).partition("://")[2]
    if "@" in address or "?" in address:
        hide_in_process_list(address)
    return given


def make_options(
    given: Mapping[str, Any], preset: str | None, base: "LiveOptions | None" = None
) -> "LiveOptions":
    """Return the options of a session: those given win over a preset, that over the defaults.

    Args:
        given: Options by key.
        preset: A file, or the name of a preset.
        base: What the user's defaults are applied to; None for the built-in defaults.

    Raises:
        UsageError: A value is out of range, or a file of options cannot be used.
    """
    from live_nst.presets.files import apply_preset, find_preset, load_defaults
    from live_nst.presets.keys import apply_table

    options = load_defaults(base)
    if preset is not None:
        options = apply_preset(options, find_preset(preset))
    return apply_table(options, given)
