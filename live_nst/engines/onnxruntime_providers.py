"""ONNX Runtime's execution providers: which one runs the network, and with which settings.

ONNX Runtime itself falls back to the CPU without an error, for the whole model or for some of its
operations. Here neither happens: see `open_session`.
"""

import importlib.util
import os
import re
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from live_nst.errors import DeviceError, ModelError, UsageError
from live_nst.files.cache import cache_root
from live_nst.models.onnx.emit import ImageType, OnnxPrecision
from live_nst.runtime.chips import find_chips
from live_nst.runtime.onnxruntime import gpu_install_command, import_onnxruntime
from live_nst.runtime.tensorflow import DEBUG_VARIABLE, has_gpu_driver
from live_nst.types import Precision

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
DIRECTML = "DmlExecutionProvider"
COREML = "CoreMLExecutionProvider"

_LABELS = {CPU: "CPU", CUDA: "CUDA", TENSORRT: "TensorRT", DIRECTML: "DirectML", COREML: "CoreML"}
_GPU = re.compile(r"gpu(?::(\d+))?")
_CPU_HINT = "use --device cpu, or another --engine"
_DIRECTML_LOCK = Lock()
"""Held while DirectML runs. It allows one call per session at a time, and on some drivers two
sessions at once end the process."""


@dataclass(frozen=True)
class Provider:
    """An execution provider, and which of its devices.

    Attributes:
        name: ONNX Runtime's name for it.
        index: The number of the device among those of the provider.
    """

    name: str = CPU
    index: int = 0

    @property
    def place(self) -> str:
        """The kind of its device: "cpu" or "gpu"."""
        return "cpu" if self.name == CPU else "gpu"

    @property
    def label(self) -> str:
        """Its name for people."""
        return _LABELS[self.name]

    @property
    def images(self) -> ImageType:
        """How frames are passed to it: bytes are faster, but CoreML takes none."""
        return "float32" if self.name == COREML else "uint8"

    def exclusive(self) -> AbstractContextManager[Any]:
        """Return a context in which a model may run."""
        return _DIRECTML_LOCK if self.name == DIRECTML else nullcontext()


def pick_provider(
    device: str,
    *,
    available: Callable[[], list[str]] | None = None,
    has_nvidia: Callable[[], bool] = has_gpu_driver,
    system: str = sys.platform,
) -> Provider:
    """Return the execution provider for a device.

    Args:
        device: auto, cpu, gpu, or gpu:N.
        available: Returns the providers of the installed ONNX Runtime, in any order.
        has_nvidia: Returns whether NVIDIA's driver is there.
        system: A name as in `sys.platform`.

    Raises:
        UsageError: `device` is something else.
        DeviceError: ONNX Runtime is not installed, or not for a GPU of this machine.
    """
    wanted = _GPU.fullmatch(device)
    if device not in ("auto", "cpu") and wanted is None:
        raise UsageError(
            f"The engine onnxruntime does not run on device {device!r}.", "use auto, cpu or gpu"
        )
    names = (available or import_onnxruntime().get_available_providers)()
    if device == "cpu":
        return Provider()
    index = int(wanted[1] or 0) if wanted else 0
    if CUDA in names and has_nvidia():
        return Provider(CUDA, index)
    if DIRECTML in names:
        return Provider(DIRECTML, index)
    if COREML in names:
        if index:
            raise DeviceError("CoreML knows one GPU only.", "use --device gpu")
        return Provider(COREML)
    if wanted is None:
        return Provider()
    if CUDA in names:
        raise DeviceError(
            "NVIDIA's driver is not installed, without which ONNX Runtime finds no GPU.",
            f"install the driver and check `nvidia-smi`, or {_CPU_HINT}",
        )
    raise DeviceError(
        "The installed ONNX Runtime is for the CPU only.",
        f"install the one for GPUs with: {gpu_install_command(system)}, or {_CPU_HINT}",
    )


def pick_precision(wanted: str, provider: Provider) -> OnnxPrecision:
    """Return the precision of frame programs.

    Args:
        wanted: auto, float32, bfloat16 or float16.
        provider: The provider that runs them.

    Raises:
        UsageError: The provider does not compute in that precision.
    """
    if wanted == "auto":
        return "float32" if provider.place == "cpu" else "float16"
    if wanted == "float32" or (wanted == "float16" and provider.place == "gpu"):
        return "float16" if wanted == "float16" else "float32"
    hint = "use --precision float32" if provider.place == "cpu" else "use float32 or float16"
    raise UsageError(
        f"The engine onnxruntime does not support {wanted} on a {provider.place.upper()}.", hint
    )


def device_name(provider: Provider) -> str:
    """Return "cpu", or the name of the GPU and of the provider: "AMD Radeon 780M (DirectML)"."""
    if provider.name == CPU:
        return "cpu"
    name = "Apple GPU" if provider.name == COREML else _gpu_name(provider)
    return f"{name} ({provider.label})"


def count_gpus(provider: Provider) -> int:
    """Return how many GPUs a provider can use, as far as ONNX Runtime or the system knows."""
    if provider.name == COREML:
        return 1
    chips = [chip for chip in find_chips() if chip.kind == "gpu"]
    if provider.name == CUDA:
        chips = [chip for chip in chips if chip.maker == "NVIDIA"]
    return max(1, len(_listed_gpus(provider)), len(chips))


def _listed_gpus(provider: Provider) -> list[Any]:
    listed: list[Any] = getattr(import_onnxruntime(), "get_ep_devices", list)()
    return [each.device for each in listed if each.ep_name == provider.name]


def _gpu_name(provider: Provider) -> str:
    """Return the name of a GPU as far as ONNX Runtime knows it."""
    gpus = _listed_gpus(provider)
    if provider.index >= len(gpus):
        return f"GPU {provider.index}"
    device = gpus[provider.index]
    return str(device.metadata.get("Description") or f"{device.vendor} GPU".strip())


@dataclass(frozen=True)
class SessionSettings:
    """What `open_session` gives ONNX Runtime.

    Attributes:
        providers: Names and options, the preferred one first.
        entries: Entries of the session's configuration.
        memory_pattern: Whether memory is planned in advance.
    """

    providers: list[tuple[str, dict[str, Any]]]
    entries: dict[str, str] = field(default_factory=dict)
    memory_pattern: bool = True


def session_settings(
    provider: Provider, precision: Precision, *, has_tensorrt: bool | None = None
) -> SessionSettings:
    """Return the settings of a session.

    Args:
        provider: Runs the model.
        precision: Precision of the model.
        has_tensorrt: Whether TensorRT is installed; None to look for it.
    """
    # Threads that wait in a loop take a fifth more of the processor, and gain nothing.
    entries = {"session.intra_op.allow_spinning": "0"}
    if provider.name == CPU:
        return SessionSettings([(CPU, {})], entries)
    # Then opening a session fails where a part of the model would run on the CPU.
    entries["session.disable_cpu_ep_fallback"] = "1"
    if provider.name == DIRECTML:
        options: dict[str, Any] = {"device_id": provider.index}
        return SessionSettings([(DIRECTML, options)], entries, memory_pattern=False)
    if provider.name == COREML:
        options = {
            "ModelFormat": "MLProgram",
            "MLComputeUnits": "ALL",
            "RequireStaticInputShapes": "1",
            "ModelCacheDirectory": _cache_folder("coreml"),  # "" is none, as by default
        }
        return SessionSettings([(COREML, options)], entries)
    # Otherwise CUDA rounds the factors of float32 products to 10 bits.
    options = {"device_id": provider.index, "use_tf32": 0}
    providers = [(CUDA, options)]
    if has_tensorrt is None:
        has_tensorrt = importlib.util.find_spec("tensorrt") is not None
    if has_tensorrt and precision == "float16":  # in float32 it would round as CUDA does
        folder = _cache_folder("tensorrt")
        tensorrt: dict[str, Any] = {
            "device_id": provider.index,
            "trt_fp16_enable": True,
            "trt_engine_cache_enable": bool(folder),
            "trt_engine_cache_path": folder,
            "trt_timing_cache_enable": bool(folder),
            "trt_timing_cache_path": folder,
        }
        providers.insert(0, (TENSORRT, tensorrt))
    return SessionSettings(providers, entries)


def open_session(model: bytes, provider: Provider, precision: Precision = "float32") -> Any:
    """Return an `onnxruntime.InferenceSession` that runs on one provider and nowhere else.

    Args:
        model: A serialized `onnx.ModelProto`.
        provider: Runs the model.
        precision: Precision of the model.

    Raises:
        DeviceError: The provider cannot run, or not all of the model.
        ModelError: ONNX Runtime refuses the model.
    """
    runtime = import_onnxruntime()
    settings = session_settings(provider, precision)
    options = runtime.SessionOptions()
    if not os.environ.get(DEBUG_VARIABLE):
        options.log_severity_level = 4  # what is wrong is raised as well
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_mem_pattern = settings.memory_pattern
    for key, value in settings.entries.items():
        options.add_session_config_entry(key, value)
    if provider.name == CUDA and hasattr(runtime, "preload_dlls"):
        runtime.preload_dlls()  # CUDA's libraries may come from pip
    try:
        session = runtime.InferenceSession(
            model, options, providers=settings.providers, enable_fallback=0
        )
    except Exception as exc:  # its errors have no base of their own
        raise _session_error(exc, provider) from exc
    missing = [name for name, _ in settings.providers if name not in session.get_providers()]
    if missing:
        labels = " and ".join(_LABELS[name] for name in missing)
        raise DeviceError(f"{labels} cannot be used here.", _provider_hint(missing[0]))
    return session


def run_error(exc: Exception, provider: Provider) -> DeviceError:
    """Return the error of a session that failed while it ran."""
    return DeviceError(f"{provider.label} failed: {_first_line(exc)}", _CPU_HINT)


def _session_error(exc: Exception, provider: Provider) -> DeviceError | ModelError:
    if provider.name == CPU:
        return ModelError(f"ONNX Runtime refuses the model: {_first_line(exc)}", "")
    if "fallback to CPU EP has been explicitly disabled" in str(exc):
        return DeviceError(
            f"{provider.label} cannot run all of this model, and the rest would run on the CPU.",
            f"use --model mobile, or {_CPU_HINT}",
        )
    return DeviceError(
        f"{provider.label} cannot be used here: {_first_line(exc)}", _provider_hint(provider.name)
    )


def _provider_hint(name: str) -> str:
    if name == TENSORRT:
        return "install the TensorRT that this ONNX Runtime needs, or: pip uninstall tensorrt"
    if name == CUDA:
        return f"install CUDA and cuDNN with: {gpu_install_command('linux')}, or {_CPU_HINT}"
    return f"update the graphics driver, or {_CPU_HINT}"


def _cache_folder(name: str) -> str:
    """Return the folder of a provider's own cache; "" if it cannot be made."""
    folder = cache_root() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return ""
    return str(folder)


def _first_line(exc: Exception) -> str:
    return (str(exc).strip().splitlines() or [type(exc).__name__])[0]
