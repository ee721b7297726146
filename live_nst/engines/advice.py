"""What to install so that an engine can use a chip; `doctor` and errors say it.

For Intel's chips by OpenVINO's pages "Configurations for Intel Processor Graphics (GPU)" and
"Configurations for Intel NPU".
"""

import sys

from live_nst.runtime.chips import Chip

_RENDER_GROUP = "then: sudo usermod -aG render $USER, and log in again"
_INTEL_GPU = {
    "linux": "install Intel's GPU driver: sudo apt install intel-opencl-icd (Debian, Ubuntu) or "
    f"sudo dnf install intel-compute-runtime (Fedora); {_RENDER_GROUP}",
    "win32": "install Intel's graphics driver: https://www.intel.com/download-center",
}
_INTEL_NPU = {
    "linux": "install Intel's NPU driver (Linux 6.6 or newer): "
    f"https://github.com/intel/linux-npu-driver/releases; {_RENDER_GROUP}",
    "win32": "install Intel's NPU driver by Windows Update",
}
_WINDOWS = "pip install 'live-nst[windows]', then --engine onnxruntime"
_APPLE = "pip install 'live-nst[onnxruntime]', then --engine onnxruntime"


def advise(chip: Chip, system: str = sys.platform) -> str:
    """Return how a chip becomes usable that no engine can use now, with the command to install it.

    Args:
        chip: The chip.
        system: A name as in `sys.platform`.

    Returns:
        A part of a sentence; "" if no engine can use the chip on that system.
    """
    if chip.maker == "Intel":
        return (_INTEL_GPU if chip.kind == "gpu" else _INTEL_NPU).get(system, "")
    if chip.maker == "Apple":
        return _APPLE
    if system == "win32" and chip.kind == "gpu":
        wsl = " (or in WSL2: pip install 'live-nst[gpu]')" if chip.maker == "NVIDIA" else ""
        return _WINDOWS + wsl
    if system == "linux" and chip.maker == "NVIDIA":
        return (
            "check `nvidia-smi`, then: pip install 'live-nst[gpu]' (TensorFlow), or: "
            "pip install 'live-nst[cuda-onnx]', then --engine onnxruntime"
        )
    return ""
