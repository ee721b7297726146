"""Stylize one image by optimization: coarse to fine; it can be interrupted and resumed."""

import hashlib
from collections.abc import Sequence

import numpy as np

from live_nst.errors import ModelError, UsageError
from live_nst.files.formats import IMAGE_FORMATS
from live_nst.files.images import write_image
from live_nst.files.names import sibling
from live_nst.files.output import check_output
from live_nst.objective.checkpoint import (
    Checkpoint,
    checkpoint_path,
    load_checkpoint,
    save_checkpoint,
)
from live_nst.objective.image_pyramid import (
    StyleTarget,
    image_size,
    pyramid_sizes,
    resize_image,
)
from live_nst.objective.loss_functions import LossTerms
from live_nst.objective.optimizers import Optimizer, make_optimizer
from live_nst.objective.options import (
    DEFAULT_PAINT_SIZE,
    PaintOptions,
    PaintReport,
    PaintStep,
    StepCallback,
)
from live_nst.objective.paint_inputs import PaintInputs, load_inputs
from live_nst.objective.perceptual_loss import PerceptualLoss
from live_nst.objective.tiling import choose_tile_side
from live_nst.objective.vgg import CAFFE_MEAN, Vgg, deprocess, preprocess, receptive_margin
from live_nst.objective.vgg_weights import load_vgg
from live_nst.runtime.tensorflow import pick_device
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.types import Image, Notify, Size

SAVE_SECONDS = 60.0
"""How often the state is saved while painting, so that a crash costs little."""


def paint(
    options: PaintOptions,
    notify: Notify = lambda sentence: None,
    on_step: StepCallback = lambda step: True,
    clock: Clock | None = None,
) -> PaintReport:
    """Paint an image, or continue with one that was interrupted, and write it.

    Raises:
        LiveNstError: An image, the weights, the size or the output cannot be used.
    """
    return _PaintRun(options, notify, on_step, clock or SystemClock()).run()


class _PaintRun:
    """One run of `paint`; see there."""

    def __init__(
        self, options: PaintOptions, notify: Notify, on_step: StepCallback, clock: Clock
    ) -> None:
        self._options, self._notify, self._on_step, self._clock = options, notify, on_step, clock
        self._checkpoint_path = checkpoint_path(options.output)
        _check_paint_output(options)
        self._inputs = load_inputs(options.content, options.styles, options.masks, options.colors)
        content_size = image_size(self._inputs.content)
        size = options.size or min(DEFAULT_PAINT_SIZE, max(content_size))
        self._sizes = pyramid_sizes(content_size, size, options.levels)
        self._device = pick_device(options.device)
        margin = receptive_margin(options.loss.network, options.loss.layers)
        self._tile = choose_tile_side(self._sizes[-1], margin, options.optimizer, self._device)
        self._vgg = load_vgg(options.loss.network, options.vgg_file, notify=notify)
        self._settings = _digest(options, self._inputs, self._vgg, self._sizes)
        self._evaluations = 0
        self._losses: LossTerms | None = None
        self._first = 0.0
        self._tiles = 1

    def run(self) -> PaintReport:
        """Paint all levels that are not finished yet."""
        begin = self._clock.now()
        fresh = self._options.fresh
        kept = None if fresh else load_checkpoint(self._checkpoint_path, self._settings)
        if kept is not None:
            self._notify(
                f"Resuming at evaluation {kept.evaluations} of {self._options.steps}, "
                f"level {kept.level + 1} of {len(self._sizes)}"
            )
        image: Image | None = None
        finished = True
        for level in range(kept.level if kept else 0, len(self._sizes)):
            resumed = kept if kept and kept.level == level else None
            image, finished = self._paint_level(level, image, resumed)
            if not finished:
                break
        assert image is not None
        result = self._inputs.restore_colors(image)
        write_image(self._options.output, result)
        if finished:
            self._checkpoint_path.unlink(missing_ok=True)
        return PaintReport(
            finished,
            result,
            self._losses,
            self._first,
            self._evaluations,
            self._clock.now() - begin,
            self._tiles,
        )

    def _paint_level(
        self, level: int, before: Image | None, resumed: Checkpoint | None
    ) -> tuple[Image, bool]:
        """Return the image of a level, and whether the level was finished."""
        options, size = self._options, self._sizes[level]
        content, styles = self._inputs.at(size)
        tile = self._tile if level == len(self._sizes) - 1 else None
        loss = PerceptualLoss(
            self._vgg, content, styles, options.loss, tile=tile, device=self._device
        )
        self._describe_level(level, loss)
        if resumed is not None:
            start, done, self._first = content, resumed.evaluations, resumed.first
        else:
            start = self._initialize(content, styles) if before is None else before
            start, done = resize_image(start, size), 0
        lower = np.broadcast_to(-CAFFE_MEAN, content.shape).ravel()
        upper = np.broadcast_to(255 - CAFFE_MEAN, content.shape).ravel()
        optimizer = make_optimizer(options.optimizer, preprocess(start).ravel(), lower, upper)
        if resumed is not None:
            optimizer.restore(resumed.optimizer)

        def best_image() -> Image:
            return deprocess(optimizer.best.reshape(content.shape))

        saved = self._clock.now()
        while done < options.steps and not optimizer.done:
            losses, gradient = loss(optimizer.ask().reshape(content.shape))
            if done == 0:
                self._first = _check_first(losses)
            optimizer.tell(losses.total, gradient.ravel())
            done += 1
            self._evaluations += 1
            self._losses = losses
            if options.save_every and done % options.save_every == 0:
                self._save_image(best_image(), done)
            step = PaintStep(
                level, len(self._sizes), size, done, options.steps, losses, self._first, best_image
            )
            if not self._on_step(step):
                self._save_state(level, done, optimizer)
                return best_image(), False
            if self._clock.now() - saved >= SAVE_SECONDS:
                self._save_state(level, done, optimizer)
                saved = self._clock.now()
        return best_image(), True

    def _initialize(self, content: Image, styles: list[StyleTarget]) -> Image:
        options = self._options
        if options.start == "content":
            return content
        if options.start == "noise":
            return np.random.default_rng(options.seed).integers(0, 256, content.shape, np.uint8)
        return stylize_fast(content, styles, options.model, options.device, self._notify)

    def _describe_level(self, level: int, loss: PerceptualLoss) -> None:
        self._tiles = loss.tile_count
        width, height = self._sizes[level]
        tiles = f", in {self._tiles} tiles" if self._tiles > 1 else ""
        self._notify(
            f"Level {level + 1} of {len(self._sizes)}: {width}x{height} pixels with "
            f"{self._options.loss.network} on {self._device.lower()}{tiles}"
        )

    def _save_state(self, level: int, done: int, optimizer: Optimizer) -> None:
        checkpoint = Checkpoint(self._settings, level, done, self._first, optimizer.state())
        save_checkpoint(self._checkpoint_path, checkpoint)

    def _save_image(self, image: Image, done: int) -> None:
        output = self._options.output
        suffix = f"-{max(image.shape)}-{done:04d}{output.suffix}"
        path = sibling(output, suffix=suffix, stem=True)
        write_image(path, self._inputs.restore_colors(image), sync=False)


def stylize_fast(
    content: Image, styles: Sequence[StyleTarget], model: str, device: str, notify: Notify
) -> Image:
    """Return the content as a fast model stylizes it, each style in its region.

    Args:
        content: BGR uint8 `[height, width, 3]`.
        styles: At least one; several in one region are blended by their weights.
        model: See `StylizerOptions`.
        device: "auto", "cpu" or "gpu".
        notify: Called with the name of the model.

    Raises:
        LiveNstError: The model cannot be loaded or run.
    """
    from live_nst.stylizer.core import StylizerCore
    from live_nst.stylizer.options import StylizerOptions
    from live_nst.stylizer.sizes import MAX_SIZE, MIN_SIZE

    options = StylizerOptions(
        model=model,
        styles=tuple(style.image for style in styles),
        size=min(MAX_SIZE, max(MIN_SIZE, *content.shape[:2])),
        device=device,
    )
    total = np.zeros(content.shape, np.float32)
    weights = np.zeros((*content.shape[:2], 1), np.float32)
    with StylizerCore(options, notify=notify) as stylizer:
        for label, style in zip(stylizer.styles, styles, strict=False):
            stylizer.select(label)
            mask = np.float32(1) if style.mask is None else style.mask[..., None]
            total += stylizer(content) * (style.weight * mask)
            weights += style.weight * mask
    blended = np.where(weights > 0, total / np.maximum(weights, 1e-6), content)
    image: Image = np.rint(np.clip(blended, 0, 255)).astype(np.uint8)
    return image


def _check_paint_output(options: PaintOptions) -> None:
    """Raise unless the output can be written.

    An image may be there already if it is that of an interrupted run.
    """
    output = options.output
    exists = UsageError(f"There is a file {output} already", "choose another name, or remove it")
    interrupted = checkpoint_path(output).exists()
    check_output(
        output, kind="an image", suffixes=IMAGE_FORMATS, exists=None if interrupted else exists
    )


def _check_first(losses: LossTerms) -> float:
    """Return the total of the first evaluation.

    Raises:
        ModelError: It is not finite, so that nothing can be optimized.
    """
    if not np.isfinite(losses.total):
        raise ModelError(
            "The loss is not finite: these weights do not work with this image",
            "check the file given with --vgg, or use smaller weights of the loss",
        )
    return losses.total


def _digest(options: PaintOptions, inputs: PaintInputs, vgg: Vgg, sizes: list[Size]) -> str:
    """Return a fingerprint of all that the result depends on, except the number of steps."""
    total = hashlib.sha256(inputs.digest().encode())
    total.update(repr((options.loss, options.optimizer, options.start, options.seed)).encode())
    total.update(repr((options.model if options.start == "fast" else "", sizes)).encode())
    for layer in vgg.layers.values():
        total.update(np.ascontiguousarray(layer.kernel).tobytes())
    return total.hexdigest()
