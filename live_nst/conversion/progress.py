"""Report the plan, the progress and the result of a conversion."""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from live_nst.errors import ConversionCancelled
from live_nst.runtime.timing import Clock, SystemClock
from live_nst.types import Notify

_RATE_WINDOW = 20.0  # seconds over which frames per second are computed


@dataclass(frozen=True, slots=True)
class ConversionPlan:
    """What a conversion will do, reported before it begins.

    Attributes:
        input: The input file.
        output: The output file.
        width: Width of the frames, in pixels.
        height: Height of the frames, in pixels.
        rate: Frames per second, on average.
        frames: Number of frames of the output; an estimate.
        resumed: Number of frames that earlier runs finished.
        codec: The encoder.
        model: The model's name.
        engine: The engine that runs it.
        device: The device that it runs on.
        size: Longer side of the image that the network sees, in pixels.
        styles: Labels of the styles.
        fade: Seconds that a change of style or look takes.
        timetable: What changes when; see `live_nst.conversion.timetable.timetable`.
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
        """Return plain values for JSON."""
        return asdict(self) | {"input": str(self.input), "output": str(self.output)}


@dataclass(frozen=True, slots=True)
class WorkerProgress:
    """What a worker of a cluster does.

    Attributes:
        name: Its name.
        state: "painting", "waiting" or "late": it takes much longer than usual.
        frames: Number of frames that it painted of this video, without those of warm-ups.
        fps: Such frames per second during the last seconds.
    """

    name: str
    state: str
    frames: int
    fps: float


@dataclass(frozen=True, slots=True)
class ConversionProgress:
    """How much of a conversion is done.

    Attributes:
        stage: "painting", then "joining".
        frames: Number of finished frames, those of earlier runs included.
        total: Number of frames of the output: an estimate, or 0 if there is none.
        resumed: Number of frames that earlier runs finished.
        fps: Frames per second during the last seconds.
        elapsed: Seconds since this run began to stylize frames.
        left: Remaining seconds at that rate; None if unknown.
        bytes: Size of the frames that are encoded.
        workers: What each worker does, if there are any.
    """

    stage: str
    frames: int
    total: int
    resumed: int
    fps: float
    elapsed: float
    left: float | None
    bytes: int
    workers: tuple[WorkerProgress, ...] = ()

    @property
    def share(self) -> float:
        """The part that is done, from 0 to 1; 0 if the total is unknown."""
        return min(1.0, self.frames / self.total) if self.total else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, rounded."""
        values = asdict(self)
        values["fps"], values["elapsed"] = round(self.fps, 2), round(self.elapsed, 2)
        values["left"] = None if self.left is None else round(self.left, 1)
        values["workers"] = [
            asdict(worker) | {"fps": round(worker.fps, 2)} for worker in self.workers
        ]
        if not self.workers:
            del values["workers"]
        return values


@dataclass(frozen=True, slots=True)
class ConversionReport:
    """The result of a conversion.

    Attributes:
        output: The output file.
        frames: Number of its frames.
        resumed: Number of frames that earlier runs finished.
        seconds: Seconds that this run took.
        fps: Frames per second in this run.
        bytes: Size of the output file.
        plan: The plan that was carried out.
    """

    output: Path
    frames: int
    resumed: int
    seconds: float
    fps: float
    bytes: int
    plan: ConversionPlan

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, rounded."""
        return asdict(self) | {
            "output": str(self.output),
            "seconds": round(self.seconds, 2),
            "fps": round(self.fps, 2),
            "plan": self.plan.as_dict(),
        }


class CancelEvent(Protocol):
    """Tells a conversion to stop, as a `threading.Event` does."""

    def is_set(self) -> bool:
        """Return whether to stop."""
        ...


@dataclass(frozen=True)
class ProgressReporter:
    """Receives what a conversion reports. All calls come from the thread that runs it.

    Attributes:
        notify: Called with a sentence for the user.
        plan: Called with the plan before the work begins.
        progress: Called about ten times a second.
        cancel: Set it to stop the conversion; what is finished is kept.
        clock: The clock that elapsed time is measured with.
    """

    notify: Notify = lambda sentence: None
    plan: Callable[[ConversionPlan], None] = lambda plan: None
    progress: Callable[[ConversionProgress], None] = lambda progress: None
    cancel: CancelEvent | None = None
    clock: Clock = field(default_factory=SystemClock)

    def check(self) -> None:
        """Raise if `cancel` is set.

        Raises:
            ConversionCancelled: It is.
        """
        if self.cancel is not None and self.cancel.is_set():
            raise ConversionCancelled(
                "Stopped", "run the same command again: it continues where it stopped"
            )


class RecentRate:
    """Frames a second during the last 20 seconds.

    Args:
        now: The time, in seconds.
        frames: Number of finished frames.
    """

    def __init__(self, now: float, frames: int = 0) -> None:
        self._history = deque([(now, frames)])  # (seconds, frames)

    def read(self, now: float, frames: int) -> float:
        """Take note of the number of finished frames; return frames a second."""
        self._history.append((now, frames))
        while len(self._history) > 2 and self._history[1][0] < now - _RATE_WINDOW:
            self._history.popleft()
        since, before = self._history[0]
        return max(0, frames - before) / (now - since) if now > since else 0.0


class ProgressMeter:
    """Computes `ConversionProgress` from the number of finished frames.

    Args:
        clock: The clock.
        total: Number of frames of the output; 0 if unknown.
        resumed: Number of frames that earlier runs finished.
    """

    def __init__(self, clock: Clock, total: int, resumed: int) -> None:
        self._clock = clock
        self._total = total
        self._resumed = resumed
        self._begin = clock.now()
        self._rate = RecentRate(self._begin, resumed)

    def read(self, stage: str, frames: int, size: int) -> ConversionProgress:
        """Return the progress when `frames` frames are finished, which take `size` bytes."""
        now = self._clock.now()
        fps = self._rate.read(now, frames)
        total = max(self._total, frames) if self._total else 0
        left = (total - frames) / fps if fps > 0 and total else None
        elapsed = now - self._begin
        return ConversionProgress(stage, frames, total, self._resumed, fps, elapsed, left, size)

    def elapsed(self) -> float:
        """Return the seconds since the meter was created."""
        return self._clock.now() - self._begin
