"""The options of `paint`, its progress and its result."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from live_nst.errors import UsageError
from live_nst.objective.loss_functions import LossConfig, LossTerms, gatys
from live_nst.objective.optimizers import OPTIMIZERS
from live_nst.types import Image, Size

DEFAULT_PAINT_SIZE = 512
MAX_PAINT_SIZE = 16384

INITIALIZATIONS = ("fast", "content", "noise")
"""Where the optimization starts: the fast model's result, the content, or noise."""


@dataclass(frozen=True, slots=True)
class PaintOptions:
    """What to paint, and how.

    Attributes:
        content: An image file.
        output: The image to write; its suffix names the format.
        styles: Image files, names or mixes: all of them everywhere, or each in its mask.
        masks: See `live_nst.objective.paint_inputs.load_inputs`.
        size: Long side of the output in pixels; None for the content's, at most 512.
        steps: The number of evaluations of the loss on each level.
        levels: The number of pyramid levels; None to choose it by the size.
        optimizer: One of `OPTIMIZERS`.
        start: One of `INITIALIZATIONS`.
        seed: Seed of the noise.
        loss: What is minimized.
        vgg_file: A copy of Keras' file of weights; None for the one in the cache.
        colors: "style", "luminance" or "histogram".
        save_every: Write an intermediate image after every so many evaluations; None for never.
        model: The fast model, for the start "fast".
        device: "auto", "cpu" or "gpu".
        fresh: Start again even if there is the state of an interrupted run.

    Raises:
        UsageError: A value is invalid.
    """

    content: Path
    output: Path
    styles: tuple[str, ...] = ("starry",)
    masks: tuple[Path, ...] = ()
    size: int | None = None
    steps: int = 150
    levels: int | None = None
    optimizer: str = "lbfgs"
    start: str = "fast"
    seed: int = 0
    loss: LossConfig = field(default_factory=gatys)
    vgg_file: Path | None = None
    colors: str = "style"
    save_every: int | None = None
    model: str = "auto"
    device: str = "auto"
    fresh: bool = False

    def __post_init__(self) -> None:
        for name, value, limit in (
            ("--size", self.size, MAX_PAINT_SIZE),
            ("--steps", self.steps, None),
            ("--levels", self.levels, 8),
            ("--save-every", self.save_every, None),
        ):
            if value is not None and (value < 1 or (limit is not None and value > limit)):
                allowed = "1 or more" if limit is None else f"1 to {limit}"
                raise UsageError(f"Invalid {name} {value}", f"use {allowed}")
        if self.optimizer not in OPTIMIZERS:
            raise UsageError(
                f"Unknown optimizer {self.optimizer!r}", f"use {' or '.join(OPTIMIZERS)}"
            )
        if self.start not in INITIALIZATIONS:
            raise UsageError(f"Invalid --start {self.start!r}", f"use {', '.join(INITIALIZATIONS)}")


@dataclass(frozen=True, slots=True)
class PaintStep:
    """One evaluation of the loss.

    Attributes:
        level: Index of the pyramid level, coarse to fine.
        levels: The number of levels.
        size: (width, height) of this level.
        evaluation: Number of the evaluation on this level, from 1.
        steps: The number of evaluations on this level.
        losses: The loss of the evaluated image.
        first: The total loss of the first evaluation on this level.
        image: Returns the best image so far.
    """

    level: int
    levels: int
    size: Size
    evaluation: int
    steps: int
    losses: LossTerms
    first: float
    image: Callable[[], Image]


StepCallback = Callable[[PaintStep], bool]
"""Called after every evaluation; returns whether to continue."""


@dataclass(frozen=True, slots=True)
class PaintReport:
    """The result of a run.

    Attributes:
        finished: False if it was stopped; its state is then kept.
        image: The image that was written.
        losses: The loss of the last evaluated image; None if none was evaluated.
        first: The total loss of the first evaluation on the last level.
        evaluations: The number of evaluations in this run.
        seconds: The duration of this run.
        tiles: The number of tiles on the last level.
    """

    finished: bool
    image: Image
    losses: LossTerms | None
    first: float
    evaluations: int
    seconds: float
    tiles: int
