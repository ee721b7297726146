"""`live-nst convert`: stylize a video, an image, or a folder of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from live_nst.cli.options import (
    AudioMode,
    Blend,
    BlendOption,
    DeviceOption,
    Engine,
    EngineOption,
    InsecureOption,
    ModelOption,
    PrecisionChoice,
    PrecisionOption,
    SizeOption,
    StabilizeMode,
    StabilizeOption,
    TimedDetailOption,
    TimedKeepColorsOption,
    TimedOnlyOption,
    TimedStrengthOption,
    TimedStrokeOption,
    TlsCaOption,
    TlsCertOption,
    TlsKeyOption,
)
from live_nst.errors import LiveNstError, UsageError
from live_nst.masks.regions import EVERYWHERE

if TYPE_CHECKING:
    from live_nst.cli.convert_reporters import ConvertReporter
    from live_nst.cli.convert_run import ConvertRequest
    from live_nst.conversion.timetable import LookChange, StyleChange


def convert(
    input: Annotated[
        str,
        typer.Argument(
            metavar="INPUT", help="A video, a picture, a folder of them, or - for standard input."
        ),
    ],
    output: Annotated[
        str,
        typer.Argument(
            metavar="OUTPUT",
            help="A video: .mp4, .mov, .mkv, .webm, .gif. A picture: .jpg, .png, .webp, .tif, "
            ".bmp, .avif. For a folder, another one. - for standard output.",
        ),
    ],
    style: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STYLE[@TIME]",
            help="As for the live session. Several follow each other: --style starry "
            "--style wave@1:30.",
            show_default="starry",
        ),
    ] = None,
    fade: Annotated[
        str, typer.Option(metavar="TIME", help="How long each change takes, such as 2s.")
    ] = "0",
    start: Annotated[
        str,
        typer.Option(metavar="TIME", help="Leave out what comes before: 90, 1:30 or 0:01:30.5."),
    ] = "0",
    end: Annotated[
        str | None, typer.Option(metavar="TIME", help="Leave out what comes from here on.")
    ] = None,
    every: Annotated[int, typer.Option(metavar="N", help="Keep one frame in N.")] = 1,
    codec: Annotated[
        str | None,
        typer.Option(
            metavar="CODEC",
            help="h264, hevc, vp9, av1, h264_nvenc, hevc_nvenc, av1_nvenc, libx264rgb or ffv1.",
            show_default="h264; vp9 in .webm",
        ),
    ] = None,
    crf: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Quality on the codec's scale: lower is better and larger.",
            show_default="18 for h264",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Speed of the codec.", show_default="veryfast for h264"),
    ] = None,
    audio: Annotated[
        AudioMode,
        typer.Option(
            help="Copy the sound, and encode only what OUTPUT cannot store; encode all; or none.",
        ),
    ] = AudioMode.copy,
    model: ModelOption = "auto",
    device: DeviceOption = "auto",
    engine: EngineOption = Engine.auto,
    precision: PrecisionOption = PrecisionChoice.auto,
    size: SizeOption = None,
    stabilize: StabilizeOption = StabilizeMode.fast,
    strength: TimedStrengthOption = None,
    blend: BlendOption = Blend.pictures,
    keep_colors: TimedKeepColorsOption = None,
    detail: TimedDetailOption = None,
    stroke: TimedStrokeOption = None,
    only: TimedOnlyOption = None,
    chunk: Annotated[
        int | None,
        typer.Option(
            metavar="FRAMES",
            help="Paint a video in chunks of so many frames, each by itself after 32 frames of "
            "warm-up: one machine and many then give the same file.",
            show_default="off; 384 with --workers and --cluster",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            metavar="N",
            help="Paint in N processes on this machine, which share its cores.",
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Paint on the workers of a Dask scheduler, such as tls://10.0.0.1:8786; see "
            "`live-nst worker`.",
        ),
    ] = None,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    insecure: InsecureOption = False,
    restart: Annotated[
        bool,
        typer.Option(
            "--restart",
            help="Start again: discard an interrupted run, and replace an existing output.",
        ),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            metavar="N",
            help="The number of pictures of a folder that are converted at once.",
            show_default="one per core, at most 4",
        ),
    ] = None,
    preview: Annotated[
        bool,
        typer.Option(
            "--preview",
            help="Only show a few frames beside their originals, in OUTPUT.preview.png.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Only show what would be done, and how long and large it would be."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the progress as JSON, one object per line.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only errors.")] = False,
) -> None:
    """Stylize every frame of a video and keep its sound and all else, or stylize pictures.

    Options with a @TIME can be given several times: each value holds from its time on.
    An interrupted conversion continues where it stopped when the same command is run again.
    Pictures are stylized at their full size; --size limits what the network sees of them.
    """
    from live_nst.runtime.memory import share_heap

    share_heap()
    from live_nst.cli.convert_reporters import make_reporter
    from live_nst.cli.convert_run import ConvertRequest
    from live_nst.cli.worker import cluster_request
    from live_nst.conversion.options import ConvertOptions
    from live_nst.conversion.timetable import parse_time
    from live_nst.stylizer.options import StylizerOptions

    reporter = make_reporter(as_json=as_json, quiet=quiet)
    try:
        if preview and dry_run:
            raise UsageError("--preview and --dry-run exclude each other", "use one of them")
        changes = _parse_styles(style or ["starry"], stroke or [])
        looks = _parse_looks(
            blend.value,
            only or [],
            strength=strength or [],
            keep_colors=keep_colors or [],
            detail=detail or [],
        )
        options = ConvertOptions(
            changes=changes,
            looks=looks,
            fade=parse_time(fade),
            start=parse_time(start),
            end=None if end is None else parse_time(end),
            every=every,
            codec=codec,
            crf=crf,
            preset=preset,
            audio=audio.value,
            restart=restart,
            chunk=chunk,
        )
        stylizer = StylizerOptions(
            model=model,
            styles=tuple(change.style for change in changes),
            size=size,
            device=device,
            engine=engine.value,
            precision=precision.value,
            stabilize=stabilize.value,
            look=looks[0].look,
            stroke=changes[0].stroke or 1.0,
        )
        request = ConvertRequest(
            input=Path(input),
            output=Path(output),
            options=options,
            stylizer=stylizer,
            jobs=jobs,
            preview=preview,
            dry_run=dry_run,
            as_json=as_json,
            cluster=cluster_request(workers, cluster, (tls_ca, tls_cert, tls_key), insecure),
        )
        run(request, reporter)
    except LiveNstError as exc:
        reporter.failed(exc)
        raise


def run(request: "ConvertRequest", reporter: "ConvertReporter") -> None:
    """Convert what the request describes, and report the progress.

    Raises:
        LiveNstError: The conversion is not possible, failed or was stopped; what is finished stays.
    """
    from live_nst.cli.convert_run import ConvertRun
    from live_nst.runtime.signals import handle_stop_signals

    with handle_stop_signals() as stop:
        ConvertRun(request, reporter, stop).run()


def _parse_styles(styles: list[str], strokes: list[str]) -> "tuple[StyleChange, ...]":
    """Return the styles and the sizes of their strokes over time."""
    from live_nst.conversion.timetable import (
        parse_number,
        parse_style_changes,
        parse_timed_values,
        with_strokes,
    )

    sizes = parse_timed_values("--stroke", strokes, 1.0, parse_number("--stroke"))
    return with_strokes(parse_style_changes(styles), sizes)


def _parse_looks(blend: str, only: list[str], **numbers: list[str]) -> "tuple[LookChange, ...]":
    """Return the looks over time; `numbers` are attributes of a look as texts."""
    from live_nst.conversion.timetable import (
        build_look_changes,
        parse_number,
        parse_timed_values,
    )
    from live_nst.stylizer.look import Look

    look = Look(blend=blend)
    values: dict[str, Any] = {"only": parse_timed_values("--only", only, EVERYWHERE, str)}
    for name, texts in numbers.items():
        option = f"--{name.replace('_', '-')}"
        values[name] = parse_timed_values(option, texts, getattr(look, name), parse_number(option))
    return build_look_changes(look, values)
