"""The one place where ONNX Runtime is imported, only when it is needed; and how to install it.

Several packages hold the module `onnxruntime`, each with other execution providers. Only one of
them can be installed at a time.
"""

import sys
from functools import cache
from typing import Any

from live_nst.errors import DeviceError
from live_nst.runtime.machine import installed_version

PACKAGES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-windowsml", "onnxruntime-directml")
"""The packages that hold the module `onnxruntime`."""

_GPU_EXTRAS = {
    "win32": ("windows", "onnxruntime-windowsml"),
    "darwin": ("onnxruntime", "onnxruntime"),
}
_LINUX_EXTRA = ("cuda-onnx", "onnxruntime-gpu")


@cache
def import_onnxruntime() -> Any:
    """Return the module `onnxruntime`, imported at the first call (0.4 seconds).

    Raises:
        DeviceError: ONNX Runtime is not installed or cannot be loaded.
    """
    try:
        import onnxruntime
    except (ImportError, OSError) as exc:
        hint = f"install it with: {cpu_install_command()}"
        if sys.platform != "darwin":
            hint += f" (for the CPU), or {gpu_install_command()} (for a GPU)"
        raise DeviceError(f"ONNX Runtime cannot be used here: {exc}.", hint) from exc
    return onnxruntime


def cpu_install_command() -> str:
    """Return the command that installs ONNX Runtime for the CPU."""
    return _pip("onnxruntime")


def gpu_install_command(system: str = sys.platform) -> str:
    """Return the command that installs ONNX Runtime for the GPUs of a system.

    Args:
        system: A name as in `sys.platform`.
    """
    extra, package = _GPU_EXTRAS.get(system, _LINUX_EXTRA)
    others = [name for name in PACKAGES if name != package and installed_version(name)]
    return f"pip uninstall -y {' '.join(others)} && {_pip(extra)}" if others else _pip(extra)


def _pip(extra: str) -> str:
    return f'pip install "live-nst[{extra}]"'  # the shells of Windows know double quotes only
