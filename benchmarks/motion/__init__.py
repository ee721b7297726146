"""Measure flicker, ghosts and sharpness of stabilized videos."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and return the exit code; see results.md."""
    from live_nst.sources.camera import configure_opencv

    configure_opencv()  # like live-nst, before cv2 is imported
    from benchmarks.motion.record import main as run

    return run(argv)
