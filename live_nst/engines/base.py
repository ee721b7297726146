"""What an engine owes the stylizer: it runs a split model on one device."""

import threading
from collections.abc import Iterator
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from live_nst.types import Image, Precision, Size

Bottleneck = NDArray[np.float32]
"""What a model keeps of a style: float32 `[n]`. Mixing styles mixes bottlenecks."""


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
        with self._lock:  # another thread may be fetching it
            image = self._images[name]
            if image is not None and not isinstance(image, np.ndarray):
                image = self._images[name] = image.numpy()
        return image


class FrameRunner(Protocol):
    """The frame program for one camera size and one network size, ready to run.

    It may be called from several threads at once.
    """

    def __call__(self, image: Any, style: Any) -> StylizedFrame:
        """Bring one frame to the network's size, as averaging over areas does, and stylize it.

        Args:
            image: BGR uint8 `[height, width, 3]` of the camera size it was made for, or what the
                engine's `prefetch` gave for it.
            style: What the engine's `expand` gave.

        Returns:
            New pictures of the network size; the stylized one may be written to. A device may
            still be busy with them, and they may have to be fetched from there.
        """
        ...


class Engine(Protocol):
    """Runs a model. Weights, style tensors and intermediate pictures stay on its device.

    Every method may be called from any thread, and may block for as long as it computes.

    Attributes:
        name: "tensorflow 2.21.0".
        device: "cpu", or the GPU's name.
        precision: What frames are computed in; style pictures always in float32.
        style_size: Size of the pictures that `encode` takes.
        bottleneck_size: How many numbers a bottleneck has.
    """

    name: str
    device: str
    precision: Precision
    style_size: Size
    bottleneck_size: int

    def encode(self, picture: Image) -> Bottleneck:
        """The bottleneck of a style picture, BGR uint8 of `style_size`."""
        ...

    def expand(self, bottleneck: Bottleneck) -> Any:
        """The style tensors that the frame program takes, on the device."""
        ...

    def prefetch(self, image: Image) -> DeviceImage | None:
        """Do for a frame what can be done beside the computation of another.

        Args:
            image: BGR uint8 `[height, width, 3]`; nothing is kept of it.

        Returns:
            What runners take in its place; None if nothing would be won.
        """
        ...

    def compile(self, camera: Size, size: Size) -> FrameRunner:
        """The frame program for frames of `camera` pixels, run at `size`, warmed up.

        Raises:
            ModelError: The model cannot run at that size.
        """
        ...

    def close(self) -> None:
        """Free the device's memory. Calling it again does nothing."""
        ...
