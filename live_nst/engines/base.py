"""What an engine owes the stylizer: it runs a split model on one device."""

import threading
from collections.abc import Iterator
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from live_nst.frames import Image

Bottleneck = NDArray[np.float32]
"""What a model keeps of a style: float32 `[n]`. Mixing styles mixes bottlenecks."""

Size = tuple[int, int]
"""(width, height) in pixels."""

Precision = Literal["float32", "bfloat16", "float16"]
"""What the frame program computes in."""


Picture = Literal["content", "stylised", "enlarged"]
"""What there is of a painted frame."""


class EngineImage(Protocol):
    """A picture in an engine's own form, such as one in its device's memory."""

    @property
    def shape(self) -> Any: ...  # noqa: D102

    def numpy(self) -> Image:
        """Fetch it; waits until it is computed."""
        ...


class Painted:
    """One frame before and after the network.

    The pictures may still lie in the device's memory, or be under way there. Who looks at one
    first fetches it, once; any thread may.

    Args:
        content: What the network saw, BGR uint8 `[height, width, 3]`.
        stylised: What it made of it, BGR uint8 of the same shape.
        enlarged: `stylised` as `live_nst.compose.enlarge` brings it to the frame's own size, if
            the device does that.
        end: There when the device is done with the frame; None if it is done already.
    """

    __slots__ = ("_awaited", "_end", "_lock", "_pictures")

    def __init__(
        self,
        content: Image | EngineImage,
        stylised: Image | EngineImage,
        enlarged: EngineImage | None = None,
        end: EngineImage | None = None,
    ) -> None:
        self._pictures: dict[Picture, Image | EngineImage | None] = {
            "content": content,
            "stylised": stylised,
            "enlarged": enlarged,
        }
        self._awaited: tuple[Picture, ...] = ("content", "stylised")
        self._end = end
        self._lock = threading.Lock()

    @property
    def size(self) -> Size:
        """(width, height) of what the network saw, for which nothing is fetched."""
        stylised = self._pictures["stylised"]
        assert stylised is not None
        height, width = stylised.shape[:2]
        return width, height

    @property
    def content(self) -> Image:
        """What the network saw."""
        picture = self._look_at("content")
        assert picture is not None
        return picture

    @property
    def stylised(self) -> Image:
        """What it made of it."""
        picture = self._look_at("stylised")
        assert picture is not None
        return picture

    def take_enlarged(self, shape: tuple[int, ...]) -> Image | None:
        """What it made of it at the frame's own size; None if that is not there in this shape.

        It is given once, as whoever takes it may write to it.
        """
        enlarged = self._pictures["enlarged"]
        if enlarged is None or tuple(enlarged.shape) != shape:
            return None
        picture = self._look_at("enlarged")
        self._pictures["enlarged"] = None
        return picture

    def expect(self, *pictures: Picture) -> "Painted":
        """Say which pictures will be looked at, as far as that is known; itself."""
        if "enlarged" in pictures and self._pictures["enlarged"] is None:
            pictures = (*pictures, "stylised")
        self._awaited = pictures
        return self

    def wait(self) -> None:
        """Wait until the device is done with the frame; nothing is fetched."""
        if self._end is not None:
            self._end.numpy()

    def fetch(self) -> "Painted":
        """Fetch the pictures that are expected to be looked at, and were not yet; itself."""
        for name in self._awaited:
            self._look_at(name)
        return self

    def __iter__(self) -> Iterator[Image]:
        yield self.content
        yield self.stylised

    def _look_at(self, name: Picture) -> Image | None:
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

    def __call__(self, image: Any, style: Any) -> Painted:
        """Bring one frame to the network's size, as averaging over areas does, and stylise it.

        Args:
            image: BGR uint8 `[height, width, 3]` of the camera size it was made for, or what the
                engine's `stage` gave for it.
            style: What the engine's `expand` gave.

        Returns:
            New pictures of the network size; the stylised one may be written to. A device may
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

    def stage(self, image: Image) -> EngineImage | None:
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
