"""Measure quality by the style transfer loss of VGG."""


def main(argv: list[str]) -> int:
    """Write results.json, results.jpg and the tables of results.md in this folder."""
    from benchmarks.quality.record import main as record

    return record(argv)
