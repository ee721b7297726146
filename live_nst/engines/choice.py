"""Choose the engine that runs a model, its device and its precision."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

from live_nst.engines.advice import advise
from live_nst.engines.base import Engine
from live_nst.engines.kind import ComputeDevice, EngineKind, find_device, listed
from live_nst.engines.onnxruntime_kind import OnnxRuntimeKind
from live_nst.engines.openvino_kind import OpenVINOKind
from live_nst.engines.tensorflow_kind import TensorFlowKind
from live_nst.errors import DeviceError, LiveNstError, UsageError
from live_nst.models.program import SplitModel
from live_nst.runtime.chips import find_chips
from live_nst.runtime.device_words import check_device, describe_device
from live_nst.types import Precision

KINDS: dict[str, EngineKind] = {
    kind.name: kind for kind in (TensorFlowKind(), OpenVINOKind(), OnnxRuntimeKind())
}
"""All engines. Of those that can use an accelerator, the first one takes it."""
_AUTOMATIC = ("tensorflow", "openvino")
"""The engines that `auto` chooses from."""
_CPU_ORDER = ("openvino", "tensorflow")
"""The engines that `auto` takes on a processor, the fastest first."""

ENGINES = ("auto", *KINDS)
PRECISIONS = ("auto", *get_args(Precision))


@dataclass(frozen=True)
class EngineChoice:
    """An engine that can run here.

    Attributes:
        engine: Its word: "tensorflow", "openvino" or "onnxruntime".
        device: The word of its device: "cpu", "gpu", "gpu:1" or "npu".
        precision: Precision of frame programs.
        reason: Why it was chosen, as a part of a sentence for the user.
        label: Full name of the device.
        driver: Version of its driver, if that is known.
    """

    engine: str
    device: str
    precision: Precision
    reason: str
    label: str = "cpu"
    driver: str = ""

    def make(self, model: SplitModel, concurrency: int = 1) -> Engine:
        """Return the engine with a model; `concurrency` frames may run at once.

        Raises:
            DeviceError: The device has gone since it was chosen.
        """
        kind = KINDS[self.engine]
        device = find_device(kind, self.device)
        if device is None:
            raise kind.missing(self.device)
        return kind.make(model, device, self.precision, concurrency)

    @property
    def title(self) -> str:
        """The device for people: "CPU", "GPU (Intel Iris Xe Graphics)"."""
        name = describe_device(self.device)
        return name if self.device == "cpu" else f"{name} ({self.label})"


def choose_engine(
    engine: str = "auto", device: str = "auto", precision: str = "auto"
) -> EngineChoice:
    """Return the first of `engine_candidates`: the only one, except for an automatic device."""
    return engine_candidates(engine, device, precision)[0]


def engine_candidates(
    engine: str = "auto", device: str = "auto", precision: str = "auto"
) -> tuple[EngineChoice, ...]:
    """Return the engines that may be fastest here, within what the user asked for.

    There is one candidate for each device that `device` allows; `live_nst.engines.measuring` picks
    one of several. An accelerator is taken by TensorFlow if that can use it, else by OpenVINO; the
    processor by OpenVINO, which takes at most half of TensorFlow's time there. If only TensorFlow
    can use a GPU, there is only that candidate, because TF Hub's model is meant for such GPUs.

    The number format is the device's fastest: float16 on a GPU or NPU, bfloat16 on a processor with
    instructions for it. float16 changes an image by less than 0.001 of its range in the mean,
    bfloat16 by less than 0.004 (docs/models-and-devices.md).

    Args:
        engine: auto, tensorflow, openvino or onnxruntime.
        device: auto, cpu, gpu, gpu:1 or npu.
        precision: auto, float32, bfloat16 or float16.

    Raises:
        UsageError: A value is invalid, or two values exclude each other.
        DeviceError: The engine, device or precision is not available.
    """
    if engine not in ENGINES:
        raise UsageError(f"Invalid engine {engine!r}.", f"use {listed(ENGINES)}")
    if precision not in PRECISIONS:
        raise UsageError(f"Invalid precision {precision!r}.", f"use {listed(PRECISIONS)}")
    word = check_device(device)
    kinds = [KINDS[name] for name in (_AUTOMATIC if engine == "auto" else (engine,))]
    if word == "cpu":
        return (_on_cpu(engine, precision),)
    if word != "auto":
        return (_on_accelerator(kinds, engine, word, precision),)
    found = [(kind, each) for kind in kinds for each in _accelerators(kind, asked=engine != "auto")]
    if not found:
        choice = _on_cpu(engine, precision)
        if engine not in ("auto", *_CPU_ORDER):  # an engine for GPUs
            choice = replace(choice, reason=f"{choice.reason}, and it finds no GPU")
        return (choice,)
    if all(kind.name == "tensorflow" for kind, _ in found):
        kind, first = found[0]
        reason = "there is a GPU" if engine == "auto" else "it was asked for"
        return (_choice(kind, first, precision, reason),)
    return _usable(found, engine, precision)


def available_devices() -> list[str]:
    """Return the words of all devices that an engine can use here, the processor last."""
    words = [device.word for kind in KINDS.values() for device in _accelerators(kind, asked=False)]
    return [*dict.fromkeys(words), "cpu"]


def _usable(
    found: Sequence[tuple[EngineKind, ComputeDevice]], engine: str, precision: str
) -> tuple[EngineChoice, ...]:
    """Return the accelerators and the processor as far as they have the precision."""
    choices: list[EngineChoice] = []
    problem: LiveNstError | None = None
    for kind, device in found:
        try:
            choices.append(_choice(kind, device, precision, "there is no other device for it"))
        except LiveNstError as exc:
            problem = problem or exc
    try:
        choices.append(_on_cpu(engine, precision))
    except LiveNstError as exc:
        problem = problem or exc
    if not choices:
        assert problem is not None
        raise problem
    return tuple(choices)


def _accelerators(kind: EngineKind, *, asked: bool) -> list[ComputeDevice]:
    """Return all devices but the processor; none if the library is missing and not asked for."""
    try:
        return [device for device in kind.devices() if device.word != "cpu"]
    except DeviceError:
        if asked:
            raise
        return []


def _on_accelerator(
    kinds: Sequence[EngineKind], engine: str, word: str, precision: str
) -> EngineChoice:
    """Return the first engine that can use the device."""
    others: list[str] = []
    chosen: tuple[EngineKind, ComputeDevice] | None = None
    errors: list[LiveNstError] = []
    for kind in kinds:
        try:
            device = find_device(kind, word)
        except DeviceError as exc:
            errors.append(exc)
            continue
        if device is None:
            errors.append(kind.missing(word))
        elif chosen is None:
            chosen = (kind, device)
        else:
            others.append(f"{kind.title} can use {device.label}: --engine {kind.name}")
    if chosen is None:
        raise _not_found(word, errors, asked=engine != "auto")
    kind, device = chosen
    reason = "it was asked for"
    if engine == "auto":
        reason = f"{kind.title} can use {device.label}"
        if others:
            reason += f" and goes first ({listed(others, 'and')})"
    return _choice(kind, device, precision, reason)


def _not_found(word: str, errors: Sequence[LiveNstError], *, asked: bool) -> LiveNstError:
    """Return one error for a device that no engine can use, with what could be installed."""
    if asked:
        return errors[0]
    name = describe_device(word)
    kind = word.partition(":")[0]
    chips = [chip for chip in find_chips() if chip.kind == kind]
    there = f": {listed([chip.name for chip in chips], 'and')} cannot be used" if chips else ""
    hints = [*dict.fromkeys(filter(None, map(advise, chips))), "use --device cpu"]
    return DeviceError(f"There is no {name} that an engine can use here{there}.", "; ".join(hints))


def _on_cpu(engine: str, precision: str) -> EngineChoice:
    """Return the engine that was asked for, or the fastest one that is installed."""
    names = _CPU_ORDER if engine == "auto" else (engine,)
    reason = "it is the fastest on a CPU" if engine == "auto" else "it was asked for"
    for name in names:
        kind = KINDS[name]
        try:
            device = find_device(kind, "cpu")
        except DeviceError:
            if name == names[-1]:
                raise
            reason = f"{kind.title} is not installed"
            continue
        if device is None:
            raise kind.missing("cpu")
        return _choice(kind, device, precision, reason)
    raise AssertionError("there is always an engine for the CPU")


def _choice(kind: EngineKind, device: ComputeDevice, precision: str, reason: str) -> EngineChoice:
    picked = kind.pick_precision(device, precision)
    return EngineChoice(kind.name, device.word, picked, reason, device.label, device.driver)
