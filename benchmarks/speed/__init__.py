"""How fast it is, against the machine's peak, its peers and the tutorial's way."""


def main(argv: list[str]) -> int:
    """Measure, and write docs/benchmarks.json, .png and the tables of docs/benchmarks.md."""
    from benchmarks.speed.record import main as record

    return record(argv)
