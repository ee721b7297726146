"""The options of the commands that know the objective: paint and score."""

from pathlib import Path
from typing import Annotated

import typer

from live_nst.cli.options import Device, DeviceOption, ModelOption

FormOption = Annotated[
    str,
    typer.Option(help="Whose loss: gatys (2015), johnson (2016), or magenta (2017, the models')."),
]
NetworkOption = Annotated[
    str | None,
    typer.Option(
        help="What looks at the pictures: vgg16 or vgg19.  [default: the form's]",
        show_default=False,
    ),
]
VggOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.h5",
        help="A copy of Keras' file of VGG's weights.  [default: fetched once and kept]",
        show_default=False,
    ),
]


def paint(
    content: Annotated[Path, typer.Argument(help="The picture to paint.", show_default=False)],
    out: Annotated[Path, typer.Argument(help="Where the painting goes.", show_default=False)],
    style: Annotated[
        list[str] | None,
        typer.Option(
            help="A picture file, a built-in style or a mix. Several share the picture evenly, "
            "or each has its --mask.  [default: starry]",
            show_default=False,
        ),
    ] = None,
    mask: Annotated[
        list[Path] | None,
        typer.Option(
            help="White where the style of the same place in the list goes; the last style may do "
            "without and gets the rest.",
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            help="Long side of the painting in pixels.  [default: the picture's, at most 512]",
            show_default=False,
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option(help="How often the loss is computed, on every level.")
    ] = 150,
    levels: Annotated[
        int | None,
        typer.Option(
            help="Sizes from coarse to fine, each twice the one before.  "
            "[default: as many as stay above 192 pixels]",
            show_default=False,
        ),
    ] = None,
    optimizer: Annotated[str, typer.Option(help="lbfgs or adam.")] = "lbfgs",
    start: Annotated[
        str, typer.Option(help="fast (the live model's picture), content or noise.")
    ] = "fast",
    seed: Annotated[int, typer.Option(help="Of the noise.")] = 0,
    colors: Annotated[
        str,
        typer.Option(
            help="style: the style's; or the picture's own, by luminance (only brightness is "
            "painted) or histogram (the style is recolored first)."
        ),
    ] = "style",
    form: FormOption = "gatys",
    network: NetworkOption = None,
    vgg: VggOption = None,
    content_weight: Annotated[
        float | None, typer.Option(help="[default: the form's]", show_default=False)
    ] = None,
    style_weight: Annotated[
        float | None, typer.Option(help="[default: the form's]", show_default=False)
    ] = None,
    tv_weight: Annotated[
        float, typer.Option(help="Of total variation: more makes it smoother.")
    ] = 0.0,
    content_layer: Annotated[
        list[str] | None,
        typer.Option(metavar="LAYER[:WEIGHT]", help="Such as block4_conv2.", show_default=False),
    ] = None,
    style_layer: Annotated[
        list[str] | None,
        typer.Option(metavar="LAYER[:WEIGHT]", help="Give several.", show_default=False),
    ] = None,
    save_every: Annotated[
        int | None, typer.Option(help="Keep a picture after every so many evaluations.")
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show the picture in a window meanwhile.")
    ] = False,
    model: ModelOption = "auto",
    device: DeviceOption = Device.auto,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start over instead of going on where it stopped.")
    ] = False,
) -> None:
    """Paint one picture at full quality: minutes instead of milliseconds.

    Ctrl-C stops; the same command goes on.
    """
    from live_nst.cli.paint import run

    run(
        content=content,
        out=out,
        styles=tuple(style or ["starry"]),
        masks=tuple(mask or ()),
        size=size,
        steps=steps,
        levels=levels,
        optimizer=optimizer,
        start=start,
        seed=seed,
        colors=colors,
        form=form,
        network=network,
        vgg=vgg,
        content_weight=content_weight,
        style_weight=style_weight,
        tv_weight=tv_weight,
        content_layers=tuple(content_layer or ()),
        style_layers=tuple(style_layer or ()),
        save_every=save_every,
        preview=preview,
        model=model,
        device=device.value,
        fresh=fresh,
    )


def score(
    content: Annotated[
        Path, typer.Argument(help="The picture or video before.", show_default=False)
    ],
    style: Annotated[
        str, typer.Argument(help="A picture, a built-in style or a mix.", show_default=False)
    ],
    painted: Annotated[
        list[Path], typer.Argument(help="The pictures or videos after.", show_default=False)
    ],
    form: FormOption = "gatys",
    network: NetworkOption = None,
    vgg: VggOption = None,
    size: Annotated[
        int, typer.Option(help="Long side, in pixels, at which pictures are compared.")
    ] = 256,
    frames: Annotated[int, typer.Option(help="How many frames of a video, spread evenly.")] = 8,
    device: DeviceOption = Device.auto,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure how well pictures keep their content and take on a style; less is better."""
    from live_nst.cli.score import run

    run(
        content=content,
        style=style,
        painted=tuple(painted),
        form=form,
        network=network,
        vgg=vgg,
        size=size,
        frames=frames,
        device=device.value,
        as_json=as_json,
    )
