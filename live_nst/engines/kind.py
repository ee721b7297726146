"""What each kind of engine tells about this machine, so that one can be chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from live_nst.engines.base import Engine
from live_nst.errors import DeviceError, LiveNstError
from live_nst.models.program import SplitModel
from live_nst.types import Precision


@dataclass(frozen=True, slots=True)
class ComputeDevice:
    """A device that an engine can use on this machine.

    Attributes:
        word: How the user names it: "cpu", "gpu", "gpu:1" or "npu".
        label: Its full name, such as "Intel Iris Xe Graphics"; "cpu" for the processor.
        handle: The engine's own name for it, such as "GPU.0".
        precisions: The number formats that it computes in.
        preferred: The one of them that `--precision auto` takes.
        driver: The version of its driver; "" if it is not known.
    """

    word: str
    label: str
    handle: str
    precisions: tuple[Precision, ...]
    preferred: Precision
    driver: str = ""


class EngineKind(Protocol):
    """One kind of engine.

    Attributes:
        name: Its word on the command line.
        title: Its name in sentences.
    """

    name: str
    title: str

    def devices(self) -> Sequence[ComputeDevice]:
        """Return the devices that it can use here, the processor last if it can use that.

        Raises:
            DeviceError: The library is not installed, or cannot be loaded.
        """
        ...

    def missing(self, word: str) -> LiveNstError:
        """Return the error for a device that it cannot use here, with what is missing for it."""
        ...

    def pick_precision(self, device: ComputeDevice, wanted: str) -> Precision:
        """Return the number format for a device; `wanted` may be "auto".

        Raises:
            DeviceError: The device does not compute in that format.
            UsageError: The engine does not.
        """
        ...

    def make(
        self, model: SplitModel, device: ComputeDevice, precision: Precision, concurrency: int
    ) -> Engine:
        """Return the engine with a model on a device; `concurrency` frames may run at once."""
        ...


def find_device(kind: EngineKind, word: str) -> ComputeDevice | None:
    """Return the device with that word; None if the engine has none here.

    Raises:
        DeviceError: The engine's library cannot be used.
    """
    return next((device for device in kind.devices() if device.word == word), None)


def pick_native_precision(device: ComputeDevice, wanted: str) -> Precision:
    """Return `wanted` if the device computes in it, or its preferred format for "auto".

    Raises:
        DeviceError: It does not.
    """
    if wanted == "auto":
        return device.preferred
    for precision in device.precisions:
        if precision == wanted:
            return precision
    what = {"cpu": "This processor", "npu": "This NPU"}.get(device.word, "This GPU")
    raise DeviceError(
        f"{what} does not support {wanted}.", f"use {listed(('auto', *device.precisions))}"
    )


def listed(words: Sequence[str], last: str = "or") -> str:
    """Return words as a part of a sentence: "a, b or c"."""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)
