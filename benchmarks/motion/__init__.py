"""Steadiness: flicker, ghosts and sharpness of stabilized films; see docs/motion.md."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    from live_nst.sources.camera import configure_opencv

    configure_opencv()  # as the program does, before cv2 is imported
    from benchmarks.motion.record import main as run

    return run(argv)
