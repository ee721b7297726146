"""Measure which of several devices runs a model fastest, once, and keep the result.

Each candidate is measured in a process of its own: a driver that crashes or never answers costs
that candidate, and not the program. What it compiles stays in the cache of the engine.

The result is kept in a file, under a key of everything that it depends on: the processor, the
system and its drivers, the engine, the devices and their precisions, the model, and the class of
the size. So an updated driver leads to another measurement.
"""

import contextlib
import hashlib
import json
import os
import pickle
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from live_nst.engines.choice import EngineChoice
from live_nst.engines.kind import listed
from live_nst.errors import DeviceError, LiveNstError
from live_nst.files.atomic import write_bytes
from live_nst.files.cache import cache_root
from live_nst.models.program import SplitModel
from live_nst.runtime.chips import driver_state
from live_nst.runtime.machine import installed_version, physical_cores, processor
from live_nst.runtime.timing import Clock, PreciseClock
from live_nst.types import Notify, Size

SIZE_CLASSES: dict[int, Size] = {448: (384, 216), 768: (640, 360), 4096: (1280, 720)}
"""The sizes that are measured, by the longest side that each stands for."""
AUTOMATIC_SIZE = 640
"""The size that stands for a session that chooses its size by speed: a device that is fast there
allows more of them."""
PATIENCE_SECONDS = 60.0
"""How long a candidate may take, including the time to compile."""

_FORMAT = 1
_SECONDS, _LEAST_FRAMES, _MOST_SECONDS = 0.6, 5, 3.0  # of measuring, after the warm-up
_WARM_UP = 2  # frames
_RESULT = b'{"fps"'  # how the line with the result begins
_CHILD = "from live_nst.engines.measuring import main; main()"


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured for a candidate.

    Attributes:
        fps: Frames per second, one after the other; 0 if it cannot run.
        problem: Why it cannot.
    """

    fps: float
    problem: str = ""


Measure = Callable[[EngineChoice, SplitModel, Size], Speed]
"""Measures one candidate; it never raises."""


def pick_fastest(
    candidates: Sequence[EngineChoice],
    model: SplitModel,
    fingerprint: str,
    size: int | None,
    notify: Notify,
    measure: Measure | None = None,
) -> EngineChoice:
    """Return the fastest candidate. A single one is not measured.

    Args:
        candidates: At least one; the processor, if it is one of them, last.
        model: The model's programs.
        fingerprint: The model's fingerprint.
        size: Longer side, in pixels, of the image that the network sees; None if it is chosen by
            speed.
        notify: Told what is measured and what was found.
        measure: Measures a candidate; None to do it in another process.

    Raises:
        DeviceError: None of them can run, and the processor is not among them.
    """
    if len(candidates) == 1:
        return candidates[0]
    place = measured_size(size)
    conditions = _conditions(candidates, fingerprint, place)
    path = cache_root() / "measured" / f"{_key(conditions)}.json"
    speeds = _read(path, candidates)
    known = speeds is not None
    if speeds is None:
        names = listed([_name(each, candidates) for each in candidates], "and")
        notify(f"Measuring once which is fastest: {names}. This may take a minute.")
        measure = measure or measure_in_child
        speeds = [measure(each, model, place) for each in candidates]
        if any(speed.fps for speed in speeds):
            _write(path, conditions, speeds)
    best = max(range(len(candidates)), key=lambda index: speeds[index].fps)
    problems = [
        f"{candidates[index].title} is left out: {speed.problem}"
        for index, speed in enumerate(speeds)
        if not speed.fps
    ]
    if not speeds[best].fps:
        if candidates[-1].device != "cpu":
            raise DeviceError("No device can run this model here.", "; ".join(problems))
        notify(f"Nothing could be measured, so the CPU is used: {problems[0]}.")
        return candidates[-1]
    for problem in problems:
        notify(f"{problem}.")
    rates = ", ".join(
        f"{_name(each, candidates)} {speed.fps:.0f} fps"
        for each, speed in zip(candidates, speeds, strict=True)
        if speed.fps
    )
    chosen = candidates[best]
    if not known:
        notify(f"Measured: {rates}; using {chosen.title}.")
    return replace(chosen, reason=f"it is the fastest here ({rates} at {place[0]}x{place[1]})")


def measured_size(size: int | None) -> Size:
    """Return (width, height) of the network's input that stands for a size."""
    wanted = AUTOMATIC_SIZE if size is None else size
    return next(place for most, place in SIZE_CLASSES.items() if wanted <= most)


def measure_here(
    choice: EngineChoice, model: SplitModel, size: Size, clock: Clock | None = None
) -> float:
    """Return the frames per second of an engine at a size, in this process.

    Raises:
        LiveNstError: It cannot run.
    """
    clock = clock or PreciseClock()
    engine = choice.make(model)
    try:
        runner = engine.compile(size, size)
        style = engine.expand(np.zeros(engine.bottleneck_size, np.float32))
        image = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
        for _ in range(_WARM_UP):
            runner(image, style).fetch()
        times: list[float] = []
        begin = clock.now()
        while True:
            start = clock.now()
            runner(image, style).fetch()
            now = clock.now()
            times.append(now - start)
            enough = now - begin >= _SECONDS and len(times) >= _LEAST_FRAMES
            if enough or now - begin >= _MOST_SECONDS:
                return 1 / max(statistics.median(times), 1e-6)
    finally:
        engine.close()


def measure_in_child(
    choice: EngineChoice,
    model: SplitModel,
    size: Size,
    patience: float = PATIENCE_SECONDS,
    command: Sequence[str] = (sys.executable, "-P", "-c", _CHILD),
) -> Speed:
    """Measure a candidate in another process.

    Args:
        choice: The candidate.
        model: The model's programs.
        size: (width, height) of the network's input.
        patience: Seconds after which it is left out.
        command: The program; its input is that of `main`.
    """
    work = pickle.dumps((choice, model, size))
    path = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        done = subprocess.run(
            command,
            input=work,
            capture_output=True,
            timeout=patience,
            check=False,
            # Else Ctrl-C, which a terminal sends to all processes of its group, would end a
            # candidate's process, and be kept as a problem of its device.
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        )
    except subprocess.TimeoutExpired:
        return Speed(0.0, f"it was not ready within {patience:g} s")
    except OSError as exc:
        return Speed(0.0, f"it cannot be measured: {exc}")
    if done.returncode < 0:
        return Speed(0.0, f"its driver ended the process with {_signal_name(-done.returncode)}")
    try:
        # A driver may print something of its own, also when the process ends.
        lines = [line for line in done.stdout.splitlines() if line.startswith(_RESULT)]
        result = json.loads(lines[-1])
        return Speed(float(result["fps"]), str(result["problem"]))
    except (IndexError, ValueError, KeyError, TypeError):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        last = said[-1] if said else f"exit code {done.returncode}"
        return Speed(0.0, f"it cannot be measured: {last}")


def main() -> None:
    """Measure the candidate that standard input holds, and print the result as JSON."""
    choice, model, size = pickle.load(sys.stdin.buffer)
    try:
        result = {"fps": measure_here(choice, model, size), "problem": ""}
    except LiveNstError as exc:
        result = {"fps": 0.0, "problem": exc.message.rstrip(".")}
    print(json.dumps(result))


def _name(choice: EngineChoice, candidates: Sequence[EngineChoice]) -> str:
    """Return a short name: "GPU", with the engine if two candidates would have the same name."""
    name = choice.title.partition(" (")[0]
    same = [each for each in candidates if each.device == choice.device]
    return f"{name} with {choice.engine}" if len(same) > 1 else name


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _conditions(
    candidates: Sequence[EngineChoice], fingerprint: str, size: Size
) -> dict[str, object]:
    """Return everything that the result depends on."""
    return {
        "format": _FORMAT,
        "processor": processor(),
        "cores": physical_cores(),
        "drivers": driver_state(),
        "versions": {name: installed_version(name) for name in ("openvino", "tensorflow")},
        "candidates": [
            [each.engine, each.device, each.label, each.precision, each.driver]
            for each in candidates
        ],
        "model": fingerprint,
        "size": list(size),
    }


def _key(conditions: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(conditions, sort_keys=True).encode()).hexdigest()[:24]


def _read(path: Path, candidates: Sequence[EngineChoice]) -> list[Speed] | None:
    """Return the kept result, one per candidate; None if there is none."""
    try:
        kept = [
            Speed(float(each["fps"]), str(each["problem"]))
            for each in json.loads(path.read_text("utf-8"))["speeds"]
        ]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return kept if len(kept) == len(candidates) else None


def _write(path: Path, conditions: dict[str, object], speeds: Sequence[Speed]) -> None:
    content = conditions | {
        "speeds": [{"fps": round(each.fps, 2), "problem": each.problem} for each in speeds]
    }
    with contextlib.suppress(OSError):  # without a cache it is measured at every start
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, json.dumps(content, indent=1).encode(), sync=False)
