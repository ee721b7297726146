"""Check the processor, the engines, and the GPUs and NPUs that they can use."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from live_nst.doctor.finding import REINSTALL, Finding, Severity
from live_nst.engines.advice import advise
from live_nst.errors import DeviceError, ModelError
from live_nst.runtime.chips import Chip, find_chips
from live_nst.runtime.machine import free_memory, physical_cores, processor, total_memory

PROBE_SECONDS = 180.0
"""Time for TensorFlow to start. It usually needs 5 seconds."""

_PROBE = """
import json
from live_nst.runtime.tensorflow import import_tensorflow, import_tensorflow_hub
import_tensorflow_hub()
config = import_tensorflow().config
gpus = config.list_physical_devices("GPU")
details = [config.experimental.get_device_details(gpu) for gpu in gpus]
print(json.dumps([each.get("device_name", gpu.name) for each, gpu in zip(details, gpus)]))
"""


def check_processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> Iterator[Finding]:
    """Report the CPU's model, its cores and the memory."""
    text = (
        f"{processor(cpuinfo)}, {physical_cores()} cores, {os.cpu_count()} threads; memory "
        f"{total_memory() / 2**30:.1f} GiB, {free_memory() / 2**30:.1f} GiB of it free"
    )
    yield Finding("processor", Severity.OK, text)


def probe_tensorflow(
    command: Sequence[str] = (sys.executable, "-P", "-c", _PROBE), timeout: float = PROBE_SECONDS
) -> list[str]:
    """Start TensorFlow in another process: a broken TensorFlow may end its process.

    Args:
        command: The program to run. Its last line is the names of the GPUs as JSON.
        timeout: Time for it in seconds.

    Returns:
        The names of the GPUs that TensorFlow can use.

    Raises:
        ModelError: It does not start.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as exc:
        raise ModelError(f"TensorFlow does not start within {timeout:g} s", REINSTALL) from exc
    if done.returncode == 0:
        names: list[str] = json.loads(done.stdout.splitlines()[-1])
        return names
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        hint = "this processor lacks instructions (AVX) that TensorFlow was built with"
        raise ModelError(
            f"TensorFlow ends Python with {name}", hint if name == "SIGILL" else REINSTALL
        )
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    raise ModelError(f"TensorFlow does not start: {lines[-1]}", REINSTALL)


def nvidia_gpus() -> list[str]:
    """Return the names of the GPUs that NVIDIA's driver knows; empty without that driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []  # no GPU, or a driver that does not run
    return done.stdout.split("\n")[:-1]


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that an engine can use.

    Attributes:
        engine: Name of the engine in sentences.
        word: The word of `--device` for it.
        label: Its full name.
        precisions: Its number formats.
    """

    engine: str
    word: str
    label: str
    precisions: tuple[str, ...]


_PROBE_DEVICES = """
import json
from live_nst.engines.choice import KINDS
from live_nst.errors import DeviceError
found, problems = [], {}
for name, kind in KINDS.items():
    try:
        devices = [] if name == "tensorflow" else kind.devices()
    except DeviceError as exc:
        problems[name] = [exc.message, exc.hint]
        continue
    found += [[kind.title, each.word, each.label, each.precisions] for each in devices]
print(json.dumps([found, problems]))
"""


def probe_devices(
    command: Sequence[str] = (sys.executable, "-P", "-c", _PROBE_DEVICES),
    timeout: float = PROBE_SECONDS,
) -> tuple[list[FoundDevice], dict[str, tuple[str, str]]]:
    """Ask the engines other than TensorFlow for their devices, in another process.

    A broken driver may end the process that loads it.

    Args:
        command: The program to run. Its last line is JSON.
        timeout: Time for it in seconds.

    Returns:
        The devices, and by the word of an engine why it cannot be used, with a hint.

    Raises:
        DeviceError: A driver ends the process, or does not answer.
    """
    hint = "update the drivers of GPU and NPU, or use --device cpu"
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as exc:
        raise DeviceError(f"the drivers do not answer within {timeout:g} s", hint) from exc
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise DeviceError(f"a driver of a GPU or NPU ends Python with {name}", hint)
    try:
        found, problems = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError) as exc:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise DeviceError(f"the engines cannot be asked: {lines[-1]}", REINSTALL) from exc
    devices = [FoundDevice(engine, word, label, tuple(p)) for engine, word, label, p in found]
    return devices, {name: (message, hint) for name, (message, hint) in problems.items()}


Probe = Callable[[], tuple[list[FoundDevice], dict[str, tuple[str, str]]]]


def check_engine(
    probe: Callable[[], list[str]] = probe_tensorflow,
    nvidia: Callable[[], list[str]] = nvidia_gpus,
    system: str = sys.platform,
    devices: Probe = probe_devices,
    chips: Callable[[], Sequence[Chip]] = find_chips,
) -> Iterator[Finding]:
    """Check that the engines start, which GPUs and NPUs they can use, and what others lack.

    Args:
        probe: Returns the names of the GPUs that TensorFlow can use, or raises a `ModelError`.
        nvidia: Returns the names of the GPUs that NVIDIA's driver knows.
        system: A name as in `sys.platform`.
        devices: Returns the devices of the other engines.
        chips: Returns the chips that the system knows.
    """
    try:
        gpus = probe()
    except ModelError as exc:
        yield Finding("engine", Severity.FAULT, exc.message, exc.hint)
        gpus = []
    else:
        yield Finding("engine", Severity.OK, "TensorFlow and tensorflow-hub start")
    usable = [FoundDevice("TensorFlow", "gpu", name, ()) for name in gpus]
    try:
        others, problems = devices()
    except DeviceError as exc:
        yield Finding("engine", Severity.NOTE, exc.message, exc.hint)
    else:
        if "openvino" in problems:  # the others are optional
            yield Finding("engine", Severity.NOTE, *problems["openvino"])
        elif any(each.engine == "OpenVINO" for each in others):
            yield Finding("engine", Severity.OK, "OpenVINO starts")
        usable += [each for each in others if each.word != "cpu"]
    for each in usable:
        formats = f", in {' or '.join(each.precisions)}" if each.precisions else ""
        text = f"{each.label}: --device {each.word} with {each.engine}{formats}"
        yield Finding(each.word.partition(":")[0], Severity.OK, text)
    unused = list(_unused_chips(usable, nvidia(), chips()))
    for chip in unused:
        text = f"{chip.name} is here, but no engine can use it"
        yield Finding(chip.kind, Severity.NOTE, text, advise(chip, system))
    if not usable and not unused:
        yield Finding("gpu", Severity.NOTE, "there is no GPU or NPU to use, so the CPU is used")


def _unused_chips(
    usable: Sequence[FoundDevice], nvidia: Sequence[str], chips: Sequence[Chip]
) -> Iterator[Chip]:
    """Yield the chips of known makers that none of the devices is."""
    named = [Chip("gpu", "NVIDIA", name) for name in nvidia]
    rest = [chip for chip in chips if chip.maker and not (named and chip.maker == "NVIDIA")]
    for chip in (*named, *rest):
        same_kind = [each for each in usable if each.word.partition(":")[0] == chip.kind]
        if not any(chip.maker.lower() in each.label.lower() for each in same_kind):
            yield chip
