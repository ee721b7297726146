"""Measure speed relative to the machine's peak, a peer and the tutorial."""


def main(argv: list[str]) -> int:
    """Write results.json, results.png and the tables of results.md in this folder."""
    from benchmarks.speed.record import main as record

    return record(argv)
