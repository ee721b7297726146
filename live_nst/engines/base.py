"""What an engine owes the stylizer: it runs a split model on one device."""

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


class OnDevice(Protocol):
    """A picture in a device's memory."""

    @property
    def shape(self) -> Any: ...  # noqa: D102

    def numpy(self) -> Image:
        """Fetch it; waits until it is computed."""
        ...


class Painted:
    """One frame at the network's size, before and after the network.

    The pictures may still lie in the device's memory. Who looks at one first fetches it: while the
    device already computes the next frame, if that is another thread than the one that computes.

    Args:
        content: What the network saw, BGR uint8 `[height, width, 3]`.
        stylised: What it made of it, BGR uint8 of the same shape.
    """

    __slots__ = ("_content", "_stylised")

    def __init__(self, content: Image | OnDevice, stylised: Image | OnDevice) -> None:
        self._content, self._stylised = content, stylised

    @property
    def size(self) -> Size:
        """(width, height), for which nothing is fetched."""
        height, width = self._stylised.shape[:2]
        return width, height

    @property
    def content(self) -> Image:
        """What the network saw."""
        if not isinstance(self._content, np.ndarray):
            self._content = self._content.numpy()
        return self._content

    @property
    def stylised(self) -> Image:
        """What it made of it."""
        if not isinstance(self._stylised, np.ndarray):
            self._stylised = self._stylised.numpy()
        return self._stylised

    def fetch(self) -> "Painted":
        """Fetch what was not looked at yet; itself."""
        for _ in self:
            pass
        return self

    def __iter__(self) -> Iterator[Image]:
        yield self.content
        yield self.stylised


class FrameRunner(Protocol):
    """The frame program for one camera size and one network size, ready to run.

    It may be called from several threads at once.
    """

    def __call__(self, image: Image, style: Any) -> Painted:
        """Bring one frame to the network's size, as averaging over areas does, and stylise it.

        Args:
            image: BGR uint8 `[height, width, 3]` of the camera size it was made for.
            style: What the engine's `expand` gave.

        Returns:
            New pictures of the network size; the stylised one may be written to. It returns when
            the device is free for another frame; they may have to be fetched from there.
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

    def compile(self, camera: Size, size: Size) -> FrameRunner:
        """The frame program for frames of `camera` pixels, run at `size`, warmed up.

        Raises:
            ModelError: The model cannot run at that size.
        """
        ...

    def close(self) -> None:
        """Free the device's memory. Calling it again does nothing."""
        ...
