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

ImageKind = Literal["content", "stylized", "upscaled"]
"""The images of a `StylizedFrame`."""


class DeviceImage(Protocol):
    """An image in an engine's own form, such as one in the memory of its device."""

    @property
    def shape(self) -> Any: ...  # noqa: D102

    def numpy(self) -> Image:
        """Return the image as an array; wait until it is computed."""
        ...


class StylizedFrame:
    """One frame before and after the network.

    The images may be in the memory of the device, or not computed yet. The first access to one
    fetches it, once. Any thread may access them.

    Args:
        content: What the network saw, BGR uint8 `[height, width, 3]`.
        stylized: The network's output, BGR uint8 of the same shape.
        upscaled: `stylized` at the frame's own size, as `stylizer.compositing.upscale` computes it,
            if the device does that.
        end: Available when the device has computed the frame; None if it has already.
    """

    __slots__ = ("_end", "_images", "_lock", "_required")

    def __init__(
        self,
        content: Image | DeviceImage,
        stylized: Image | DeviceImage,
        upscaled: DeviceImage | None = None,
        end: DeviceImage | None = None,
    ) -> None:
        self._images: dict[ImageKind, Image | DeviceImage | None] = {
            "content": content,
            "stylized": stylized,
            "upscaled": upscaled,
        }
        self._required: tuple[ImageKind, ...] = ("content", "stylized")
        self._end = end
        self._lock = threading.Lock()

    @property
    def size(self) -> Size:
        """(width, height) of what the network saw. Nothing is fetched for it."""
        stylized = self._images["stylized"]
        assert stylized is not None
        height, width = stylized.shape[:2]
        return width, height

    @property
    def content(self) -> Image:
        """What the network saw."""
        image = self._fetch("content")
        assert image is not None
        return image

    @property
    def stylized(self) -> Image:
        """The network's output."""
        image = self._fetch("stylized")
        assert image is not None
        return image

    def take_upscaled(self, shape: tuple[int, ...]) -> Image | None:
        """Return the output at the frame's own size; None if the device has none of that shape.

        It is returned only once, as the caller may modify it.
        """
        upscaled = self._images["upscaled"]
        if upscaled is None or tuple(upscaled.shape) != shape:
            return None
        image = self._fetch("upscaled")
        self._images["upscaled"] = None
        return image

    def require(self, *images: ImageKind) -> "StylizedFrame":
        """Set which images `fetch` fetches; return the object itself."""
        if "upscaled" in images and self._images["upscaled"] is None:
            images = (*images, "stylized")
        self._required = images
        return self

    def wait(self) -> None:
        """Wait until the device has computed the frame. Nothing is fetched."""
        if self._end is not None:
            self._end.numpy()

    def fetch(self) -> "StylizedFrame":
        """Fetch the required images that are not fetched yet; return the object itself."""
        for name in self._required:
            self._fetch(name)
        return self

    def __iter__(self) -> Iterator[Image]:
        yield self.content
        yield self.stylized

    def _fetch(self, name: ImageKind) -> Image | None:
        image = self._images[name]
        if image is None or isinstance(image, np.ndarray):
            return image
        # With overlap, the stylize thread and the compose thread fetch the same frame.
        with self._lock:
            image = self._images[name]
            if image is not None and not isinstance(image, np.ndarray):
                image = self._images[name] = image.numpy()
        return image


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
