"""`live-nst paint CONTENT OUT`: options in, a bar that shows the loss, the painting out."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from live_nst.cli.console import notify, result, stderr_console
from live_nst.errors import UsageError
from live_nst.runtime.signals import handle_stop_signals

if TYPE_CHECKING:
    from live_nst.objective.loss_functions import LossConfig
    from live_nst.objective.options import PaintStep

_STOPPED = 130
_PREVIEW_SIZE = 640


def run(
    *,
    form: str,
    network: str | None,
    content_weight: float | None,
    style_weight: float | None,
    tv_weight: float,
    content_layers: Sequence[str],
    style_layers: Sequence[str],
    preview: bool,
    **rest: Any,
) -> None:
    """Paint, and say where the picture is.

    Raises:
        typer.Exit: With exit code 130 if it was stopped.
    """
    from live_nst.objective.options import PaintOptions
    from live_nst.objective.paint import paint

    loss = build_form(
        form, network, content_weight, style_weight, tv_weight, content_layers, style_layers
    )
    options = PaintOptions(form=loss, **rest)
    view = _Preview() if preview else None
    try:
        with handle_stop_signals() as stop, _Bar() as bar:

            def watch(step: "PaintStep") -> bool:
                bar.show(step)
                closed = view is not None and not view.show(step)
                return not (closed or stop.is_set())

            report = paint(options, bar.notify, watch)
    finally:
        if view is not None:
            view.close()
    if report.losses is not None:
        losses = report.losses
        result(
            f"{report.evaluations} evaluations in {report.seconds:.0f} s; the loss is "
            f"{losses.total / report.first:.3f} of its start on this level "
            f"(content {losses.content_total:.3g}, style {losses.style_total:.3g})"
        )
    if not report.finished:
        result(f"Stopped; {options.out} shows how far it got. The same command goes on.")
        raise typer.Exit(_STOPPED)
    result(f"The painting is in {options.out}.")


def build_form(
    name: str,
    network: str | None = None,
    content_weight: float | None = None,
    style_weight: float | None = None,
    tv_weight: float = 0.0,
    content_layers: Sequence[str] = (),
    style_layers: Sequence[str] = (),
) -> "LossConfig":
    """The loss that the options mean; None and empty stand for the form's own.

    Raises:
        UsageError: There is no such form, network, layer or weight.
    """
    from live_nst.objective.loss_functions import LOSS_CONFIGS
    from live_nst.objective.vgg import CONVOLUTIONS

    if name not in LOSS_CONFIGS:
        raise UsageError(
            f"There is no form {name!r} of the loss.", f"use {', '.join(LOSS_CONFIGS)}"
        )
    if network is not None and network not in CONVOLUTIONS:
        raise UsageError(f"There is no network {network!r}.", f"use {' or '.join(CONVOLUTIONS)}")
    form = LOSS_CONFIGS[name](network) if network else LOSS_CONFIGS[name]()
    changes: dict[str, Any] = {"gamma": tv_weight}
    if content_weight is not None:
        changes["alpha"] = content_weight
    if style_weight is not None:
        changes["beta"] = style_weight
    if content_layers:
        changes["content_layers"] = _layers(content_layers)
    if style_layers:
        changes["style_layers"] = _layers(style_layers)
    return dataclasses.replace(form, **changes)


def _layers(texts: Sequence[str]) -> Mapping[str, float]:
    """LAYER or LAYER:WEIGHT, several times; without a weight they share one evenly."""
    layers = {}
    for text in texts:
        layer, colon, weight = text.partition(":")
        try:
            layers[layer] = float(weight) if colon else 1 / len(texts)
        except ValueError:
            raise UsageError(
                f"{weight!r} is no weight for a layer.", "write it as block3_conv4:0.5"
            ) from None
    return layers


class _Bar:
    """A progress bar with the terms of the loss; it appears with the first of them."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(10),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[terms]}"),
            console=stderr_console(),
            transient=True,
            disable=not stderr_console().is_terminal,
        )
        self._task = self._progress.add_task("Painting", total=None, terms="")

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *unused: object) -> None:
        if self._progress.live.is_started:
            self._progress.stop()

    def notify(self, sentence: str) -> None:
        """A line above the bar."""
        notify(sentence)

    def show(self, step: "PaintStep") -> None:
        """Show one evaluation."""
        losses = step.losses
        if not self._progress.live.is_started:
            self._progress.start()
        self._progress.update(
            self._task,
            description=f"{step.size[0]}x{step.size[1]}",
            total=step.steps * step.levels,
            completed=step.steps * step.level + step.evaluation,
            terms=f"{losses.total / step.first:.3f} "
            f"(content {losses.content_total:.1e}, style {losses.style_total:.1e})",
        )


class _Preview:
    """A window that shows the picture so far; q or closing it stops."""

    def __init__(self) -> None:
        from live_nst.sinks.window import Window

        self._window = Window("live-nst paint", (_PREVIEW_SIZE, _PREVIEW_SIZE))

    def show(self, step: "PaintStep") -> bool:
        """Show the picture; False when the user wants to stop."""
        self._window.show(step.picture())
        return self._window.poll() not in ("q", "escape") and not self._window.closed

    def close(self) -> None:
        """Close the window."""
        self._window.close()
