"""How fast it is, against the machine's peak, its peers and the tutorial's way."""


def main(argv: list[str]) -> int:
    """Measure, and write results.json, .png and the tables of results.md here."""
    from benchmarks.speed.record import main as record

    return record(argv)
