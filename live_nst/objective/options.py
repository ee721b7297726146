"""What `paint` is asked for, tells meanwhile, and answers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from live_nst.errors import UsageError
from live_nst.objective.image_pyramid import Size
from live_nst.objective.loss_functions import LossConfig, LossTerms, gatys
from live_nst.objective.optimizers import OPTIMIZERS
from live_nst.objective.start import STARTS
from live_nst.types import Image

DEFAULT_PAINT_SIZE = 512
MAX_PAINT_SIZE = 16384


@dataclass(frozen=True, slots=True)
class PaintOptions:
    """What to paint, and how.

    Attributes:
        content: The photo.
        out: Where the painting goes; its suffix says the format.
        styles: Pictures, names or mixes; all of them everywhere, or each in its mask.
        masks: See `live_nst.objective.paint_inputs.load_inputs`.
        size: Long side of the painting in pixels; None for the photo's, at most 512.
        steps: Evaluations of the loss on each level.
        levels: Of the pyramid; None for as many as make sense.
        optimizer: "lbfgs" or "adam".
        start: "fast", "content" or "noise".
        seed: Of the noise.
        form: The loss.
        vgg: A copy of Keras' file of weights; None to use the cache.
        colors: "style", "luminance" or "histogram".
        save_every: Keep a picture after every so many evaluations.
        model: The fast model that the start comes from.
        device: auto, cpu or gpu.
        fresh: Start over, whatever an interrupted painting has left.
    """

    content: Path
    out: Path
    styles: tuple[str, ...] = ("starry",)
    masks: tuple[Path, ...] = ()
    size: int | None = None
    steps: int = 150
    levels: int | None = None
    optimizer: str = "lbfgs"
    start: str = "fast"
    seed: int = 0
    form: LossConfig = field(default_factory=gatys)
    vgg: Path | None = None
    colors: str = "style"
    save_every: int | None = None
    model: str = "auto"
    device: str = "auto"
    fresh: bool = False

    def __post_init__(self) -> None:
        for name, value, most in (
            ("--size", self.size, MAX_PAINT_SIZE),
            ("--steps", self.steps, None),
            ("--levels", self.levels, 8),
            ("--save-every", self.save_every, None),
        ):
            if value is not None and (value < 1 or (most is not None and value > most)):
                upper = "" if most is None else f" to {most}"
                raise UsageError(f"{name} cannot be {value}.", f"use 1{upper or ' or more'}")
        if self.optimizer not in OPTIMIZERS:
            raise UsageError(
                f"There is no optimizer {self.optimizer!r}.", f"use {' or '.join(OPTIMIZERS)}"
            )
        if self.start not in STARTS:
            raise UsageError(f"There is no start {self.start!r}.", f"use {', '.join(STARTS)}")


@dataclass(frozen=True, slots=True)
class PaintStep:
    """One evaluation of the loss.

    Attributes:
        level: From 0, coarse to fine.
        levels: How many there are.
        size: (width, height) of this level.
        evaluation: On this level, from 1.
        steps: How many there will be on it.
        losses: Of the picture that was evaluated.
        first: The total loss of this level's first evaluation.
        picture: Gives the best picture so far.
    """

    level: int
    levels: int
    size: Size
    evaluation: int
    steps: int
    losses: LossTerms
    first: float
    picture: Callable[[], Image]


StepCallback = Callable[[PaintStep], bool]
"""Called after every evaluation; the answer says whether to go on."""


@dataclass(frozen=True, slots=True)
class PaintReport:
    """How it ended.

    Attributes:
        finished: False if it was stopped; the state is kept then.
        picture: What was written.
        losses: Of the last evaluated picture.
        first: The total loss that the last level started from.
        evaluations: In this run, on all levels.
        seconds: That it took.
        tiles: How many tiles the finest picture was taken in.
    """

    finished: bool
    picture: Image
    losses: LossTerms | None
    first: float
    evaluations: int
    seconds: float
    tiles: int
