"""Which GPUs TensorFlow can use, asked without importing it into this process."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence

from live_nst.errors import ModelError

REINSTALL = "install live-nst again, best in a fresh virtual environment"
"""The way out of a broken installation."""

PROBE_SECONDS = 180.0
"""How long TensorFlow may take to start; it needs 5 seconds on a good day."""

_PROBE = """
import json
from live_nst.runtime.tensorflow import tensorflow, tensorflow_hub
tensorflow_hub()
config = tensorflow().config
gpus = config.list_physical_devices("GPU")
details = [config.experimental.get_device_details(gpu) for gpu in gpus]
print(json.dumps([each.get("device_name", gpu.name) for each, gpu in zip(details, gpus)]))
"""


def probe_tensorflow(
    command: Sequence[str] = (sys.executable, "-P", "-c", _PROBE), timeout: float = PROBE_SECONDS
) -> list[str]:
    """Start TensorFlow in a process of its own, which a broken one may bring down.

    Args:
        command: What to run; it prints the GPUs' names as JSON in its last line.
        timeout: Seconds.

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
    """The names of the GPUs that NVIDIA's driver knows; empty without that driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    command = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []  # no GPU, or a driver that does not run
    return done.stdout.split("\n")[:-1]
