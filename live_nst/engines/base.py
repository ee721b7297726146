"""What an engine owes the stylizer: it runs a split model on one device."""

import threading
from collections.abc import Iterator
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from live_nst.types import Image, Precision, Size

Bottleneck = NDArray[np.float32]
"""What a model keeps of a style: float32 `[n]`. Mixing styles mixes bottlenecks."""


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
