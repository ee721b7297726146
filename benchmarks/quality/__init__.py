"""How good it looks, by VGG's loss: between doing nothing and the optimum."""


def main(argv: list[str]) -> int:
    """Measure and write docs/quality.json, .jpg and the tables of docs/quality.md."""
    from benchmarks.quality.record import main as record

    return record(argv)
