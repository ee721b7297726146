"""The stylizer as pipelines use it: model, engine, styles, stabilizer and look in one object."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.engines.base import DeviceImage, StylizedFrame
from live_nst.engines.choice import engine_candidates
from live_nst.engines.measuring import pick_fastest
from live_nst.engines.runner_cache import RunnerCache
from live_nst.files.cache import cache_root
from live_nst.models.loading import load_model
from live_nst.styles.bottlenecks import BottleneckCache, BottleneckStore
from live_nst.styles.registry import StyleInput
from live_nst.stylizer.compositing import compose, required_images
from live_nst.stylizer.content_style import ContentStyle
from live_nst.stylizer.frame_network import FrameNetwork
from live_nst.stylizer.frame_stabilizer import FrameStabilizer
from live_nst.stylizer.options import StylizerOptions
from live_nst.stylizer.sizes import DEFAULT_SIZE, check_size, network_size
from live_nst.stylizer.still_network import StillNetwork
from live_nst.stylizer.style_and_look import StyleAndLook
from live_nst.types import (
    Closeable,
    DownloadProgress,
    Image,
    Notify,
    Precision,
    Size,
    check_image,
)


class StylizerCore(StyleAndLook, Closeable):
    """Stylizes frames in three steps that may run in different threads.

    `prefetch` and `infer` need one frame only and may run for several frames at once.
    `postprocess` needs the frames in order, from one thread. Calling the object runs `infer` and
    `postprocess`.

    Args:
        options: What runs, and how.
        notify: Called with one sentence for every automatic choice and every notice.
        progress: Called with (bytes done, bytes in all or None) while a model is downloaded.

    Attributes:
        model_name: Name of the model that runs.
        device_word: The word of `--device` for what it runs on, such as "gpu".

    Raises:
        LiveNstError: A model, device or style that cannot be used.
    """

    def __init__(
        self,
        options: StylizerOptions,
        *,
        notify: Notify = lambda sentence: None,
        progress: DownloadProgress | None = None,
    ) -> None:
        # Invalid options fail before a model is downloaded.
        super().__init__(options.look, options.stroke)
        candidates = engine_candidates(options.engine, options.device, options.precision)
        loaded = load_model(
            options.model,
            options.device,
            notify=notify,
            progress=progress,
            tensorflow=candidates[0].engine != "openvino",
        )
        choice = pick_fastest(candidates, loaded.programs, loaded.fingerprint, options.size, notify)
        self._engine = choice.make(loaded.programs, options.concurrency)
        self.device_word = choice.device
        where = "" if choice.device == "cpu" else f" on {choice.title}"
        notify(f"Engine {self.engine}{where} in {self.precision}: {choice.reason}.")
        self.model_name = loaded.name
        self._fingerprint = loaded.fingerprint
        self._runners = RunnerCache(self._engine)
        self._still_network = StillNetwork(loaded.programs, self._engine, self._runners, notify)
        cache = BottleneckCache(cache_root() / "bottlenecks", loaded.fingerprint)
        first = self._open_styles(BottleneckStore(self._engine, cache), options.styles)
        self._stabilizer = FrameStabilizer(options.stabilize, first)
        size = options.size or DEFAULT_SIZE["cpu" if self.device == "cpu" else "gpu"]
        self._network = FrameNetwork(self._engine, self._runners, size, first)
        self._content_style = ContentStyle(self._network.encode, options.content_style_seconds)

    def __call__(self, image: Image, time: float = 0.0) -> Image:
        """Stylize one frame: `infer`, then `postprocess`; see `Stylizer.__call__`."""
        image = check_image(image)
        return self.postprocess(image, self.infer(image, time), time)

    def prefetch(self, image: Image) -> DeviceImage | None:
        """Start the transfer of a frame to the device while another frame is computed.

        Args:
            image: BGR uint8 `[height, width, 3]`.

        Returns:
            What `infer` takes as `prefetched`; None on a CPU, where there is nothing to transfer.
        """
        return self._engine.prefetch(image)

    def infer(
        self, image: Image, time: float = 0.0, prefetched: DeviceImage | None = None
    ) -> StylizedFrame:
        """Run the network on one frame. Several threads may call it at once.

        Args:
            image: BGR uint8 `[height, width, 3]`.
            time: The frame's time in seconds; fades follow it.
            prefetched: What `prefetch` returned for this frame, if it was called.

        Returns:
            The frame before and after the network, both of `network_size`. A GPU may still be
            computing them; `StylizedFrame.wait` and `StylizedFrame.fetch` wait for that.
        """
        style = self._mixed_style(image, time, self._content_style)
        stylized = self._network(image, style, prefetched)
        if self._stabilizer.mode != "off":
            return stylized  # the stabilizer needs both small images, whatever the look
        return stylized.require(*required_images(self._look_transition.at(time)))

    def still(self, image: Image, time: float = 0.0, *, size: int | None = None) -> Image:
        """Stylize one image by itself, by default with the network at the image's full size.

        The look applies, the stabilizer does not. An image of more than
        `still_network.MAX_UNTILED_PIXELS` runs in tiles without visible seams: the normalizations
        use the statistics of the whole image.

        Args:
            image: BGR uint8 `[height, width, 3]`.
            time: The time in seconds; fades follow it.
            size: Longer side, in pixels, of the image that the network sees; None for the image's
                own.

        Returns:
            A new array of the same shape.

        Raises:
            TypeError: Not a uint8 array.
            ValueError: Not of that shape.
            ModelError: The model cannot run at that size, or not in tiles.
        """
        image = check_image(image)
        full_size = (image.shape[1], image.shape[0])
        shrinks = size is not None and check_size(size) < max(full_size)
        network_sees = network_size(full_size, size) if size is not None and shrinks else None
        style = self._mixed_style(image, time, self._network.encode)
        stylized = self._still_network(image, style, network_sees)
        look = self._look_transition.at(time)
        mask = None
        if not look.shows_content_only:
            mask = self._masks.still_mask(look.only, stylized, full_size)
        return compose(image, stylized, look, mask)

    def preview(self, image: Image, style: StyleInput) -> Image:
        """Stylize a small image in any style, whatever is in use; any thread may call it.

        Neither the look nor the stabilizer applies. The image is stylized at its own size.

        Args:
            image: BGR uint8 `[height, width, 3]`, at least 64 pixels wide or high.
            style: The style; a new one is computed first.

        Returns:
            A new array of the image's shape, or up to a few pixels smaller or larger.

        Raises:
            LiveNstError: The style cannot be used, or the model cannot run at that size.
        """
        _, bottleneck = self._registry.add(style, 1.0)
        return self._network.preview(check_image(image), bottleneck)

    def postprocess(self, image: Image, stylized: StylizedFrame, time: float = 0.0) -> Image:
        """Stabilize the network's result, scale it to the frame's size and blend the two.

        Frames are given in order, from one thread.

        Args:
            image: The frame that `infer` was given.
            stylized: What `infer` returned for it, or for an earlier frame that looks the same.
            time: The frame's time in seconds.

        Returns:
            A new array of the frame's shape.
        """
        look = self._look_transition.at(time)
        stylized = self._stabilizer(stylized, self._style_transition.at(time), look.style_share)
        mask = None
        if not look.shows_content_only:
            mask = self._masks.next_mask(look.only, stylized, image.shape[1::-1])
        return compose(image, stylized, look, mask)

    def observe(self, stylized: StylizedFrame, size: Size, time: float = 0.0) -> None:
        """Remember a frame as `postprocess` does, without an image for the output.

        Args:
            stylized: What `infer` returned for the frame.
            size: (width, height) of the frame.
            time: The frame's time in seconds.
        """
        look = self._look_transition.at(time)
        stylized = self._stabilizer(stylized, self._style_transition.at(time), look.style_share)
        if not look.shows_content_only:
            self._masks.next_mask(look.only, stylized, size)

    def reset(self) -> None:
        """Forget the frames so far: the next frame begins another video."""
        self._masks.reset()
        self._content_style.reset()
        self._stabilizer.reset(self._style_transition.at(-np.inf))

    def state_arrays(self) -> dict[str, NDArray[Any]]:
        """Return what `postprocess` keeps of the frames so far; empty if that is nothing.

        The arrays must not be modified. A stylizer with the same settings that is given them by
        `restore_state` continues exactly where this one is.
        """
        return self._stabilizer.state_arrays() | self._masks.state_arrays()

    def restore_state(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Continue where the stylizer was that returned `arrays` from `state_arrays`."""
        self.reset()
        self._stabilizer.restore_state(arrays)
        self._masks.restore_state(arrays)

    def prepare(self, frame_size: Size, size: int) -> None:
        """Compile the network for frames of `frame_size` at the longer side `size`.

        It takes a moment, and may run in another thread while frames are stylized. `resize` to
        that size then takes no time.
        """
        self._network.prepare(frame_size, size)

    def is_compiled(self, frame_size: Size, size: int) -> bool:
        """Return whether the network is compiled for `frame_size` at the longer side `size`."""
        return self._network.is_compiled(frame_size, size)

    @property
    def longest_compilation(self) -> float:
        """Seconds that the longest compilation for a size took so far."""
        return self._runners.longest_compilation

    def resize(self, size: int) -> None:
        """Change the longer side, in pixels, of the image that the network sees.

        Raises:
            UsageError: It is out of range.
        """
        self._network.resize(size)

    @property
    def size(self) -> int:
        """Longer side, in pixels, of the image that the network sees."""
        return self._network.long_side

    @property
    def device(self) -> str:
        """What it runs on: "cpu", or the full name of a GPU or NPU."""
        return self._engine.device

    @property
    def engine(self) -> str:
        """Name and version of the engine."""
        return self._engine.name

    @property
    def precision(self) -> Precision:
        """Number format that the network computes frames in."""
        return self._engine.precision

    def settings(self, styles: Sequence[StyleInput]) -> dict[str, str]:
        """Return everything that determines the result for a frame, as text to be compared.

        Args:
            styles: The styles in use; they are identified by their bottlenecks.
        """
        digest = hashlib.sha256()
        for style in styles:
            digest.update(self._registry.add(style, self._stroke)[1].tobytes())
        return {
            "model": self._fingerprint,
            "engine": self.engine,
            "device": self.device,
            "precision": self.precision,
            "size": str(self.size),
            "look": self.look.fingerprint(),
            "stroke": repr(self.stroke),
            "stabilizer": self._stabilizer.settings(),
            "styles": digest.hexdigest(),
        }

    def close(self) -> None:
        """Free the device's memory. Calling it again does nothing."""
        self._runners.clear()
        self._engine.close()
