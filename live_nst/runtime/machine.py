"""Describe the machine and the versions that figures were measured with.

Nothing here needs /proc, which some containers lack.
"""

import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_PACKAGES = (
    *("live-nst", "openvino", "tensorflow", "opencv-python", "numpy"),
    *("onnxruntime", "onnxruntime-gpu", "onnxruntime-windowsml"),
)
_INSTRUCTIONS = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "asimd",
    "bf16",
)
"""Instruction sets that make networks faster."""
_CPUINFO = Path("/proc/cpuinfo")
_IMPORTED = time.time()
_core_limit: int | None = None  # of this process


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, memory, system and versions of packages, ready for JSON."""
    return {
        "processor": processor(),
        "instructions": instructions(),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(total_memory() / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := installed_version(name))},
    }


def limit_cores(number: int) -> None:
    """Use at most so many cores in this process, for what is created from now on.

    Several processes that paint on one machine would otherwise start threads for all cores each.
    """
    global _core_limit
    import cv2

    _core_limit = max(1, number)
    cv2.setNumThreads(_core_limit)


def core_limit() -> int | None:
    """Return how many cores `limit_cores` allows; None if it was not called."""
    return _core_limit


def available_cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return min(cores, _core_limit or cores)


def physical_cores() -> int:
    """Return how many cores the processors have, as far as that is known, within the limit."""
    import psutil

    try:
        cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    except OSError:
        cores = os.cpu_count() or 1
    return min(cores, _core_limit or cores)


def total_memory() -> int:
    """Return the size of the memory in bytes."""
    import psutil

    try:
        return psutil.virtual_memory().total
    except OSError:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def free_memory() -> int:
    """Return how much memory programs can still take, in bytes; half of all if it is unknown."""
    import psutil

    try:
        return psutil.virtual_memory().available
    except OSError:
        return total_memory() // 2


def process_age() -> float:
    """Return the seconds since this process started; since its Python code did if unknown."""
    import psutil

    try:
        started = psutil.Process().create_time()
    except (psutil.Error, OSError):
        started = _IMPORTED
    return time.time() - started


def processor(cpuinfo: Path = _CPUINFO) -> str:
    """Return the name of the processor, as far as the system knows it."""
    return _field(cpuinfo, "model name") or platform.processor() or platform.machine()


def instructions(cpuinfo: Path = _CPUINFO) -> list[str]:
    """Return the instruction sets that make networks faster; empty if the system has no list."""
    flags = (_field(cpuinfo, "flags") or _field(cpuinfo, "Features")).split()
    return [flag for flag in _INSTRUCTIONS if flag in flags]


def installed_version(package: str) -> str | None:
    """Return the version of an installed package; None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _field(cpuinfo: Path, name: str) -> str:
    """Return the first value of a field; "" if there is none."""
    try:
        lines = cpuinfo.read_text("utf-8").splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip() == name), "")
