"""Time exported frame programs on JAX's first device: `python run.py DIR`.

This file needs only jax and NumPy. StableHLO is compiled through private interfaces of JAX, tried
with jax 0.10.2. For each program it measures

- ms: one frame, with all data on the device and several executions at once, so that the device is
  always busy; from it FLOP/s, and their share of the highest measured rate of matrix products in
  the same precision (float32 is JAX's default: TF32 where it exists);
- stream fps: frames per second with upload and download (of the two small images, or of the one in
  the camera's size), in several threads, so that transfers and computation overlap;
- latency ms: the same for a single frame.

The images are first compared with TensorFlow's in float32 on a CPU.
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

CONCURRENCY = (1, 2, 4)
MEAN_LIMIT = 0.004
COLUMNS = ("program", "ms", "fps", "TFLOP/s", "of peak", "stream fps", "latency ms", "mean error")


def main(argv: list[str]) -> int:
    """Measure all programs of a folder; return 1 if an image differs from TensorFlow's."""
    parser = argparse.ArgumentParser(prog="run.py", description="Time exported frame programs.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0, help="duration of each measurement")
    parser.add_argument("--matrix", type=int, nargs="+", help="sizes of the matrices for the peak")
    parser.add_argument("--json", type=Path, help="[default: result.json in the folder]")
    arguments = parser.parse_args(argv)
    paths = sorted(arguments.folder.glob("*.mlir"))
    if not paths:
        print(f"No programs found in {arguments.folder}.", file=sys.stderr)
        return 2
    import jax

    device = jax.devices()[0]
    sides = arguments.matrix or ([512, 1024] if device.platform == "cpu" else [4096, 8192, 16384])
    facts = {path: json.loads(path.with_suffix(".json").read_text("utf-8")) for path in paths}
    precisions = dict.fromkeys(each["precision"] for each in facts.values())
    peaks = {p: peak(device, p, sides, arguments.seconds) for p in precisions}
    print(f"{device.device_kind} ({device.platform}), jax {jax.__version__}")
    for precision, flops in peaks.items():
        print(f"peak of {precision} matrix products: {flops / 1e12:.3g} TFLOP/s")
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
    different = [
        n for n, p in report["programs"].items() if not p["difference"]["mean"] < MEAN_LIMIT
    ]
    for name in different:
        print(f"BROKEN: {name} differs from TensorFlow.")
    return int(bool(different))


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
        """Start an execution with arrays on the device; the results may still be computing."""
        results = self._loaded.execute_sharded(list(inputs))
        return [each[0] for each in results.disassemble_into_single_device_arrays()]


def measure(
    path: Path, known: dict[str, Any], peak_flops: float, device: Any, seconds: float
) -> dict[str, Any]:
    """Compile and time one program, and compare its images."""
    import jax

    arrays = np.load(path.with_suffix(".npz"))
    inputs = [arrays[f"input_{index}"] for index in range(len(known["inputs"]))]
    begin = time.perf_counter()
    run = Executable(path.read_text("utf-8"), device)
    compiled = time.perf_counter() - begin
    on_device = [jax.device_put(each, device) for each in inputs]

    def stylize(_: int = 0) -> list[Any]:
        frame = jax.device_put(inputs[0], device)
        outputs = run([frame, *on_device[1:]])
        return [np.asarray(outputs[index]) for index in known["fetched"]]

    errors = [
        np.abs(np.asarray(each).astype(np.float64) - arrays[f"output_{index}"]) / 255
        for index, each in enumerate(run(on_device))
    ]
    by_count = {n: seconds_per_call(lambda: run(on_device), n, seconds) for n in CONCURRENCY}
    best = min(by_count.values())
    flops = known["flops"] / best
    return {
        **known,
        "compile s": compiled,
        "ms": 1000 * best,
        "ms by concurrency": {n: 1000 * each for n, each in by_count.items()},
        "fps": 1 / best,
        "flops per s": flops,
        "share of peak": flops / peak_flops,
        "stream fps by threads": {n: stream_fps(stylize, n, seconds) for n in CONCURRENCY},
        "latency ms": 1000 * seconds_per_call(stylize, 1, seconds),
        "difference": {
            "mean": max(float(each.mean()) for each in errors),
            "maximum": max(float(each.max()) for each in errors),
        },
    }


def peak(device: Any, precision: str, sides: Sequence[int], seconds: float) -> float:
    """Return the highest rate of products of square matrices in FLOP/s."""
    import jax
    import jax.numpy as jnp

    product = jax.jit(jnp.matmul)
    rates = []
    for side in sides:
        values = np.random.default_rng(0).normal(size=(side, side)).astype(np.float32)
        matrix = jax.device_put(jnp.asarray(values, dtype=precision), device)
        taken = seconds_per_call(lambda m=matrix: [product(m, m)], 4, seconds)
        rates.append(2 * side**3 / taken)
    return max(rates)


def seconds_per_call(start: Callable[[], list[Any]], concurrency: int, seconds: float) -> float:
    """Return the time per call with `concurrency` calls in flight."""
    in_flight: deque[list[Any]] = deque()

    def calls(until: Callable[[int], bool]) -> int:
        done = 0
        while not until(done):
            in_flight.append(start())
            if len(in_flight) >= concurrency:
                wait(in_flight.popleft())
            done += 1
        while in_flight:
            wait(in_flight.popleft())
        return done

    calls(lambda done: done >= 3)
    begin = time.perf_counter()
    done = calls(lambda done: done >= 3 and time.perf_counter() - begin >= seconds)
    return (time.perf_counter() - begin) / done


def wait(results: list[Any]) -> None:
    """Wait for the results; NumPy arrays are ready."""
    for each in results:
        if not isinstance(each, np.ndarray):
            each.block_until_ready()


def stream_fps(stylize: Callable[[int], object], threads: int, seconds: float) -> float:
    """Return the frames per second of `threads` threads that call `stylize` in a loop."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(stylize, range(threads)))
        begin = time.perf_counter()
        end = begin + seconds

        def work(_: int) -> int:
            done = 0
            while time.perf_counter() < end or not done:
                stylize(done)
                done += 1
            return done

        done = sum(pool.map(work, range(threads)))
        return done / (time.perf_counter() - begin)


def cells(name: str, found: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of one program."""
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
    """Return a line of the table."""
    return f"{texts[0]:34}" + "".join(f"{text:>12}" for text in texts[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
