"""Frame in, stylised frame out: the model, the engine and the style in one object."""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np

from live_nst.closing import Closing
from live_nst.compose import compose
from live_nst.engines.base import Bottleneck, FrameRunner, Painted, Precision, Size
from live_nst.engines.choice import choose_engine
from live_nst.errors import UsageError
from live_nst.frames import Image, check_image
from live_nst.models.cache import cache_root
from live_nst.models.loading import load_model
from live_nst.styles.bank import StyleBank
from live_nst.styles.cache import BottleneckCache
from live_nst.styles.fade import StyleFade
from live_nst.styles.spec import parse_style

StyleInput = str | Path | Image
"""A built-in name, a picture file, a mix "NAME:WEIGHT+NAME:WEIGHT", or a BGR uint8 picture."""

DEFAULT_SIZE = {"cpu": 384, "gpu": 640}
MIN_SIZE, MAX_SIZE = 64, 4096
_MULTIPLE = 4  # the networks halve the picture twice
_KEPT_RUNNERS = 6  # what the adaptive size goes to and fro between


def network_size(camera: Size, long_side: int) -> Size:
    """The size at which the network sees a frame of size `camera`.

    Its longer side is `long_side`, or the camera's where that is smaller; both are multiples of
    4, so that the network neither pads nor crops.
    """
    scale = min(1.0, long_side / max(camera))
    width, height = (max(16, _MULTIPLE * round(side * scale / _MULTIPLE)) for side in camera)
    return width, height


def check_size(size: int) -> int:
    """Return `size` if a network can be run with that long side.

    Raises:
        UsageError: It is out of range.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise UsageError(
            f"A size of {size} is out of range.", f"use {MIN_SIZE} to {MAX_SIZE} pixels"
        )
    return size


def check_strength(strength: float) -> float:
    """Return `strength` if it lies in 0..1.

    Raises:
        UsageError: It does not.
    """
    if not 0.0 <= strength <= 1.0:
        raise UsageError(f"A strength of {strength:g} is out of range.", "use 0 to 1")
    return strength


class Stylizer(Closing):
    """Paints frames in a style.

        with Stylizer(model="mobile", styles=["starry", "my.jpg"], size=384) as stylizer:
            painted = stylizer(frame)

    Args:
        model: "mobile", "hub", a Hub or Kaggle handle, a SavedModel folder, or "auto".
        styles: One or more styles; they are computed, or found in the cache, at once.
        size: Long side, in pixels, of what the network sees; None for the device's default.
        device: "auto", "cpu" or "gpu".
        engine: "auto", "tensorflow" or "openvino"; auto takes TensorFlow on a GPU and OpenVINO
            on a CPU.
        precision: What frames are computed in: "auto", "float32", "bfloat16" or "float16"; auto
            takes bfloat16 on a CPU that has it.
        concurrency: How many calls of `network` may compute at once. One has the shortest latency,
            several have more frames per second.
        strength: 0 shows the frame itself, 1 the full style.
        say: Called with one sentence for every choice and notice worth telling.
        progress: Called with (bytes done, bytes in all or None) while a model is fetched.

    Attributes:
        strength: 0..1, may be changed at any time.

    Raises:
        LiveNstError: A model, device or style that cannot be used.
    """

    def __init__(
        self,
        model: str = "auto",
        styles: Sequence[StyleInput] = ("starry",),
        *,
        size: int | None = None,
        device: str = "auto",
        engine: str = "auto",
        precision: str = "auto",
        concurrency: int = 1,
        strength: float = 1.0,
        say: Callable[[str], None] = lambda sentence: None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> None:
        if not styles:
            raise UsageError("No style was given.", "name one, such as starry")
        self.strength = check_strength(strength)
        long_side = None if size is None else check_size(size)
        if concurrency < 1:
            raise UsageError(f"A concurrency of {concurrency} is out of range.", "use 1 or more")
        # What is not there is refused before a model is fetched.
        choice = choose_engine(engine, device, precision)
        loaded = load_model(model, device, say=say, progress=progress)
        self._engine = choice.make(loaded.programs, concurrency)
        say(f"Engine {self.engine} in {self.precision}: {choice.why}.")
        self.model_name = loaded.name
        self._long_side = long_side or DEFAULT_SIZE["cpu" if self.device == "cpu" else "gpu"]
        cache = BottleneckCache(cache_root() / "bottlenecks", loaded.fingerprint)
        self._bank = StyleBank(self._engine, cache)
        self._runners: OrderedDict[tuple[Size, Size], Future[FrameRunner]] = OrderedDict()
        self._runners_lock = threading.Lock()
        self._bottlenecks: dict[str, Bottleneck] = {}
        for style in styles:
            self.load(style)
        self._style, first = next(iter(self._bottlenecks.items()))
        self._fade = StyleFade(first)
        self._expanded: tuple[Bottleneck, Any] = (first, self._engine.expand(first))

    def __call__(self, image: Image, time: float = 0.0) -> Image:
        """Paint one frame: `network`, then `finish`.

        Args:
            image: BGR uint8 `[height, width, 3]`.
            time: The frame's time in seconds, by which a change of style fades.

        Returns:
            A new array of the same shape.

        Raises:
            TypeError: Not a uint8 array.
            ValueError: Not of that shape.
        """
        image = check_image(image)
        return self.finish(image, self.network(image, time), time)

    def network(self, image: Image, time: float = 0.0) -> Painted:
        """Run the network on one frame. It needs no other frame.

        Args:
            image: BGR uint8 `[height, width, 3]`.
            time: The frame's time in seconds, by which a change of style fades.

        Returns:
            The frame and what the network made of it, both of `network_size`.
        """
        camera = (image.shape[1], image.shape[0])
        runner = self._runner(camera, network_size(camera, self._long_side))
        bottleneck, tensors = self._expanded
        wanted = self._fade.at(time)
        if wanted is not bottleneck:
            tensors = self._engine.expand(wanted)
            self._expanded = (wanted, tensors)
        return runner(np.ascontiguousarray(image), tensors)

    def finish(self, image: Image, painted: Painted, time: float = 0.0) -> Image:
        """Bring what `network` made of a frame to the frame's own size and mix the two.

        Frames are finished one at a time and in their order.

        Args:
            image: The frame that `network` was given.
            painted: What `network` returned for it.
            time: The frame's time in seconds.

        Returns:
            A new array of the frame's shape.
        """
        return compose(image, painted.stylised, strength=self.strength)

    def load(self, style: StyleInput) -> None:
        """Compute a style, or find it in the cache, so that `select` is instant.

        Raises:
            StyleError: It cannot be used.
        """
        self._label(style)

    def select(self, style: StyleInput, *, fade: float = 0.0, time: float = 0.0) -> None:
        """Change the style; one that is new is computed first, which may take a moment.

        Args:
            style: One of `styles`, or any other style.
            fade: Seconds of cross-fade, counted on the frames' times.
            time: The frames' time now.

        Raises:
            StyleError: It cannot be used; the style stays as it was.
        """
        label = self._label(style)
        self._fade.to(self._bottlenecks[label], fade, time)
        self._style = label

    def prepare(self, camera: Size, size: int) -> None:
        """Get ready to run frames of `camera` pixels at the long side `size`, which takes a moment.

        It may be called from another thread while frames are painted; `resize` then is instant.
        """
        self._runner(camera, network_size(camera, check_size(size)))

    def ready(self, camera: Size, size: int) -> bool:
        """Whether frames of `camera` pixels can be run at the long side `size` at once."""
        future = self._runners.get((camera, network_size(camera, size)))
        return future is not None and future.done()

    def resize(self, size: int) -> None:
        """Change the long side of what the network sees, in pixels."""
        self._long_side = check_size(size)

    @property
    def styles(self) -> tuple[str, ...]:
        """The labels of the styles that are ready."""
        return tuple(self._bottlenecks)

    @property
    def style(self) -> str:
        """The label of the style in use."""
        return self._style

    @property
    def size(self) -> int:
        """Long side, in pixels, of what the network sees."""
        return self._long_side

    @property
    def device(self) -> str:
        """What it runs on: "cpu", or the GPU's name."""
        return self._engine.device

    @property
    def engine(self) -> str:
        """What runs it, with its version."""
        return self._engine.name

    @property
    def precision(self) -> Precision:
        """What frames are really computed in."""
        return self._engine.precision

    @property
    def style_computations(self) -> int:
        """How often the model's style part ran; 0 when every style came from the cache."""
        return self._bank.computations

    def close(self) -> None:
        """Free the device's memory. Calling it again does nothing."""
        self._runners.clear()
        self._engine.close()

    def _label(self, style: StyleInput) -> str:
        """What `styles` calls a style, which is computed if it is new."""
        if isinstance(style, str) and style in self._bottlenecks:
            return style
        name, bottleneck = self._prepare(style)
        label = name
        for number in itertools.count(2):  # there may be another my.jpg, in another folder
            kept = self._bottlenecks.setdefault(label, bottleneck)
            if np.array_equal(kept, bottleneck):
                break
            label = f"{name} ({number})"
        return label

    def _prepare(self, style: StyleInput) -> tuple[str, Bottleneck]:
        """What to call a style, and its bottleneck."""
        if isinstance(style, np.ndarray):
            number = len(self._bottlenecks) + 1
            return f"picture {number}", self._bank.of_picture(check_image(style))
        spec = parse_style(str(style))
        return spec.label, self._bank.bottleneck(spec)

    def _runner(self, camera: Size, size: Size) -> FrameRunner:
        """The frame program for these sizes; the last few are kept."""
        key = (camera, size)
        with self._runners_lock:  # never held while something compiles
            future = self._runners.pop(key, None)
            missing = future is None
            if future is None:
                future = Future()
            self._runners[key] = future  # at the end: the one used last
            while len(self._runners) > _KEPT_RUNNERS:
                self._runners.popitem(last=False)
        if missing:
            try:
                future.set_result(self._engine.compile(camera, size))
            except BaseException as exc:  # also for those who wait for it
                with self._runners_lock:
                    self._runners.pop(key, None)
                future.set_exception(exc)
        return future.result()
