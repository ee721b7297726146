"""The devices that OpenVINO can use: the processor, Intel's GPUs and Intel's NPU."""

import re
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from live_nst.engines.advice import advise
from live_nst.engines.kind import ComputeDevice, listed
from live_nst.errors import DeviceError
from live_nst.runtime.chips import Chip, may_have_intel_accelerator
from live_nst.runtime.device_words import gpu_word
from live_nst.runtime.openvino import openvino_core
from live_nst.types import Precision

_CAPABILITIES: dict[Precision, str] = {"float32": "FP32", "bfloat16": "BF16", "float16": "FP16"}
_TRADEMARKS = re.compile(r"\((R|TM|C)\)|\((iGPU|dGPU)\)", re.IGNORECASE)


@cache
def openvino_devices() -> tuple[ComputeDevice, ...]:
    """Return the devices that OpenVINO can use here, the processor last.

    Raises:
        DeviceError: OpenVINO cannot be used here.
    """
    core = openvino_core()
    names = list(core.available_devices) if may_have_intel_accelerator() else ["CPU"]
    return describe_devices(core, names)


def describe_devices(core: Any, names: Sequence[str]) -> tuple[ComputeDevice, ...]:
    """Return the usable devices among `names`, the processor last.

    Args:
        core: An `openvino.Core`.
        names: Such as `core.available_devices` gives them: "CPU", "GPU" or "GPU.0", "GPU.1", "NPU".
    """
    found = []
    for name in names:
        kind, _, suffix = name.partition(".")
        if kind not in ("GPU", "NPU") or (suffix and not suffix.isdigit()):
            continue
        device = _describe(core, name, gpu_word(int(suffix or 0)) if kind == "GPU" else "npu")
        if device is not None:
            found.append(device)
    processor = _describe(core, "CPU", "cpu")
    return (*found, processor) if processor else tuple(found)


def cpu_device() -> ComputeDevice:
    """Return the processor.

    Raises:
        DeviceError: OpenVINO cannot be used here.
    """
    return openvino_devices()[-1]


def _describe(core: Any, name: str, word: str) -> ComputeDevice | None:
    """Return a device; None if its driver gives no answer or no number format is ours."""
    try:
        capabilities = core.get_property(name, "OPTIMIZATION_CAPABILITIES")
        label = "cpu" if word == "cpu" else plain_name(core.get_property(name, "FULL_DEVICE_NAME"))
    except RuntimeError:
        return None
    native = tuple(each for each, capability in _CAPABILITIES.items() if capability in capabilities)
    if word == "npu":
        # "Computation precision for the HW is FP16" (OpenVINO's page "NPU Device").
        native = tuple(each for each in native if each == "float16")
    if not native:
        return None
    return ComputeDevice(word, label, name, native, _preferred(word, native), _driver(core, name))


def _preferred(word: str, native: tuple[Precision, ...]) -> Precision:
    """Return what is fastest: a processor emulates float16, a GPU computes it at double speed."""
    fast: Precision = "bfloat16" if word == "cpu" else "float16"
    return fast if fast in native else native[0]


def _driver(core: Any, name: str) -> str:
    """Return the versions of drivers that a device tells, such as NPU_DRIVER_VERSION."""
    if name == "CPU":
        return ""
    try:
        properties = core.get_property(name, "SUPPORTED_PROPERTIES")
        versions = [each for each in properties if "DRIVER_VERSION" in each]
        return " ".join(str(core.get_property(name, each)) for each in sorted(versions))
    except RuntimeError:
        return ""


def plain_name(full_name: str) -> str:
    """Return "Intel Iris Xe Graphics" for "Intel(R) Iris(R) Xe Graphics (iGPU)"."""
    return " ".join(_TRADEMARKS.sub(" ", full_name).split())


def missing_device(
    word: str, devices: Sequence[ComputeDevice], chips: Sequence[Chip], system: str = sys.platform
) -> DeviceError:
    """Return the error for a device that OpenVINO does not find.

    Args:
        word: Its word: "gpu", "gpu:1" or "npu".
        devices: What OpenVINO finds.
        chips: What the system knows of.
        system: A name as in `sys.platform`.
    """
    kind = word.partition(":")[0]
    named = {"gpu": "GPU", "npu": "NPU"}[kind]
    there = [f"{each.word} ({each.label})" for each in devices if each.word != "cpu"]
    known = f"devices here: {', '.join([*there, 'cpu'])}"
    if any(each.word.partition(":")[0] == kind for each in devices):
        return DeviceError(f"OpenVINO finds no {named} with the name {word}.", known)
    unused = [chip for chip in chips if chip.maker == "Intel" and chip.kind == kind]
    if unused:
        text = f"OpenVINO cannot use {listed([chip.name for chip in unused], 'and')}"
        hint = "; ".join(filter(None, (advise(unused[0], system), known)))
        return DeviceError(f"{text}: its driver is missing.", hint)
    return DeviceError(f"OpenVINO finds no Intel {named}.", f"use --device cpu; {known}")
