"""Conversions: how near the whole comes to its stages, shared out perfectly over the cores."""


def main(argv: list[str]) -> int:
    """Measure, print what was found, and give the exit code."""
    from benchmarks.convert.record import main as record

    return record(argv)
