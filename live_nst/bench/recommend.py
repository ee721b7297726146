"""From measurements to a command line."""

import shlex
from collections.abc import Sequence

from live_nst.bench.report import BenchRow, Recommendation, Setup

HEADROOM = 1.25
"""How much faster than wanted it must be, so that the call, the game and the camera have room."""


def recommend(
    rows: Sequence[BenchRow], fps: float, default: Setup, extra: Sequence[str] = ()
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


def _command(row: BenchRow, default: Setup, extra: Sequence[str]) -> str:
    words = ["live-nst", *extra]
    if row.setup.engine != default.engine:
        words += ["--engine", row.setup.engine]
    if row.setup != default:
        words += ["--precision", row.setup.precision]
    return shlex.join([*words, "--size", str(row.size)])
