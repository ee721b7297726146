"""How good it looks, by VGG's loss: between doing nothing and the optimum."""


def main(argv: list[str]) -> int:
    """Measure and write benchmarks/quality/results.json, .jpg and the tables of results.md."""
    from benchmarks.quality.record import main as record

    return record(argv)
