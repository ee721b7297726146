"""Check the processor, TensorFlow and the GPU."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from live_nst.doctor.finding import REINSTALL, Finding, Severity
from live_nst.errors import ModelError
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


def check_engine(
    probe: Callable[[], list[str]] = probe_tensorflow,
    nvidia: Callable[[], list[str]] = nvidia_gpus,
    system: str = sys.platform,
) -> Iterator[Finding]:
    """Check that TensorFlow and tensorflow-hub start, and which GPUs they can use.

    Args:
        probe: Returns the names of the GPUs that TensorFlow can use, or raises a `ModelError`.
        nvidia: Returns the names of the GPUs that NVIDIA's driver knows.
        system: A name as in `sys.platform`.
    """
    try:
        gpus = probe()
    except ModelError as exc:
        yield Finding("engine", Severity.FAULT, exc.message, exc.hint)
        return
    yield Finding("engine", Severity.OK, "TensorFlow and tensorflow-hub start")
    if gpus:
        yield Finding("gpu", Severity.OK, ", ".join(gpus))
        return
    unused = nvidia()
    if not unused:
        yield Finding("gpu", Severity.NOTE, "TensorFlow finds no GPU, so the CPU is used")
        return
    text = f"{', '.join(unused)} is here, but TensorFlow cannot use it, so the CPU is used"
    hint = "pip install 'live-nst[gpu]'"
    if system == "win32":
        hint = "TensorFlow uses GPUs only in WSL2 on Windows: install live-nst there"
    yield Finding("gpu", Severity.NOTE, text, hint)
