"""ONNX Runtime as it behaves on machines that tests do not run on.

Each behavior is a statement of its documentation:

- onnxruntime.ai/docs/execution-providers: a provider that is built in is listed as available
  whether its device is there or not; operations that it lacks run on the CPU.
- onnxruntime.ai/docs/api/python, InferenceSession: without `enable_fallback=0` a session that
  cannot be created is created again on the CPU, and that is printed, not raised.
- onnxruntime_session_options_config_keys.h, `session.disable_cpu_ep_fallback`: with "1", creating
  a session fails if an operation is assigned to the CPU, and if the CPU is asked for as well.
- onnxruntime.ai/docs/execution-providers/DirectML-ExecutionProvider.html, "Configuration Options":
  memory patterns and parallel execution must be disabled, or an error is returned; only one thread
  may call `Run` at a time.
"""

import threading
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

CPU = "CPUExecutionProvider"


class Fail(Exception):
    """Like the errors of ONNX Runtime, which have no base but `Exception`."""


@dataclass
class FakeOnnxRuntime:
    """The module `onnxruntime` of one machine.

    Attributes:
        available: The providers that are built in, without the CPU's.
        broken: Providers whose libraries or devices are missing.
        partial: Providers that lack an operation of the model.
        names: The names of the GPUs of each provider.
        fails_running: Whether the device fails when a model runs.
    """

    available: list[str]
    broken: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    names: dict[str, list[str]] = field(default_factory=dict)
    fails_running: bool = False

    __version__ = "1.30.0"
    ExecutionMode = SimpleNamespace(ORT_SEQUENTIAL="sequential", ORT_PARALLEL="parallel")

    def __post_init__(self) -> None:
        self.sessions: list[FakeSession] = []
        self.preloaded = 0
        self.running = threading.Lock()

    def get_available_providers(self) -> list[str]:
        return [*self.available, CPU]

    def get_ep_devices(self) -> list[Any]:
        return [
            SimpleNamespace(
                ep_name=provider,
                device=SimpleNamespace(metadata={"Description": name}, vendor="Somebody"),
            )
            for provider, names in self.names.items()
            for name in names
        ]

    def preload_dlls(self) -> None:
        self.preloaded += 1

    class SessionOptions:
        log_severity_level = 2
        execution_mode = "sequential"
        enable_mem_pattern = True

        def __init__(self) -> None:
            self.entries: dict[str, str] = {}

        def add_session_config_entry(self, key: str, value: str) -> None:
            self.entries[key] = value

    def InferenceSession(
        self,
        model: bytes,
        options: Any,
        *,
        providers: list[tuple[str, dict[str, Any]]],
        enable_fallback: int = 1,
    ) -> "FakeSession":
        try:
            session = FakeSession(self, options, providers)
        except Fail:
            if not enable_fallback:
                raise
            session = FakeSession(self, type(options)(), [(CPU, {})])
        self.sessions.append(session)
        return session


class FakeSession:
    def __init__(
        self, runtime: FakeOnnxRuntime, options: Any, providers: list[tuple[str, dict[str, Any]]]
    ) -> None:
        self.runtime, self.options, self.asked = runtime, options, providers
        names = [name for name, _ in providers]
        if "DmlExecutionProvider" in names and (
            options.enable_mem_pattern or options.execution_mode != "sequential"
        ):
            raise Fail("DirectML supports neither memory patterns nor parallel execution")
        self.used = [name for name in names if name not in runtime.broken]
        strict = options.entries.get("session.disable_cpu_ep_fallback") == "1"
        if strict and CPU in names:
            raise Fail("explicitly added the CPU EP to the session, but also disabled fallback")
        if strict and (not self.used or self.used[0] in runtime.partial):
            raise Fail("... but fallback to CPU EP has been explicitly disabled by the user.")

    def get_providers(self) -> list[str]:
        return [*self.used, CPU]

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="image"), SimpleNamespace(name="style")]

    def run(self, outputs: None, feeds: dict[str, Any]) -> list[Any]:
        if not self.runtime.running.acquire(blocking=False):
            raise Fail("two calls of Run at once")
        try:
            if self.runtime.fails_running:
                raise Fail("device removed\nsomewhere in C++")
            threading.Event().wait(0.002)  # long enough for another thread to come in
            return [np.array(feeds["image"])]
        finally:
            self.runtime.running.release()
