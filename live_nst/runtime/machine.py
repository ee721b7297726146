"""What figures were measured on."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

_PACKAGES = ("live-nst", "openvino", "tensorflow", "opencv-python", "numpy")
_WIDE = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "asimd",
    "bf16",
)


def describe_machine() -> dict[str, Any]:
    """Processor, cores, memory, system and the versions of what computes; ready for JSON."""
    return {
        "processor": processor(),
        "instructions": instructions(),
        "cores": psutil.cpu_count(logical=True) or 1,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Its name, as far as the system tells it."""
    return _field(cpuinfo, "model name") or platform.processor() or platform.machine()


def instructions(cpuinfo: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Those that make networks fast; empty where the system does not tell."""
    flags = (_field(cpuinfo, "flags") or _field(cpuinfo, "Features")).split()
    return [flag for flag in _WIDE if flag in flags]


def _field(cpuinfo: Path, name: str) -> str:
    """The first value of `name`."""
    try:
        lines = cpuinfo.read_text("utf-8").splitlines()
    except OSError:
        return ""
    pairs = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in pairs if key.strip() == name), "")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
