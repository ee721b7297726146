"""A stand-in for `openvino.Core` with devices that this machine lacks.

What a device says of itself and which properties it takes follow OpenVINO's documentation (pages
"GPU Device", "NPU Device" and "Query Device Properties"). What it computes is computed for real, by
the CPU plugin in float32.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from live_nst.engines import openvino_compile, openvino_devices
from live_nst.runtime.openvino import openvino_core


@dataclass
class FakeDevice:
    """A device.

    Attributes:
        full_name: What FULL_DEVICE_NAME says.
        capabilities: What OPTIMIZATION_CAPABILITIES says.
        properties: Properties with "RW" or "RO".
        executes: The precision in the graph of a compiled model; None for no graph.
        streams: What RANGE_FOR_STREAMS says.
        values: Of further properties.
        refuses: Raised instead of compiling.
        fails: Raised instead of inferring, from the given call on.
    """

    full_name: str
    capabilities: tuple[str, ...]
    properties: dict[str, str]
    executes: str | None
    streams: tuple[int, int] = (1, 2)
    values: dict[str, Any] = field(default_factory=dict)
    refuses: RuntimeError | None = None
    fails: tuple[int, RuntimeError] | None = None


_COMMON = {"INFERENCE_PRECISION_HINT": "RW", "PERFORMANCE_HINT": "RW", "CACHE_DIR": "RW"}


def gpu(name: str = "Intel(R) Iris(R) Xe Graphics (iGPU)", **changes: Any) -> FakeDevice:
    """A GPU. "GPU supports f32 and f16" (page "Precision Control"); `ov::num_streams` is among its
    read-write properties (page "GPU Device")."""
    made = FakeDevice(name, ("FP32", "BIN", "FP16", "INT8"), _COMMON | {"NUM_STREAMS": "RW"}, "f16")
    return _changed(made, changes)


def npu(**changes: Any) -> FakeDevice:
    """An NPU. "Computation precision for the HW is FP16"; `ov::num_streams` and
    `ov::intel_npu::driver_version` are among its read-only properties (page "NPU Device")."""
    properties = _COMMON | {"NUM_STREAMS": "RO", "NPU_DRIVER_VERSION": "RO"}
    values = {"NPU_DRIVER_VERSION": 1688}
    made = FakeDevice("Intel(R) AI Boost", ("FP16", "INT8"), properties, None, values=values)
    return _changed(made, changes)


def _changed(device: FakeDevice, changes: dict[str, Any]) -> FakeDevice:
    for name, value in changes.items():
        setattr(device, name, value)
    return device


class FakeCore:
    """A core with the processor of this machine and other devices.

    Args:
        devices: By OpenVINO's names: "GPU" or "GPU.0", "GPU.1", "NPU".

    Attributes:
        compiled: The device and the configuration of every compilation.
    """

    def __init__(self, **devices: FakeDevice) -> None:
        self._devices = {name.replace("_", "."): device for name, device in devices.items()}
        self.compiled: list[tuple[str, dict[str, Any]]] = []

    @property
    def available_devices(self) -> list[str]:
        return ["CPU", *self._devices]

    def get_property(self, name: str, what: str) -> Any:
        if name == "CPU":
            return openvino_core().get_property(name, what)
        device = self._devices.get(name)
        if device is None:
            raise RuntimeError(f"Device with {name!r} name is not registered")
        known = {
            "FULL_DEVICE_NAME": device.full_name,
            "OPTIMIZATION_CAPABILITIES": list(device.capabilities),
            "SUPPORTED_PROPERTIES": device.properties,
            "RANGE_FOR_STREAMS": device.streams,
        } | device.values
        if known.get(what) is None:
            raise RuntimeError(f"Unsupported property {what}")
        return known[what]

    def compile_model(self, model: Any, name: str, config: dict[str, Any]) -> Any:
        self.compiled.append((name, dict(config)))
        if name == "CPU":
            return openvino_core().compile_model(model, name, config)
        device = self._devices[name]
        for key in config:
            if device.properties.get(key) != "RW":
                raise RuntimeError(f"Property {key} cannot be set")
        if device.refuses is not None:
            raise device.refuses
        real = openvino_core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return FakeCompiled(real, device)


class FakeCompiled:
    def __init__(self, real: Any, device: FakeDevice) -> None:
        self._real, self._device = real, device

    def create_infer_request(self) -> Any:
        request = self._real.create_infer_request()
        return request if self._device.fails is None else FakeRequest(request, *self._device.fails)

    def get_runtime_model(self) -> Any:
        return FakeGraph(self._device.executes)


class FakeRequest:
    """A request that fails from some call on."""

    def __init__(self, real: Any, good: int, error: RuntimeError) -> None:
        self._real, self._good, self._error = real, good, error

    def infer(self, *inputs: Any, **options: Any) -> Any:
        self._good -= 1
        if self._good < 0:
            raise self._error
        return self._real.infer(*inputs, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class FakeGraph:
    """The graph of a compiled model: each node tells its type and precision (header
    openvino/runtime/exec_model_info.hpp). That of an NPU has inputs and outputs only, without such
    notes (`CompiledModel::get_runtime_model` of the NPU's plugin)."""

    def __init__(self, precision: str | None) -> None:
        self._precision = precision

    def get_ops(self) -> list[Any]:
        if self._precision is None:
            return [FakeNode({})]
        kinds = ("Input", "Reorder", "Convolution", "Result")
        return [
            FakeNode({"layerType": kind, "runtimePrecision": self._precision}) for kind in kinds
        ]


class FakeNode:
    def __init__(self, info: dict[str, str]) -> None:
        self._info = {name: FakeAny(text) for name, text in info.items()}

    def get_rt_info(self) -> Any:
        return self._info


class FakeAny:
    def __init__(self, text: str) -> None:
        self._text = text

    def astype(self, kind: type) -> Any:
        return kind(self._text)


UseCore = Callable[[FakeCore], FakeCore]


@contextmanager
def replaced_core(monkeypatch: pytest.MonkeyPatch) -> Iterator[UseCore]:
    """Yield a function that puts a core in OpenVINO's place until the end of the test."""

    def use(core: FakeCore) -> FakeCore:
        for module in (openvino_compile, openvino_devices):
            monkeypatch.setattr(module, "openvino_core", lambda: core)
        monkeypatch.setattr(openvino_devices, "may_have_intel_accelerator", lambda: True)
        openvino_devices.openvino_devices.cache_clear()
        return core

    openvino_devices.openvino_devices.cache_clear()
    try:
        yield use
    finally:
        monkeypatch.undo()
        openvino_devices.openvino_devices.cache_clear()
