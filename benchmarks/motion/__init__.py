"""Steadiness: flicker, ghosts and sharpness of stabilised films; see docs/motion.md."""


def main(argv: list[str]) -> int:
    """Measure, write what was found, and give the exit code."""
    from benchmarks.motion.record import main as record

    return record(argv)
