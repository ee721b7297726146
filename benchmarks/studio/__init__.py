"""Measure the studio: its viewers, and a page in Chromium."""


def main(argv: list[str]) -> int:
    """Run the benchmark and return the exit code."""
    from benchmarks.studio.record import main as record

    return record(argv)
