"""`live-nst paint`: stylize one picture by optimization."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from live_nst.cli.console import notify, show_result, stderr_console
from live_nst.cli.options import (
    DeviceOption,
    LossOption,
    ModelOption,
    NetworkOption,
    VggOption,
)

if TYPE_CHECKING:
    from live_nst.objective.options import PaintOptions, PaintReport, PaintStep

_INTERRUPTED = 130  # exit code
_PREVIEW_SIZE = (640, 640)


def paint(
    content: Annotated[Path, typer.Argument(metavar="CONTENT", help="The picture to stylize.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The picture to write.")],
    style: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STYLE",
            help="A picture file, a built-in style or a mix. Several styles are mixed evenly, or "
            "each has its --mask.",
            show_default="starry",
        ),
    ] = None,
    mask: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="MASK.png",
            help="White where the style is used, one per --style in the same order. The last style "
            "may have none and gets the rest.",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS",
            help="Long side of the result.",
            show_default="that of the picture, at most 512",
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option(metavar="N", help="The number of evaluations of the loss per level.")
    ] = 150,
    levels: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="The number of sizes from coarse to fine, each twice the one before.",
            show_default="as many as are 192 pixels or more",
        ),
    ] = None,
    optimizer: Annotated[str, typer.Option(metavar="NAME", help="lbfgs or adam.")] = "lbfgs",
    start: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Start from: fast (the result of the fast model), content or noise.",
        ),
    ] = "fast",
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of the noise.")] = 0,
    colors: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="style: those of the style. To keep those of the picture: luminance (only the "
            "brightness is stylized) or histogram (the style is recolored first).",
        ),
    ] = "style",
    loss: LossOption = "gatys",
    network: NetworkOption = None,
    vgg: VggOption = None,
    content_weight: Annotated[
        float | None,
        typer.Option(metavar="W", help="Weight of the content.", show_default="that of the loss"),
    ] = None,
    style_weight: Annotated[
        float | None,
        typer.Option(metavar="W", help="Weight of the style.", show_default="that of the loss"),
    ] = None,
    tv_weight: Annotated[
        float,
        typer.Option(metavar="W", help="Weight of total variation: more makes it smoother."),
    ] = 0.0,
    content_layer: Annotated[
        list[str] | None,
        typer.Option(metavar="LAYER[:WEIGHT]", help="Such as block4_conv2. Give several."),
    ] = None,
    style_layer: Annotated[
        list[str] | None,
        typer.Option(metavar="LAYER[:WEIGHT]", help="Such as block1_conv1. Give several."),
    ] = None,
    save_every: Annotated[
        int | None,
        typer.Option(metavar="N", help="Also write the picture after every N evaluations."),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show the picture in a window while it changes.")
    ] = False,
    model: ModelOption = "auto",
    device: DeviceOption = "auto",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start again instead of resuming an interrupted run.")
    ] = False,
) -> None:
    """Stylize one picture at the highest quality, in minutes instead of milliseconds.

    Ctrl-C stops it; the same command resumes it.
    """
    from live_nst.objective.loss_functions import make_loss_config
    from live_nst.objective.options import PaintOptions

    config = make_loss_config(
        loss,
        network,
        content_weight=content_weight,
        style_weight=style_weight,
        tv_weight=tv_weight,
        content_layers=content_layer or (),
        style_layers=style_layer or (),
    )
    options = PaintOptions(
        content=content,
        output=output,
        styles=tuple(style or ["starry"]),
        masks=tuple(mask or ()),
        size=size,
        steps=steps,
        levels=levels,
        optimizer=optimizer,
        start=start,
        seed=seed,
        loss=config,
        vgg_file=vgg,
        colors=colors,
        save_every=save_every,
        model=model,
        device=device,
        fresh=fresh,
    )
    run(options, preview=preview)


def run(options: "PaintOptions", *, preview: bool) -> None:
    """Paint, and show the result.

    Raises:
        typer.Exit: With exit code 130 if it was stopped.
    """
    from live_nst.objective.paint import paint as paint_image
    from live_nst.runtime.signals import handle_stop_signals

    with ExitStack() as stack:
        window = stack.enter_context(_PreviewWindow()) if preview else None
        stop = stack.enter_context(handle_stop_signals())
        bar = stack.enter_context(_LossBar())

        def on_step(step: "PaintStep") -> bool:
            bar.show(step)
            closed = window is not None and not window.show(step)
            return not (closed or stop.is_set())

        report = paint_image(options, notify, on_step)
    _show_report(report)
    if not report.finished:
        show_result(f"Stopped: {options.output} shows the state. The same command resumes it.")
        raise typer.Exit(_INTERRUPTED)
    show_result(f"The picture is in {options.output}.")


def _show_report(report: "PaintReport") -> None:
    losses = report.losses
    if losses is not None:
        show_result(
            f"{report.evaluations} evaluations in {report.seconds:.0f} s; the loss is "
            f"{losses.total / report.first:.3f} of that at the start of this level "
            f"(content {losses.content_total:.3g}, style {losses.style_total:.3g})"
        )


class _LossBar:
    """A progress bar with the terms of the loss; it appears with the first evaluation."""

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(10),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[terms]}"),
            console=stderr_console(),
            transient=True,
            disable=not stderr_console().is_terminal,
        )
        self._task = self._bar.add_task("Painting", total=None, terms="")

    def __enter__(self) -> "_LossBar":
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar.live.is_started:
            self._bar.stop()

    def show(self, step: "PaintStep") -> None:
        losses = step.losses
        if not self._bar.live.is_started:
            self._bar.start()
        self._bar.update(
            self._task,
            description=f"{step.size[0]}x{step.size[1]}",
            total=step.steps * step.levels,
            completed=step.steps * step.level + step.evaluation,
            terms=f"{losses.total / step.first:.3f} "
            f"(content {losses.content_total:.1e}, style {losses.style_total:.1e})",
        )


class _PreviewWindow:
    """A window that shows the current picture."""

    def __init__(self) -> None:
        from live_nst.sinks.window import Window

        self._window = Window("live-nst paint", _PREVIEW_SIZE)

    def __enter__(self) -> "_PreviewWindow":
        return self

    def __exit__(self, *exception: object) -> None:
        self._window.close()

    def show(self, step: "PaintStep") -> bool:
        """Show the picture; return False if the user wants to stop."""
        self._window.show(step.image())
        return self._window.poll() not in ("q", "escape") and not self._window.closed
