"""The results of `live-nst bench`, and the command line that they recommend."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from live_nst.runtime.device_words import describe_device
from live_nst.types import Size

HEADROOM = 1.25
"""How much faster than wanted it must be, to leave time for the camera and for other programs."""


@dataclass(frozen=True, slots=True)
class EngineSetup:
    """What computes a frame, by the words of the command line.

    Attributes:
        engine: "openvino" or "tensorflow".
        precision: "float32", "bfloat16" or "float16".
        device: "cpu", "gpu", "gpu:1" or "npu".
    """

    engine: str
    precision: str
    device: str = "cpu"

    def __str__(self) -> str:
        where = "" if self.device == "cpu" else f" on {describe_device(self.device)}"
        return f"{self.engine} {self.precision}{where}"


@dataclass(frozen=True, slots=True)
class BenchResult:
    """One setup at one size, measured from camera frame to stylized frame.

    Attributes:
        setup: Engine and precision.
        size: Value of `--size`: the longer side in pixels.
        network: (width, height) of the network's input in pixels.
        fps: Frames per second, one after the other.
        p50_ms: Median time of a frame in milliseconds.
        p99_ms: Time that 99 of 100 frames do not exceed, in milliseconds.
        share: Share of the default device's peak FLOP/s in that precision, 0..1; None if it is not
            known, and for other devices.
    """

    setup: EngineSetup
    size: int
    network: Size
    fps: float
    p50_ms: float
    p99_ms: float
    share: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "engine": self.setup.engine,
            "precision": self.setup.precision,
            "device": self.setup.device,
            "size": self.size,
            "network": list(self.network),
            "fps": round(self.fps, 2),
            "p50_ms": round(self.p50_ms, 2),
            "p99_ms": round(self.p99_ms, 2),
            "share_of_peak": None if self.share is None else round(self.share, 3),
        }


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to run.

    Attributes:
        row: The result that is recommended.
        enough: Whether it reaches the wanted rate with headroom.
        sentence: The reason, for people.
        command: The command line.
    """

    row: BenchResult
    enough: bool
    sentence: str
    command: str


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Everything that was measured.

    Attributes:
        machine: See `live_nst.runtime.machine.describe_machine`.
        model: Name of the model.
        device: Where it runs by default.
        camera: (width, height) of the frames in and out, in pixels.
        fps: The wanted rate.
        peaks: FLOP/s of matrix multiplication, by precision.
        rows: The results.
        other_load: Share of the machine that other programs took, 0..1.
        busy: Whether that was too much for figures that mean something.
        rounds: Number of rounds that the figures come from.
        interrupted: Whether Ctrl-C ended the measurement.
        recommendation: What to run.
    """

    machine: dict[str, Any]
    model: str
    device: str
    camera: Size
    fps: float
    peaks: dict[str, float]
    rows: tuple[BenchResult, ...]
    other_load: float
    busy: bool
    rounds: int
    interrupted: bool
    recommendation: Recommendation

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for `--json`; peaks are in GFLOP/s."""
        choice = asdict(self.recommendation)
        del choice["row"]
        return asdict(self) | {
            "rows": [row.as_dict() for row in self.rows],
            "peaks": {name: round(flops / 1e9, 1) for name, flops in self.peaks.items()},
            "other_load": round(self.other_load, 3),
            "recommendation": self.recommendation.row.as_dict() | choice,
        }


def recommend(
    rows: Sequence[BenchResult], fps: float, default: EngineSetup, extra: Sequence[str] = ()
) -> Recommendation:
    """Choose the largest size that reaches `fps` with headroom or, if none does, the fastest.

    Args:
        rows: The results, at least one.
        fps: The wanted frames per second.
        default: The setup that live-nst chooses without options.
        extra: Further arguments for the command line, such as ("--model", "hub").
    """
    enough = [row for row in rows if row.fps >= HEADROOM * fps]
    if enough:
        row = max(enough, key=lambda row: (row.size, row.fps))
    else:
        row = max(rows, key=lambda row: row.fps)
    width, height = row.network
    where = "" if row.setup.device == "cpu" else f" on the {describe_device(row.setup.device)}"
    what = f"{row.setup.engine} in {row.setup.precision}{where} at {width}x{height}"
    if enough:
        sentence = (
            f"For {fps:g} frames per second with room to spare, use {what}, "
            f"which does {row.fps:.0f}."
        )
    else:
        reason = "too few to spare any" if row.fps >= fps else f"fewer than {fps:g}"
        sentence = f"The fastest here is {what}: {row.fps:.0f} frames per second, {reason}."
    return Recommendation(row, bool(enough), sentence, _command(row, default, extra))


def _command(row: BenchResult, default: EngineSetup, extra: Sequence[str]) -> str:
    words = ["live-nst", *extra]
    if row.setup.device != default.device and "--device" not in extra:
        words += ["--device", row.setup.device]
    if row.setup.engine != default.engine:
        words += ["--engine", row.setup.engine]
    if row.setup.precision != default.precision or row.setup.engine != default.engine:
        words += ["--precision", row.setup.precision]
    return shlex.join([*words, "--size", str(row.size)])
