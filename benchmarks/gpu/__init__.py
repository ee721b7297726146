"""Measure frame programs on a GPU without TensorFlow: `export DIR`, then `run DIR`.

    python -m benchmarks gpu export DIR [--model mobile|hub|FOLDER] [--size 1280x720 ...]
    python benchmarks/gpu/run.py DIR        # on the GPU machine: needs jax and NumPy only

The programs are exported as StableHLO. With TensorFlow on the GPU machine, use `live-nst bench`.
"""

USAGE = """usage: python -m benchmarks gpu export DIR [options]
       python -m benchmarks gpu run DIR [options]

Nothing was measured: this takes two steps, often on two machines (benchmarks/gpu/README.md).
With a GPU that TensorFlow can use, `live-nst bench` measures speed and share of peak at once."""


def main(argv: list[str]) -> int:
    """Export programs or run exported ones; without arguments, print the usage."""
    if argv[:1] == ["export"]:
        from benchmarks.gpu.export import main as export

        return export(argv[1:])
    if argv[:1] == ["run"]:
        from benchmarks.gpu.run import main as run

        return run(argv[1:])
    print(USAGE)
    return 2 if argv and argv[0] not in ("-h", "--help") else 0
