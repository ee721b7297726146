"""What is told while a conversion runs, and when it is over."""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from live_nst.errors import ConversionCancelled
from live_nst.runtime.timing import Clock, SystemClock

_WINDOW = 20.0  # seconds over which the rate is told


@dataclass(frozen=True, slots=True)
class ConversionProgress:
    """How far a conversion is.

    Attributes:
        stage: "painting", then "joining".
        frames: Frames that are done, those of earlier runs too.
        total: How many there will be; an estimate, 0 where there is none.
        resumed: Frames that earlier runs did.
        fps: Frames per second, lately.
        elapsed: Seconds since this run began to paint.
        left: Seconds that are left, by that rate; None where it is not known.
        bytes: Size of what is encoded so far.
    """

    stage: str
    frames: int
    total: int
    resumed: int
    fps: float
    elapsed: float
    left: float | None
    bytes: int

    @property
    def share(self) -> float:
        """0..1; 0 where the total is not known."""
        return min(1.0, self.frames / self.total) if self.total else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, numbers rounded."""
        values = asdict(self)
        values["fps"], values["elapsed"] = round(self.fps, 2), round(self.elapsed, 2)
        values["left"] = None if self.left is None else round(self.left, 1)
        return values


@dataclass(frozen=True, slots=True)
class ConversionPlan:
    """What a conversion is about to do; told before it begins.

    Attributes:
        input: What is read.
        output: What is written.
        width: Of the frames, in pixels.
        height: Of the frames, in pixels.
        rate: Frames per second, on average.
        frames: How many frames there will be; an estimate.
        resumed: How many of them earlier runs did.
        codec: The encoder.
        model: The model's name.
        engine: What runs it.
        device: What it runs on.
        size: Long side of what the network sees.
        styles: Their labels.
        fade: Seconds that a change takes.
        timetable: What is set at which time; see `live_nst.conversion.timetable.timetable`.
    """

    input: Path
    output: Path
    width: int
    height: int
    rate: float
    frames: int
    resumed: int
    codec: str
    model: str
    engine: str
    device: str
    size: int
    styles: tuple[str, ...]
    fade: float
    timetable: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"input": str(self.input), "output": str(self.output)}


@dataclass(frozen=True, slots=True)
class ConversionReport:
    """What became of a conversion.

    Attributes:
        output: The finished file.
        frames: How many frames it has.
        resumed: How many of them earlier runs did.
        seconds: How long this run painted and joined.
        fps: Frames that this run painted per second.
        bytes: The file's size.
        plan: What was to be done.
    """

    output: Path
    frames: int
    resumed: int
    seconds: float
    fps: float
    bytes: int
    plan: ConversionPlan

    def as_dict(self) -> dict[str, Any]:
        """Plain values, numbers rounded."""
        return asdict(self) | {
            "output": str(self.output),
            "seconds": round(self.seconds, 2),
            "fps": round(self.fps, 2),
            "plan": self.plan.as_dict(),
        }


class ProgressMeter:
    """Turns counts of frames into `Progress`.

    Args:
        clock: Tells the time.
        total: How many frames there will be; 0 if that is not known.
        resumed: Frames that are done before this run.
    """

    def __init__(self, clock: Clock, total: int, resumed: int) -> None:
        self._clock = clock
        self._total = total
        self._resumed = resumed
        self._begin = clock.now()
        self._seen = deque([(self._begin, resumed)])

    def read(self, stage: str, frames: int, size: int) -> ConversionProgress:
        """How far it is when `frames` frames of `size` bytes are done."""
        now = self._clock.now()
        self._seen.append((now, frames))
        while len(self._seen) > 2 and self._seen[1][0] < now - _WINDOW:
            self._seen.popleft()
        since, before = self._seen[0]
        fps = (frames - before) / (now - since) if now > since else 0.0
        total = max(self._total, frames) if self._total else 0
        left = (total - frames) / fps if fps > 0 and total else None
        elapsed = now - self._begin
        return ConversionProgress(stage, frames, total, self._resumed, fps, elapsed, left, size)

    def elapsed(self) -> float:
        """Seconds since it was made."""
        return self._clock.now() - self._begin


class CancelEvent(Protocol):
    """What tells a conversion to stop, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


@dataclass(frozen=True)
class ProgressReporter:
    """Who is told what goes on; every call comes from the thread that converts.

    Attributes:
        notify: One sentence worth knowing.
        plan: What is about to be done.
        progress: How far it is, about ten times a second.
        cancel: Set to stop: what is finished is kept.
        clock: Tells the time.
    """

    notify: Callable[[str], None] = lambda sentence: None
    plan: Callable[[ConversionPlan], None] = lambda plan: None
    progress: Callable[[ConversionProgress], None] = lambda progress: None
    cancel: CancelEvent | None = None
    clock: Clock = field(default_factory=SystemClock)

    def check(self) -> None:
        """Raise if it was told to stop.

        Raises:
            ConversionCancelled: It was.
        """
        if self.cancel is not None and self.cancel.is_set():
            raise ConversionCancelled(
                "Stopped", "run the same command again: it goes on where it stopped"
            )
