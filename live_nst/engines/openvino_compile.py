"""Compile models with OpenVINO, keep what was compiled, and explain its errors."""

import os
from pathlib import Path
from typing import Any

from live_nst.engines.kind import ComputeDevice
from live_nst.errors import DeviceError, ModelError
from live_nst.files.cache import cache_root
from live_nst.runtime.machine import core_limit, physical_cores
from live_nst.runtime.openvino import openvino_core
from live_nst.types import Precision

MAX_CACHED = 32
"""How many compiled programs the cache keeps: 1 MB each for the packaged model, 30 for Hub's."""

_HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


def compile_model(
    model: Any, precision: Precision, streams: int, device: str = "CPU", *, cached: bool = True
) -> Any:
    """Return an `openvino.CompiledModel`.

    Args:
        model: An `openvino.Model`.
        precision: The precision to compute in.
        streams: How many programs run at once and share the device.
        device: OpenVINO's name of the device.
        cached: Keep what was compiled, which saves most of the time at the next start.

    Raises:
        RuntimeError: OpenVINO refuses it; see `model_error`.
    """
    config: dict[str, str | int] = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        # On a GPU, THROUGHPUT would collect frames into batches, which waits for the next frame
        # (OpenVINO's page "GPU Device", "Automatic Batching").
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 or device != "CPU" else "THROUGHPUT",
    }
    if device == "CPU":
        config["NUM_STREAMS"] = min(streams, physical_cores())
        limit = core_limit()
        if limit is not None:  # the result does not depend on the number of threads
            config["INFERENCE_NUM_THREADS"] = limit
    elif _can_set(device, "NUM_STREAMS"):
        most = openvino_core().get_property(device, "RANGE_FOR_STREAMS")[1]
        config["NUM_STREAMS"] = min(streams, int(most))
    folder = _compiled_folder() if cached else None
    if folder is not None:
        config["CACHE_DIR"] = str(folder)
    return openvino_core().compile_model(model, device, config)


def _can_set(device: str, name: str) -> bool:
    """Return whether a property of a device may be set; an NPU's NUM_STREAMS may not."""
    properties = openvino_core().get_property(device, "SUPPORTED_PROPERTIES")
    return bool(properties.get(name) == "RW")


def _compiled_folder() -> Path | None:
    """Return the folder of OpenVINO's cache, which saves most of the time to compile.

    The oldest files are deleted. None if the folder cannot be written.
    """
    folder = cache_root() / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted((path.stat().st_mtime, path) for path in folder.iterdir())
        for _, path in files[:-MAX_CACHED]:
            path.unlink(missing_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def execution_precision(compiled: Any, asked: Precision) -> Precision:
    """Return the precision that OpenVINO chose for the first convolution.

    The graph that an NPU shows has none: its plugin returns only inputs and outputs
    (`CompiledModel::get_runtime_model` in OpenVINO's sources). Then the one that was asked for
    counts: an NPU has only one.
    """
    for node in compiled.get_runtime_model().get_ops():
        info = node.get_rt_info()
        if "layerType" in info and info["layerType"].astype(str) == "Convolution":
            word = info["runtimePrecision"].astype(str)
            return next(name for name, hint in _HINTS.items() if hint == word)
    return asked


def model_error(message: str, exc: RuntimeError, device: ComputeDevice) -> ModelError:
    """Return the error of a model that a device cannot run; `message` says what was tried."""
    if device.word == "cpu":
        return ModelError(f"{message}: {_reason(exc)}", "choose another --size")
    hint = "choose a smaller --size, or use --device cpu"
    return ModelError(f"{message} on {device.label}: {_reason(exc)}", hint)


def device_error(device: ComputeDevice, exc: RuntimeError) -> DeviceError:
    """Return the error of a device that fails while it computes."""
    name = "The processor" if device.word == "cpu" else device.label
    hint = "" if device.word == "cpu" else "start again, with --device cpu if it happens again"
    return DeviceError(f"{name} could not compute a frame: {_reason(exc)}", hint)


def _reason(exc: RuntimeError) -> str:
    """Return the last line of OpenVINO's message, without its places in the source."""
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("Exception from", "Check '"))]
    return (said or lines or [type(exc).__name__])[-1]
