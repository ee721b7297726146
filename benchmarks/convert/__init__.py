"""Measure the speed of conversions relative to ideal parallel stages."""


def main(argv: list[str]) -> int:
    """Run the benchmark and return the exit code."""
    from benchmarks.convert.record import main as record

    return record(argv)
