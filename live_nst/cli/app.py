"""The options of every command. Heavy modules are imported when a command runs."""

from pathlib import Path
from typing import Annotated

import typer

from live_nst import __version__
from live_nst.cli.objective import paint, score
from live_nst.cli.options import (
    Blend,
    BlendOption,
    DetailKeys,
    DetailOption,
    Device,
    DeviceOption,
    EngineName,
    EngineOption,
    KeepColorsKeys,
    KeepColorsOption,
    LiveSizeOption,
    ModelOption,
    OnlyKeys,
    OnlyOption,
    PrecisionName,
    PrecisionOption,
    SizeOption,
    StabilizeName,
    StabilizeOption,
    StrengthKeys,
    StrengthOption,
    StrokeKeys,
    StrokeOption,
    look_of,
)

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"live-nst {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def live(
    context: typer.Context,
    style: Annotated[
        list[str] | None,
        typer.Option(
            help="A picture file, a built-in style (see `live-nst styles`), or a mix such as "
            "starry:0.7+wave:0.3. Give several to switch between them.  [default: starry]",
            show_default=False,
        ),
    ] = None,
    source: Annotated[
        str,
        typer.Option(
            help="A camera's number, path or name, the address of a stream, a video file, or demo."
        ),
    ] = "0",
    model: ModelOption = "auto",
    device: DeviceOption = Device.auto,
    engine: EngineOption = EngineName.auto,
    precision: PrecisionOption = PrecisionName.auto,
    size: LiveSizeOption = None,
    stabilize: StabilizeOption = StabilizeName.fast,
    strength: StrengthOption = 1.0,
    blend: BlendOption = Blend.pictures,
    keep_colors: KeepColorsOption = 0.0,
    detail: DetailOption = 0.0,
    stroke: StrokeOption = 1.0,
    only: OnlyOption = None,
    mirror: Annotated[bool, typer.Option("--mirror", help="Flip left and right.")] = False,
    camera_size: Annotated[
        str, typer.Option(metavar="WxH", help="The size to ask of the camera.")
    ] = "1280x720",
    fps: Annotated[
        float,
        typer.Option(help="The rate to ask of the camera, and to hold with --size auto."),
    ] = 30.0,
    window: Annotated[
        bool, typer.Option("--window/--no-window", help="Show the stream in a window.")
    ] = True,
    fullscreen: Annotated[
        bool, typer.Option("--fullscreen", help="Let the window fill the screen.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option(metavar="OUT.mp4", help="Record what is shown.")
    ] = None,
    virtual_camera: Annotated[
        str | None,
        typer.Option(
            metavar="[DEVICE]",
            help="Feed a virtual camera that other programs can read: a device such as "
            "/dev/video10, or the first there is.",
        ),
    ] = None,
    frames: Annotated[int | None, typer.Option(help="Stop after so many frames.")] = None,
    duration: Annotated[float | None, typer.Option(help="Stop after so many seconds.")] = None,
    stats: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Write the session's figures.")
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Paint your webcam in the style of any picture, live.

    In the window, h lists the keys.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    from live_nst.sources.camera import configure_opencv

    configure_opencv()  # before anything imports cv2
    from live_nst.cli.live import run

    run(
        styles=tuple(style or ["starry"]),
        source=source,
        camera_size=camera_size,
        fps=fps,
        model=model,
        device=device.value,
        engine=engine.value,
        precision=precision.value,
        size=size,
        stabilize=stabilize.value,
        look=look_of(strength, blend, keep_colors, detail, only),
        stroke=stroke,
        mirror=mirror,
        window=window,
        fullscreen=fullscreen,
        record=record,
        virtual_camera=virtual_camera,
        frames=frames,
        duration=duration,
        stats=stats,
    )


def _refuse_options(context: typer.Context) -> None:
    """Options of the live stream before a command's name would silently do nothing."""
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name)
        if given is not None and given.name == "COMMANDLINE":
            denied = context.params[name] is False and parameter.secondary_opts
            option = (parameter.secondary_opts if denied else parameter.opts)[0]
            raise typer.BadParameter(
                f"{option} stands before {context.invoked_subcommand}, which does not know it."
            )


@app.command()
def convert(
    input: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="A video, a picture, a folder of them, or - for standard input.",
            show_default=False,
        ),
    ],
    output: Annotated[
        str,
        typer.Argument(
            metavar="OUTPUT",
            help="A video: .mp4, .mov, .mkv, .webm, .gif. A picture: .jpg, .png, .webp, .tif, "
            ".bmp, .avif. For a folder, another one. - for standard output.",
            show_default=False,
        ),
    ],
    style: Annotated[
        list[str] | None,
        typer.Option(
            help="As for the live stream. Several come one after the other: --style starry "
            "--style wave@1:30.  [default: starry]",
            show_default=False,
        ),
    ] = None,
    fade: Annotated[
        str, typer.Option(metavar="TIME", help="How long each change takes, as 2s.")
    ] = "0",
    start: Annotated[
        str, typer.Option(metavar="TIME", help="Leave out what comes before: 90, 1:30, 0:01:30.5.")
    ] = "0",
    end: Annotated[
        str | None, typer.Option(metavar="TIME", help="Leave out what comes from here on.")
    ] = None,
    every: Annotated[
        int, typer.Option(metavar="N", help="Keep one frame in N, for a quick look.")
    ] = 1,
    codec: Annotated[
        str | None,
        typer.Option(
            help="h264, hevc, vp9, av1, h264_nvenc, hevc_nvenc, av1_nvenc, libx264rgb or ffv1.  "
            "[default: h264; vp9 in .webm]",
            show_default=False,
        ),
    ] = None,
    crf: Annotated[
        int | None,
        typer.Option(
            help="Quality, in the codec's scale: lower is better and larger.  "
            "[default: 18 for h264]",
            show_default=False,
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="The codec's speed.  [default: veryfast for h264]",
            show_default=False,
        ),
    ] = None,
    model: ModelOption = "auto",
    device: DeviceOption = Device.auto,
    engine: EngineOption = EngineName.auto,
    precision: PrecisionOption = PrecisionName.auto,
    size: SizeOption = None,
    stabilize: StabilizeOption = StabilizeName.fast,
    strength: StrengthKeys = None,
    blend: BlendOption = Blend.pictures,
    keep_colors: KeepColorsKeys = None,
    detail: DetailKeys = None,
    stroke: StrokeKeys = None,
    only: OnlyKeys = None,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            help="Start anew: forget an interrupted run, replace an output that is there.",
        ),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            metavar="N",
            help="How many pictures of a folder at once.  [default: one per core, at most 4]",
            show_default=False,
        ),
    ] = None,
    preview: Annotated[
        bool,
        typer.Option(
            "--preview", help="Only paint a few frames, beside their originals: OUTPUT.preview.png."
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Only tell what would be done, how long it takes and how large it is."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Tell the progress as JSON, one object per line.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
) -> None:
    """Paint a video, every frame with its sound and all that goes with it, or pictures.

    Options that take a @TIME may be given several times: what they say holds from there on.
    An interrupted conversion goes on where it stopped when the same command is run again.
    Pictures are painted at their full size; --size bounds what the network sees of them.
    """
    from live_nst.runtime.memory import share_heap

    share_heap()
    from live_nst.cli.convert import run

    run(
        input=input,
        output=output,
        styles=tuple(style or ["starry"]),
        fade=fade,
        start=start,
        end=end,
        every=every,
        codec=codec,
        crf=crf,
        preset=preset,
        model=model,
        device=device.value,
        engine=engine.value,
        precision=precision.value,
        size=size,
        strength=tuple(strength or ()),
        blend=blend.value,
        keep_colors=tuple(keep_colors or ()),
        detail=tuple(detail or ()),
        stroke=tuple(stroke or ()),
        only=tuple(only or ()),
        stabilize=stabilize.value,
        restart=restart,
        jobs=jobs,
        preview=preview,
        dry_run=dry_run,
        as_json=as_json,
        quiet=quiet,
    )


@app.command()
def styles(
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Paint one photo in all styles, on one sheet."),
    ] = None,
    photo: Annotated[
        Path | None,
        typer.Option(help="The photo for the sheet.  [default: the demo]", show_default=False),
    ] = None,
    model: ModelOption = "auto",
    device: DeviceOption = Device.auto,
    engine: EngineOption = EngineName.auto,
    precision: PrecisionOption = PrecisionName.auto,
    size: SizeOption = None,
) -> None:
    """List the built-in styles."""
    from live_nst.cli.styles import run

    run(
        sheet=sheet,
        photo=photo,
        model=model,
        device=device.value,
        engine=engine.value,
        precision=precision.value,
        size=size,
    )


@app.command()
def devices() -> None:
    """List the cameras, with their names and modes."""
    from live_nst.cli.devices import run

    run()


@app.command()
def doctor() -> None:
    """Tell what this machine has, and what is wrong with it."""
    from live_nst.cli.doctor import run

    run()


@app.command()
def bench(
    model: ModelOption = "auto",
    device: DeviceOption = Device.auto,
    camera_size: Annotated[
        str, typer.Option(metavar="WxH", help="The size of the camera's frames.")
    ] = "1280x720",
    fps: Annotated[float, typer.Option(help="The rate that you want.")] = 30.0,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Only what live-nst would pick by itself, in 10 seconds."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure how fast this machine paints, and tell what to run on it."""
    from live_nst.sources.camera import configure_opencv

    configure_opencv()
    from live_nst.cli.bench import run

    run(
        model=model,
        device=device.value,
        camera_size=camera_size,
        fps=fps,
        quick=quick,
        as_json=as_json,
    )


app.command()(paint)
app.command()(score)
