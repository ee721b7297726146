"""The options of a live session, shared by `live-nst` and `live-nst studio`.

Nothing heavy is imported here: the help of every command needs this module.
"""

from typing import Annotated

import typer


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

MirrorOption = Annotated[bool, typer.Option("--mirror/--no-mirror", help="Flip left and right.")]
CameraRequestOption = Annotated[
    str,
    typer.Option("--camera-size", metavar="WxH", help="The size to request from the camera."),
]
FpsOption = Annotated[
    float,
    typer.Option(
        metavar="RATE", help="The rate to request from the camera, and to hold with --size auto."
    ),
]
BitrateOption = Annotated[
    str | None,
    typer.Option(
        metavar="4M|2500k",
        help="Bits per second of the streams.",
        show_default="by size and rate: 3.5M at 1280x720",
    ),
]
EncoderOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="The H.264 encoder of the streams: libx264, h264_nvenc (NVIDIA), h264_qsv (Intel), "
        "h264_amf (AMD) or h264_videotoolbox (Apple).",
    ),
]
AudioOption = Annotated[
    str | None,
    typer.Option(
        metavar="DEVICE|FILE",
        help="The sound of streams and recordings: a file, a part of the name of an input device, "
        "or default. It is in step with the painted picture.",
        show_default="silence",
    ),
]
