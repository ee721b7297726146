"""The contract of engines: an engine runs a split model on one device."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from live_nst.models.program import Program
from live_nst.types import Image, Precision, Size

Bottleneck = NDArray[np.float32]
"""The numbers that describe a style to a model, float32 `[n]`. Mixing styles mixes bottlenecks."""

Shape = tuple[int, ...]

ImageKind = Literal["content", "stylized", "enlarged"]
"""What there is of a painted frame."""


class DeviceImage(Protocol):
    """A picture in an engine's own form, such as one in its device's memory."""

    @property
    def shape(self) -> Any: ...  # noqa: D102

    def numpy(self) -> Image:
        """Fetch it; waits until it is computed."""
        ...


class StylizedFrame:
    """One frame before and after the network.

    The pictures may still lie in the device's memory, or be under way there. Who looks at one
    first fetches it, once; any thread may.

    Args:
        content: What the network saw, BGR uint8 `[height, width, 3]`.
        stylized: What it made of it, BGR uint8 of the same shape.
        enlarged: `stylized` as `live_nst.stylizer.compositing.upscale` brings it to the frame's own size, if
            the device does that.
        end: There when the device is done with the frame; None if it is done already.
    """

    __slots__ = ("_awaited", "_end", "_lock", "_pictures")

    def __init__(
        self,
        content: Image | DeviceImage,
        stylized: Image | DeviceImage,
        enlarged: DeviceImage | None = None,
        end: DeviceImage | None = None,
    ) -> None:
        self._pictures: dict[ImageKind, Image | DeviceImage | None] = {
            "content": content,
            "stylized": stylized,
            "enlarged": enlarged,
        }
        self._awaited: tuple[ImageKind, ...] = ("content", "stylized")
        self._end = end
        self._lock = threading.Lock()

    @property
    def size(self) -> Size:
        """(width, height) of what the network saw, for which nothing is fetched."""
        stylized = self._pictures["stylized"]
        assert stylized is not None
        height, width = stylized.shape[:2]
        return width, height

    @property
    def content(self) -> Image:
        """What the network saw."""
        picture = self._look_at("content")
        assert picture is not None
        return picture

    @property
    def stylized(self) -> Image:
        """What it made of it."""
        picture = self._look_at("stylized")
        assert picture is not None
        return picture

    def take_upscaled(self, shape: tuple[int, ...]) -> Image | None:
        """What it made of it at the frame's own size; None if that is not there in this shape.

        It is given once, as whoever takes it may write to it.
        """
        enlarged = self._pictures["enlarged"]
        if enlarged is None or tuple(enlarged.shape) != shape:
            return None
        picture = self._look_at("enlarged")
        self._pictures["enlarged"] = None
        return picture

    def require(self, *pictures: ImageKind) -> "StylizedFrame":
        """Say which pictures will be looked at, as far as that is known; itself."""
        if "enlarged" in pictures and self._pictures["enlarged"] is None:
            pictures = (*pictures, "stylized")
        self._awaited = pictures
        return self

    def wait(self) -> None:
        """Wait until the device is done with the frame; nothing is fetched."""
        if self._end is not None:
            self._end.numpy()

    def fetch(self) -> "StylizedFrame":
        """Fetch the pictures that are expected to be looked at, and were not yet; itself."""
        for name in self._awaited:
            self._look_at(name)
        return self

    def __iter__(self) -> Iterator[Image]:
        yield self.content
        yield self.stylized

    def _look_at(self, name: ImageKind) -> Image | None:
        picture = self._pictures[name]
        if picture is None or isinstance(picture, np.ndarray):
            return picture
        with self._lock:  # another thread may be fetching it
            picture = self._pictures[name]
            if picture is not None and not isinstance(picture, np.ndarray):
                picture = self._pictures[name] = picture.numpy()
        return picture


class FrameRunner(Protocol):
    """The frame program, compiled for one camera size and one network size.

    Several threads may call it at once.
    """

    def __call__(self, image: Any, style: Any) -> StylizedFrame:
        """Downscale a frame to the network's size by area averaging, and stylize it.

        Args:
            image: BGR uint8 `[height, width, 3]` of the camera size, or what the engine's
                `prefetch` returned for it.
            style: What the engine's `expand` returned.

        Returns:
            New images of the network size; the stylized one may be written to. A device may still
            be computing them.
        """
        ...


class ProgramRunner(Protocol):
    """A program, compiled for inputs of fixed shapes. One thread at a time may call it."""

    def __call__(self, *inputs: Any) -> list[NDArray[np.float32]]:
        """Run the program.

        Args:
            inputs: In the program's order, of the shapes it was compiled for; style tensors may be
                those that the engine's `expand` returned.

        Returns:
            The outputs. They are valid until the next call.
        """
        ...


class Engine(Protocol):
    """Runs a model. Weights, style tensors and intermediate results stay on its device.

    Any thread may call every method. A method blocks while it computes.

    Attributes:
        name: Name and version, such as "tensorflow 2.21.0".
        device: "cpu", or the GPU's name.
        precision: Precision of frame programs. Style images are always encoded in float32.
        style_size: (width, height) of the images that `encode` takes.
        bottleneck_size: How many numbers a bottleneck has.
    """

    name: str
    device: str
    precision: Precision
    style_size: Size
    bottleneck_size: int

    def encode(self, image: Image) -> Bottleneck:
        """Return the bottleneck of a style image, BGR uint8 of `style_size`."""
        ...

    def expand(self, bottleneck: Bottleneck) -> Any:
        """Return the style tensors that frame programs take, a sequence on the device."""
        ...

    def prefetch(self, image: Image) -> DeviceImage | None:
        """Prepare a frame while the device computes another one.

        Args:
            image: BGR uint8 `[height, width, 3]`; the engine keeps no reference to it.

        Returns:
            What runners take instead of the frame; None if that would save no time.
        """
        ...

    def compile(self, camera: Size, size: Size) -> FrameRunner:
        """Return the frame program for `camera`-sized frames at network size `size`, warmed up.

        Raises:
            ModelError: The model cannot run at that size.
        """
        ...

    def compile_program(self, program: Program, shapes: Sequence[Shape]) -> ProgramRunner:
        """Return any program of the model, compiled in float32 for inputs of fixed shapes.

        Raises:
            ModelError: The program cannot run with these shapes.
        """
        ...

    def close(self) -> None:
        """Free the device's memory. Calling it again does nothing."""
        ...
