"""What `live-nst bench` found out."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from live_nst.types import Size


@dataclass(frozen=True, slots=True)
class EngineSetup:
    """What computes a frame, by the words of the command line.

    Attributes:
        engine: "openvino" or "tensorflow".
        precision: "float32", "bfloat16" or "float16".
    """

    engine: str
    precision: str

    def __str__(self) -> str:
        return f"{self.engine} {self.precision}"


@dataclass(frozen=True, slots=True)
class BenchResult:
    """One way to paint, measured: camera frame in, camera-sized frame out.

    Attributes:
        setup: Engine and precision.
        size: The long side that `--size` names, in pixels.
        network: (width, height) of what the network saw.
        fps: Frames per second, one after the other.
        p50_ms: Milliseconds that half of the frames took at most.
        p99_ms: Milliseconds that 99 of 100 frames took at most.
        share: Of the machine's peak arithmetic in that precision, 0..1; None if unknown.
    """

    setup: EngineSetup
    size: int
    network: Size
    fps: float
    p50_ms: float
    p99_ms: float
    share: float | None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to run.

    Attributes:
        row: The measured way that is recommended.
        enough: Whether it holds the wanted rate with headroom.
        sentence: For people.
        command: The command line.
    """

    row: BenchResult
    enough: bool
    sentence: str
    command: str


@dataclass(frozen=True, slots=True)
class BenchReport:
    """All of it; `as_dict` is what `--json` prints.

    Attributes:
        machine: Of `live_nst.runtime.machine.describe_machine`.
        model: The model that ran.
        device: Where it ran.
        camera: (width, height) of the frames that went in and came out.
        fps: The wanted rate.
        peaks: Floating-point operations per second of matrix products, by precision.
        rows: What was measured.
        other_load: The share of the machine that other programs took, 0..1.
        busy: Whether that was too much for the figures to mean something.
        rounds: How many rounds the figures come from.
        interrupted: Whether it was ended from the keyboard.
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
        """Plain values, ready for JSON."""
        report = asdict(self)
        report["rows"] = [_flat(row) for row in self.rows]
        report["peaks"] = {name: round(flops / 1e9, 1) for name, flops in self.peaks.items()}
        report["other_load"] = round(self.other_load, 3)
        choice = self.recommendation
        report["recommendation"] = {
            **_flat(choice.row),
            "enough": choice.enough,
            "sentence": choice.sentence,
            "command": choice.command,
        }
        return report


def _flat(row: BenchResult) -> dict[str, Any]:
    return {
        "engine": row.setup.engine,
        "precision": row.setup.precision,
        "size": row.size,
        "network": list(row.network),
        "fps": round(row.fps, 2),
        "p50_ms": round(row.p50_ms, 2),
        "p99_ms": round(row.p99_ms, 2),
        "share_of_peak": None if row.share is None else round(row.share, 3),
    }


HEADROOM = 1.25
"""How much faster than wanted it must be, so that the call, the game and the camera have room."""


def recommend(
    rows: Sequence[BenchResult], fps: float, default: EngineSetup, extra: Sequence[str] = ()
) -> Recommendation:
    """The largest picture that holds `fps` with headroom or, if none does, the fastest.

    Args:
        rows: What was measured; at least one.
        fps: The wanted frames per second.
        default: What live-nst picks by itself, which need not be named.
        extra: Further arguments that the command needs, such as ("--model", "hub").
    """
    enough = [row for row in rows if row.fps >= HEADROOM * fps]
    if enough:
        row = max(enough, key=lambda row: (row.size, row.fps))
    else:
        row = max(rows, key=lambda row: row.fps)
    command = _command(row, default, extra)
    width, height = row.network
    what = f"{row.setup.engine} in {row.setup.precision} at {width}x{height}"
    if not enough:
        reason = "too few to spare any" if row.fps >= fps else f"fewer than {fps:g}"
        sentence = f"The fastest here is {what}: {row.fps:.0f} frames per second, {reason}."
    else:
        sentence = (
            f"For {fps:g} frames per second with room to spare, use {what}, "
            f"which does {row.fps:.0f}."
        )
    return Recommendation(row, bool(enough), sentence, command)


def _command(row: BenchResult, default: EngineSetup, extra: Sequence[str]) -> str:
    words = ["live-nst", *extra]
    if row.setup.engine != default.engine:
        words += ["--engine", row.setup.engine]
    if row.setup != default:
        words += ["--precision", row.setup.precision]
    return shlex.join([*words, "--size", str(row.size)])
