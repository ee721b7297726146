"""Measure workers that have a fraction of a core each, and simulate up to 1,000 of them."""


def main(argv: list[str]) -> int:
    """Run the benchmark and return the exit code."""
    from benchmarks.cluster.record import main as record

    return record(argv)
