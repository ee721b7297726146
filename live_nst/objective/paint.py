"""Paint a still by optimization: coarse to fine, interruptible, resumable."""

import hashlib
from collections.abc import Callable

import numpy as np

from live_nst.errors import ModelError
from live_nst.objective.checkpoint import (
    Checkpoint,
    checkpoint_path,
    load_checkpoint,
    save_checkpoint,
)
from live_nst.objective.image_pyramid import Size, StyleTarget, pyramid_sizes, resize_image
from live_nst.objective.loss_functions import LossTerms
from live_nst.objective.optimizers import Optimizer, make_optimizer
from live_nst.objective.options import (
    DEFAULT_PAINT_SIZE,
    PaintOptions,
    PaintReport,
    PaintStep,
    StepCallback,
)
from live_nst.objective.paint_inputs import PaintInputs, check_out, load_inputs, write_picture
from live_nst.objective.perceptual_loss import PerceptualLoss
from live_nst.objective.start import fast_model_image, noise_image
from live_nst.objective.tiling import tile_side
from live_nst.objective.vgg import CAFFE_MEAN, Vgg, deprocess, preprocess, receptive_margin
from live_nst.objective.vgg_weights import load_vgg
from live_nst.runtime.tensorflow import pick_device
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.types import Image

SAVE_SECONDS = 60.0
"""How often the state is saved meanwhile, so that a crash costs no more."""


def paint(
    options: PaintOptions,
    notify: Callable[[str], None] = lambda sentence: None,
    watch: StepCallback = lambda step: True,
    clock: Clock | None = None,
) -> PaintReport:
    """Paint a picture, or go on with one that was interrupted, and write it.

    Raises:
        LiveNstError: A picture, weights, a size or a place that cannot be used.
    """
    painting = PaintRun(options, notify, watch, clock or SystemClock())
    return painting.run()


class PaintRun:
    """One run of `paint`; see there."""

    def __init__(
        self,
        options: PaintOptions,
        notify: Callable[[str], None],
        watch: StepCallback,
        clock: Clock,
    ) -> None:
        self._options, self._notify, self._watch, self._clock = options, notify, watch, clock
        self._state_path = checkpoint_path(options.out)
        check_out(options.out, may_exist=self._state_path.exists())
        self._materials = load_inputs(
            options.content, options.styles, options.masks, options.colors
        )
        size = options.size or min(DEFAULT_PAINT_SIZE, max(self._materials.size))
        self._sizes = pyramid_sizes(self._materials.size, size, options.levels)
        self._device = pick_device(options.device)
        halo = receptive_margin(
            options.form.network, (*options.form.content_layers, *options.form.style_layers)
        )
        self._tile = tile_side(self._sizes[-1], halo, options.optimizer, self._device)
        self._vgg = load_vgg(options.form.network, options.vgg, notify=notify)
        self._settings = _digest(options, self._materials, self._vgg, self._sizes)
        self._evaluations = 0
        self._losses: LossTerms | None = None
        self._first = 0.0
        self._tiles = 1

    def run(self) -> PaintReport:
        """Paint all levels that are not painted yet."""
        begin = self._clock.now()
        kept = None if self._options.fresh else load_checkpoint(self._state_path, self._settings)
        if kept is not None:
            self._notify(
                f"Going on at evaluation {kept.evaluations} of {self._options.steps}, "
                f"level {kept.level + 1} of {len(self._sizes)}"
            )
        picture: Image | None = None
        finished = True
        for level in range(kept.level if kept else 0, len(self._sizes)):
            resumed = kept if kept and kept.level == level else None
            picture, finished = self._level(level, picture, resumed)
            if not finished:
                break
        assert picture is not None
        result = self._materials.finish(picture)
        write_picture(self._options.out, result)
        if finished:
            self._state_path.unlink(missing_ok=True)
        return PaintReport(
            finished,
            result,
            self._losses,
            self._first,
            self._evaluations,
            self._clock.now() - begin,
            self._tiles,
        )

    def _level(
        self, level: int, before: Image | None, resumed: Checkpoint | None
    ) -> tuple[Image, bool]:
        """Paint one level; the picture, and whether the level was finished."""
        options, size = self._options, self._sizes[level]
        content, styles = self._materials.at(size)
        tile = self._tile if level == len(self._sizes) - 1 else None
        objective = PerceptualLoss(
            self._vgg, content, styles, options.form, tile=tile, device=self._device
        )
        self._tiles = objective.tiles
        self._describe(level, objective)
        if resumed is not None:
            start, done, self._first = content, resumed.evaluations, resumed.first
        else:
            start = self._start(content, styles) if before is None else resize_image(before, size)
            done = 0
        lower = np.broadcast_to(-CAFFE_MEAN, content.shape).ravel()
        upper = np.broadcast_to(255 - CAFFE_MEAN, content.shape).ravel()
        optimizer = make_optimizer(options.optimizer, preprocess(start).ravel(), lower, upper)
        if resumed is not None:
            optimizer.restore(resumed.optimizer)

        def picture() -> Image:
            return deprocess(optimizer.best.reshape(content.shape))

        saved = self._clock.now()
        while done < options.steps and not optimizer.done:
            losses, gradient = objective(optimizer.ask().reshape(content.shape))
            if done == 0:
                self._first = _check_first(losses)
            optimizer.tell(losses.total, gradient.ravel())
            done += 1
            self._evaluations += 1
            self._losses = losses
            if options.save_every and done % options.save_every == 0:
                self._snapshot(picture(), done)
            step = PaintStep(
                level, len(self._sizes), size, done, options.steps, losses, self._first, picture
            )
            if not self._watch(step):
                self._save(level, done, optimizer)
                return picture(), False
            if self._clock.now() - saved >= SAVE_SECONDS:
                self._save(level, done, optimizer)
                saved = self._clock.now()
        return picture(), True

    def _start(self, content: Image, styles: list[StyleTarget]) -> Image:
        if self._options.start == "content":
            return content
        if self._options.start == "noise":
            return noise_image(content.shape, self._options.seed)
        return fast_model_image(
            content,
            styles,
            model=self._options.model,
            device=self._options.device,
            notify=self._notify,
        )

    def _describe(self, level: int, objective: PerceptualLoss) -> None:
        width, height = self._sizes[level]
        tiles = f", in {objective.tiles} tiles" if objective.tiles > 1 else ""
        self._notify(
            f"Level {level + 1} of {len(self._sizes)}: {width}x{height} pixels with "
            f"{self._options.form.network} on {self._device.lower()}{tiles}"
        )

    def _save(self, level: int, done: int, optimizer: Optimizer) -> None:
        state = Checkpoint(self._settings, level, done, self._first, optimizer.state())
        save_checkpoint(self._state_path, state)

    def _snapshot(self, picture: Image, done: int) -> None:
        out = self._options.out
        name = f"{out.stem}-{max(picture.shape)}-{done:04d}{out.suffix}"
        write_picture(out.with_name(name), self._materials.finish(picture))


def _check_first(losses: LossTerms) -> float:
    """The total of the first evaluation.

    Raises:
        ModelError: It is not finite, so nothing can be optimized.
    """
    if not np.isfinite(losses.total):
        raise ModelError(
            "The loss is not finite: these weights do not work with this picture.",
            "check the file given with --vgg, or choose smaller weights of the loss",
        )
    return losses.total


def _digest(options: PaintOptions, materials: PaintInputs, vgg: Vgg, sizes: list[Size]) -> str:
    """A fingerprint of all that decides how a painting goes on; the steps may be raised."""
    total = hashlib.sha256(materials.digest().encode())
    total.update(repr((options.form, options.optimizer, options.start, options.seed)).encode())
    total.update(repr((options.model if options.start == "fast" else "", sizes)).encode())
    for layer in vgg.layers.values():
        total.update(np.ascontiguousarray(layer.kernel).tobytes())
    return total.hexdigest()
