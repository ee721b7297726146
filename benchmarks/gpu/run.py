"""Time exported frame programs on JAX's first device: `python run.py DIR`.

Stands alone: it needs jax and NumPy. StableHLO is compiled through private interfaces of JAX, tried
with jax 0.10.2. For every program it measures

- ms: one frame, with frames and style on the device and several executions under way, so that the
  device never waits; from it FLOP/s, and their share of the largest rate of matrix products that
  the device reaches here in the same precision (float32 as JAX does it by itself: TF32, where there
  is that);
- stream fps: every frame brought to the device and what is looked at fetched (the two small
  pictures, or the one of camera size), by several threads as conversions do it, so that transfers
  run beside the computation;
- latency ms: the same for one frame alone.

Results are first compared with what TensorFlow made of the same frame in float32 on a CPU.
"""

import argparse
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

UNDER_WAY = (1, 2, 4)
MEAN_LIMIT = 0.004
COLUMNS = ("program", "ms", "fps", "TFLOP/s", "of peak", "stream fps", "latency ms", "mean off")


def main(argv: list[str]) -> int:
    """Measure all programs of a folder; 1 if one paints another picture than TensorFlow."""
    parser = argparse.ArgumentParser(prog="run.py", description="Time exported frame programs.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each measurement")
    parser.add_argument("--matrix", type=int, nargs="+", help="sides of the peak's matrices")
    parser.add_argument("--json", type=Path, help="default: result.json in the folder")
    arguments = parser.parse_args(argv)
    paths = sorted(arguments.folder.glob("*.mlir"))
    if not paths:
        print(f"There is no program in {arguments.folder}.", file=sys.stderr)
        return 2
    import jax

    device = jax.devices()[0]
    sides = arguments.matrix or ([512, 1024] if device.platform == "cpu" else [4096, 8192, 16384])
    facts = {path: json.loads(path.with_suffix(".json").read_text("utf-8")) for path in paths}
    precisions = dict.fromkeys(each["precision"] for each in facts.values())
    peaks = {p: peak(device, p, sides, arguments.seconds) for p in precisions}
    print(f"{device.device_kind} ({device.platform}), jax {jax.__version__}")
    for precision, flops in peaks.items():
        print(f"largest rate of {precision} matrix products: {flops / 1e12:.3g} TFLOP/s")
    report = {
        "device": device.device_kind,
        "platform": device.platform,
        "jax": jax.__version__,
        "peaks": peaks,
        "programs": {},
    }
    print(row(COLUMNS), flush=True)
    for path, known in facts.items():
        found = measure(path, known, peaks[known["precision"]], device, arguments.seconds)
        report["programs"][path.stem] = found
        print(row(cells(path.stem, found)), flush=True)
    target = arguments.json or arguments.folder / "result.json"
    target.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    off = [n for n, p in report["programs"].items() if not p["difference"]["mean"] < MEAN_LIMIT]
    for name in off:
        print(f"BROKEN: {name} does not paint what TensorFlow does.")
    return int(bool(off))


class Executable:
    """A StableHLO program, compiled for one device."""

    def __init__(self, text: str, device: Any) -> None:
        from jax._src.interpreters import mlir
        from jax._src.lib import xla_client
        from jax._src.xla_bridge import get_backend
        from jaxlib.mlir import ir

        with mlir.make_ir_context():
            code = mlir.module_to_bytecode(ir.Module.parse(text))
        devices = xla_client.DeviceList((device,))
        options = xla_client.CompileOptions()
        self._loaded = get_backend().compile_and_load(code, devices, options)

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """Start it with arrays that are on the device; what it gives may still be under way."""
        results = self._loaded.execute_sharded(list(inputs))
        return [each[0] for each in results.disassemble_into_single_device_arrays()]


def measure(
    path: Path, known: dict[str, Any], peak_flops: float, device: Any, seconds: float
) -> dict[str, Any]:
    """Compile and time one program, and compare what it paints."""
    import jax

    arrays = np.load(path.with_suffix(".npz"))
    inputs = [arrays[f"input_{index}"] for index in range(len(known["inputs"]))]
    begin = time.perf_counter()
    run = Executable(path.read_text("utf-8"), device)
    compiled = time.perf_counter() - begin
    there = [jax.device_put(each, device) for each in inputs]

    def painted(_: int = 0) -> list[Any]:
        frame = jax.device_put(inputs[0], device)
        outputs = run([frame, *there[1:]])
        return [np.asarray(outputs[index]) for index in known["fetched"]]

    off = [
        np.abs(np.asarray(each).astype(np.float64) - arrays[f"output_{index}"]) / 255
        for index, each in enumerate(run(there))
    ]
    by_count = {n: seconds_each(lambda: run(there), n, seconds) for n in UNDER_WAY}
    best = min(by_count.values())
    flops = known["flops"] / best
    return {
        **known,
        "compile s": compiled,
        "ms": 1000 * best,
        "ms by executions under way": {n: 1000 * each for n, each in by_count.items()},
        "fps": 1 / best,
        "flops per s": flops,
        "share of peak": flops / peak_flops,
        "stream fps by threads": {n: stream_fps(painted, n, seconds) for n in UNDER_WAY},
        "latency ms": 1000 * seconds_each(painted, 1, seconds),
        "difference": {
            "mean": max(float(each.mean()) for each in off),
            "maximum": max(float(each.max()) for each in off),
        },
    }


def peak(device: Any, precision: str, sides: Sequence[int], seconds: float) -> float:
    """The largest rate of products of square matrices, in FLOP/s."""
    import jax
    import jax.numpy as jnp

    product = jax.jit(jnp.matmul)
    rates = []
    for side in sides:
        values = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
        matrix = jax.device_put(jnp.asarray(values, dtype=precision), device)
        taken = seconds_each(lambda m=matrix: [product(m, m)], 4, seconds)
        rates.append(2 * side**3 / taken)
    return max(rates)


def seconds_each(start: Callable[[], list[Any]], under_way: int, seconds: float) -> float:
    """Seconds of one call, while so many are kept under way."""
    waiting: deque[list[Any]] = deque()

    def calls(until: Callable[[int], bool]) -> int:
        done = 0
        while not until(done):
            waiting.append(start())
            if len(waiting) >= under_way:
                wait(waiting.popleft())
            done += 1
        while waiting:
            wait(waiting.popleft())
        return done

    calls(lambda done: done >= 3)
    begin = time.perf_counter()
    done = calls(lambda done: done >= 3 and time.perf_counter() - begin >= seconds)
    return (time.perf_counter() - begin) / done


def wait(results: list[Any]) -> None:
    """Until all are there; arrays of NumPy are."""
    for each in results:
        if not isinstance(each, np.ndarray):
            each.block_until_ready()


def stream_fps(paint: Callable[[int], object], threads: int, seconds: float) -> float:
    """Frames per second of so many threads that each paint one frame after the other."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(paint, range(threads)))
        begin = time.perf_counter()
        end = begin + seconds

        def work(_: int) -> int:
            done = 0
            while time.perf_counter() < end or not done:
                paint(done)
                done += 1
            return done

        done = sum(pool.map(work, range(threads)))
        return done / (time.perf_counter() - begin)


def cells(name: str, found: dict[str, Any]) -> tuple[str, ...]:
    """One program's line of the table."""
    return (
        name,
        f"{found['ms']:.3f}",
        f"{found['fps']:.1f}",
        f"{found['flops per s'] / 1e12:.3g}",
        f"{found['share of peak']:.1%}",
        f"{max(found['stream fps by threads'].values()):.1f}",
        f"{found['latency ms']:.2f}",
        f"{found['difference']['mean']:.5f}",
    )


def row(texts: Sequence[str]) -> str:
    """A line of the table."""
    return f"{texts[0]:34}" + "".join(f"{text:>12}" for text in texts[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
