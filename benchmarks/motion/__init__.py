"""Steadiness: flicker, ghosts and sharpness of stabilised films; see docs/motion.md."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    from benchmarks.motion.record import main as run

    return run(argv)
