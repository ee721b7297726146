"""The one place where TensorFlow is imported: only when needed, and without its log messages."""

import ctypes
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from live_nst.errors import DeviceError, LiveNstError, UsageError
from live_nst.runtime.device_words import check_device, gpu_number
from live_nst.types import Precision

DEBUG_VARIABLE = "LIVE_NST_DEBUG"


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Discard what native libraries write to file descriptor 2, the user's terminal.

    TensorFlow logs before it reads its own log level, so no setting can silence it. If
    `LIVE_NST_DEBUG` is set, nothing is discarded.
    """
    if os.environ.get(DEBUG_VARIABLE):
        yield
        return
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)


@cache
def import_tensorflow() -> Any:
    """Return the module `tensorflow`, imported at the first call (3 to 5 seconds)."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_stderr():
        module: Any = importlib.import_module("tensorflow")
        for gpu in module.config.list_physical_devices("GPU"):
            # Otherwise TensorFlow takes all of the GPU's memory, and other programs get none.
            module.config.experimental.set_memory_growth(gpu, True)
    module.get_logger().setLevel("ERROR")
    return module


@cache
def import_tensorflow_hub() -> Any:
    """Return the module `tensorflow_hub`."""
    import_tensorflow()
    with quiet_stderr():
        return importlib.import_module("tensorflow_hub")


def has_gpu_driver() -> bool:
    """Return whether NVIDIA's driver is installed; without it TensorFlow finds no GPU."""
    library = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def gpu_names() -> list[str]:
    """Return the GPUs that TensorFlow can use: ["GPU:0", ...].

    Without a driver, TensorFlow is not imported.
    """
    if not has_gpu_driver():
        return []
    return [
        device.name.removeprefix("/physical_device:")
        for device in import_tensorflow().config.list_physical_devices("GPU")
    ]


def gpu_precisions(device: str) -> tuple[Precision, ...]:
    """Return the precisions for which a GPU has matrix units, float32 first.

    NVIDIA's GPUs have units for float16 since compute capability 7.0, and for bfloat16 since 8.0
    (CUDA C++ Programming Guide, "Compute Capabilities").

    Args:
        device: A name from `gpu_names`.
    """
    for gpu in import_tensorflow().config.list_physical_devices("GPU"):
        if gpu.name.endswith(device):
            details = import_tensorflow().config.experimental.get_device_details(gpu)
            capability = details.get("compute_capability", (0, 0))
            if capability >= (8, 0):
                return "float32", "float16", "bfloat16"
            if capability >= (7, 0):
                return "float32", "float16"
    return ("float32",)


def gpu_label(device: str) -> str:
    """Return a GPU's full name, such as "NVIDIA GeForce RTX 4070", or TensorFlow's name for it.

    Args:
        device: A name from `gpu_names`.
    """
    config = import_tensorflow().config
    for physical in config.list_physical_devices("GPU"):
        if physical.name.endswith(device):
            details = config.experimental.get_device_details(physical)
            return str(details.get("device_name", device))
    return device


def pick_device(wanted: str) -> str:
    """Return TensorFlow's name of a device.

    Args:
        wanted: auto, cpu, gpu or gpu:1, gpu:2, ...

    Raises:
        UsageError: `wanted` is invalid.
        DeviceError: `wanted` is a GPU, and TensorFlow finds none, or not so many.
    """
    wanted = check_device(wanted)
    gpus = [] if wanted == "cpu" else gpu_names()
    if wanted == "cpu" or (wanted == "auto" and not gpus):
        return "CPU:0"
    number = 0 if wanted == "auto" else gpu_number(wanted)
    if wanted != "npu" and number < len(gpus):
        return gpus[number]
    raise missing_device(wanted)


def missing_device(wanted: str) -> LiveNstError:
    """Return the error for a device that TensorFlow cannot use here."""
    if wanted == "npu":
        return UsageError("TensorFlow runs on no NPU.", "use auto, cpu or gpu")
    found = gpu_names()
    if found:
        count = "one GPU" if len(found) == 1 else f"{len(found)} GPUs"
        return DeviceError(f"TensorFlow finds only {count}.", "use --device gpu")
    return DeviceError(
        "TensorFlow finds no GPU that it can use.",
        "install the GPU build with: pip install 'live-nst[gpu]', check `nvidia-smi`, "
        "or use --device cpu",
    )
