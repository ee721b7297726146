"""The options that several commands share."""

from enum import StrEnum
from typing import Annotated

import typer


class Device(StrEnum):
    """Where the network runs."""

    auto = "auto"
    cpu = "cpu"
    gpu = "gpu"


ModelOption = Annotated[
    str,
    typer.Option(
        help="mobile (built in), hub (TF Hub's arbitrary-image-stylization-v1-256), another Hub or "
        "Kaggle handle, or a SavedModel folder. auto: hub where there is a GPU, else mobile.",
    ),
]
DeviceOption = Annotated[Device, typer.Option(help="Where the network runs.")]
SizeOption = Annotated[
    int | None,
    typer.Option(
        help="Long side, in pixels, of what the network sees: smaller is faster.  "
        "[default: 384 on a CPU, 640 on a GPU]",
        show_default=False,
    ),
]
