"""Frame in, stylized frame out: the model, the engine and the style in one object."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from live_nst.engines.base import Bottleneck, DeviceImage, StylizedFrame
from live_nst.engines.choice import choose_engine
from live_nst.engines.runner_cache import RunnerCache
from live_nst.errors import UsageError
from live_nst.files.cache import cache_root
from live_nst.masks.registry import MaskRegistry
from live_nst.models.loading import load_model
from live_nst.stabilizer import check_mode
from live_nst.styles.bottlenecks import BottleneckCache, BottleneckStore
from live_nst.styles.registry import StyleInput, StyleRegistry
from live_nst.stylizer.compositing import compose, required_images
from live_nst.stylizer.content_style import ContentStyle
from live_nst.stylizer.frame_network import FrameNetwork
from live_nst.stylizer.frame_stabilizer import FrameStabilizer
from live_nst.stylizer.look import Look, interpolate_looks
from live_nst.stylizer.sizes import DEFAULT_SIZE, check_size, check_stroke, network_size
from live_nst.stylizer.still_network import StillNetwork
from live_nst.stylizer.transition import Transition, interpolate_bottlenecks
from live_nst.types import Closeable, Image, Precision, Size, check_image


class StylizerCore(Closeable):
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
        stabilize: "fast" steadies a stream, whose frames must be given in their order; "best" finds
            their motion more exactly, keeps them sharper and takes longer; "off" paints every frame
            for itself.
        look: How the painted picture meets the frame; None for the full style and nothing else.
        stroke: Size of the brush strokes, 1 being their size in the style's picture: it is looked
            at from nearer or from farther away. Relative to the frame they are as large at any
            size of frame.
        hold: Where the look blends styles, seconds for which a frame's own style holds for those
            that follow, which then come in their order; 0 computes it for every frame, which takes
            about as long as painting it.
        notify: Called with one sentence for every choice and notice worth telling.
        progress: Called with (bytes done, bytes in all or None) while a model is fetched.

    Attributes:
        look: May be replaced at any time, then holds for all frames to come; see also `change`.

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
        stabilize: str = "off",
        look: Look | None = None,
        stroke: float = 1.0,
        content_style_seconds: float = 0.0,
        notify: Callable[[str], None] = lambda sentence: None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> None:
        if not styles:
            raise UsageError("No style was given.", "name one, such as starry")
        self._stroke = check_stroke(stroke)
        self._masks = MaskRegistry()
        self.look = look or Look()
        check_mode(stabilize)
        long_side = None if size is None else check_size(size)
        if concurrency < 1:
            raise UsageError(f"A concurrency of {concurrency} is out of range.", "use 1 or more")
        # What is not there is refused before a model is fetched.
        choice = choose_engine(engine, device, precision)
        loaded = load_model(model, device, notify=notify, progress=progress)
        self._engine = choice.make(loaded.programs, concurrency)
        notify(f"Engine {self.engine} in {self.precision}: {choice.reason}.")
        self.model_name = loaded.name
        self._fingerprint = loaded.fingerprint
        self._runners = RunnerCache(self._engine)
        self._stills = StillNetwork(loaded.programs, self._engine, self._runners, notify)
        cache = BottleneckCache(cache_root() / "bottlenecks", loaded.fingerprint)
        self._bank = BottleneckStore(self._engine, cache)
        self._shelf = StyleRegistry(self._bank)
        self._style, first = self._shelf.put(styles[0], self._stroke)
        for style in styles[1:]:
            self.load(style)
        self._fade = Transition(first, interpolate_bottlenecks)
        self._steadying = FrameStabilizer(stabilize, first)
        size = long_side or DEFAULT_SIZE["cpu" if self.device == "cpu" else "gpu"]
        self._network = FrameNetwork(self._engine, self._runners, size, first)
        self._own_style = ContentStyle(self._network.encode, content_style_seconds)

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

    def prefetch(self, image: Image) -> DeviceImage | None:
        """Do for a frame, BGR uint8, what can be done beside the network's work on another.

        Returns:
            What `network` takes along with it; None where nothing would be won: on a CPU.
        """
        return self._engine.prefetch(image)

    def network(
        self, image: Image, time: float = 0.0, prefetched: DeviceImage | None = None
    ) -> StylizedFrame:
        """Run the network on one frame. It needs no other frame.

        Args:
            image: BGR uint8 `[height, width, 3]`.
            time: The frame's time in seconds, by which a change of style fades.
            prefetched: What `prefetch` gave for it, if it was called.

        Returns:
            The frame and what the network made of it, both of `network_size`. A GPU may still be
            busy with them; `Painted.wait` and `Painted.fetch` wait for that.
        """
        painted = self._network(image, self._style_for(image, time, self._own_style), prefetched)
        if self._steadying.mode != "off":
            return painted  # what is steadied is small, and looked at whatever the look
        return painted.require(*required_images(self._look.at(time)))

    def _style_for(
        self, image: Image, time: float, own: Callable[[Image, float], Bottleneck]
    ) -> Bottleneck:
        """What to paint a frame in: the style or, where strength mixes styles, a milder one."""
        style, look = self._fade.at(time), self._look.at(time)
        if look.style_share >= 1:
            return style
        return interpolate_bottlenecks(own(image, time), style, look.style_share)

    def still(self, image: Image, time: float = 0.0, *, size: int | None = None) -> Image:
        """Paint a picture of its own, by default with the network at the picture's full size.

        The look holds, the stabilizer does not. A picture of more than `stills.WHOLE_PIXELS` is run
        in tiles by TensorFlow, which takes little memory and is exact at any size: nothing shows
        where they meet, as the statistics of the normalizations are those of the whole picture.

        Args:
            image: BGR uint8 `[height, width, 3]`.
            time: The time in seconds, by which a change of style or look fades.
            size: Longest side, in pixels, of what the network sees; None for the picture's own.

        Returns:
            A new array of the same shape.

        Raises:
            TypeError: Not a uint8 array.
            ValueError: Not of that shape.
            ModelError: The model cannot be run at that size, or not in tiles.
        """
        image = check_image(image)
        camera = (image.shape[1], image.shape[0])
        smaller = size is not None and check_size(size) < max(camera)
        seen = network_size(camera, size) if size is not None and smaller else None
        painted = self._stills(image, self._style_for(image, time, self._network.encode), seen)
        look = self._look.at(time)
        weights = self._masks.of_still(look, painted, camera)
        return compose(image, painted, look, weights)

    def finish(self, image: Image, painted: StylizedFrame, time: float = 0.0) -> Image:
        """Bring what `network` made of a frame to the frame's own size and mix the two.

        Frames are finished one at a time and in their order.

        Args:
            image: The frame that `network` was given.
            painted: What `network` returned for it, or before for a frame that looks the same.
            time: The frame's time in seconds.

        Returns:
            A new array of the frame's shape.
        """
        look = self._look.at(time)
        painted = self._steadying(painted, self._fade.at(time), look.style_share)
        weights = self._masks.of_next(look, painted, image.shape[1::-1])
        return compose(image, painted, look, weights)

    def reset(self) -> None:
        """Forget the frames so far: the next one to be finished begins something new."""
        self._masks.reset()
        self._own_style.reset()
        self._steadying.reset(self._fade.at(-np.inf))

    def state_arrays(self) -> dict[str, NDArray[Any]]:
        """What `finish` keeps of the frames so far; empty if that is nothing.

        Nobody writes into the arrays. Given to `restore_state` of a stylizer with the same settings, the
        frames that follow become what they would have become here.
        """
        return self._steadying.state_arrays() | self._masks.state_arrays()

    def restore_state(self, memory: Mapping[str, NDArray[Any]]) -> None:
        """Go on after the frames that `state_arrays` is of."""
        self.reset()
        self._steadying.restore_state(memory)
        self._masks.restore_state(memory)

    def load(self, style: StyleInput, *, stroke: float | None = None) -> None:
        """Compute a style, or find it in the cache, so that `select` is instant.

        Raises:
            StyleError: It cannot be used.
            UsageError: The stroke is out of range.
        """
        self._shelf.put(style, self._stroke if stroke is None else check_stroke(stroke))

    def select(
        self,
        style: StyleInput,
        *,
        stroke: float | None = None,
        fade: float = 0.0,
        time: float = 0.0,
    ) -> None:
        """Change the style; one that is new is computed first, which may take a moment.

        Changes that are asked for ahead, in the order of their times, are a timetable: what a
        frame is painted in then depends on its time alone.

        Args:
            style: One of `styles`, or any other style.
            stroke: Size of its strokes; None leaves it.
            fade: Seconds of cross-fade, counted on the frames' times.
            time: The frames' time at which the change begins; what was to begin later is given up.

        Raises:
            StyleError: It cannot be used; the style stays as it was.
            UsageError: The stroke is out of range.
        """
        stroke = self._stroke if stroke is None else check_stroke(stroke)
        label, bottleneck = self._shelf.put(style, stroke)
        self._fade.to(bottleneck, fade, time)
        self._style, self._stroke = label, stroke

    def load_mask(self, only: str) -> None:
        """Get ready for looks with that `only`, which may take a moment.

        Raises:
            LiveNstError: The mask cannot be used.
        """
        self._masks.load(only)

    def change(self, look: Look, *, fade: float = 0.0, time: float = 0.0) -> None:
        """Change the look at a time, as `select` changes the style.

        Args:
            look: How it shall be in the end.
            fade: Seconds of cross-fade, counted on the frames' times.
            time: The frames' time at which the change begins; what was to begin later is given up.

        Raises:
            LiveNstError: Its mask cannot be used; the look stays as it was.
        """
        self.load_mask(look.only)
        self._look.to(look, fade, time)

    def prepare(self, camera: Size, size: int) -> None:
        """Get ready to run frames of `camera` pixels at the long side `size`, which takes a moment.

        It may be called from another thread while frames are painted; `resize` then is instant.
        """
        self._network.prepare(camera, size)

    def is_compiled(self, camera: Size, size: int) -> bool:
        """Whether frames of `camera` pixels can be run at the long side `size` at once."""
        return self._network.is_compiled(camera, size)

    def resize(self, size: int) -> None:
        """Change the long side of what the network sees, in pixels."""
        self._network.resize(size)

    @property
    def styles(self) -> tuple[str, ...]:
        """The labels of the styles that are ready."""
        return self._shelf.labels

    @property
    def style(self) -> str:
        """The label of the style in use."""
        return self._style

    @property
    def stroke(self) -> float:
        """Size of the strokes; `select` changes it."""
        return self._stroke

    @property
    def look(self) -> Look:
        """How the painted picture meets the frame: of several changes ahead, the last."""
        return self._look.last

    @look.setter
    def look(self, look: Look) -> None:
        self.load_mask(look.only)
        self._look = Transition(look, interpolate_looks)

    @property
    def strength(self) -> float:
        """The look's: 0 shows the frame itself, 1 the full style."""
        return self.look.strength

    @strength.setter
    def strength(self, strength: float) -> None:
        self.look = replace(self.look, strength=strength)

    @property
    def size(self) -> int:
        """Long side, in pixels, of what the network sees."""
        return self._network.long_side

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

    def settings(self, styles: Sequence[StyleInput]) -> dict[str, str]:
        """All that shapes what this stylizer makes of a frame, in words that can be compared.

        Args:
            styles: The styles that are used; they are told by what the model makes of them.
        """
        digest = hashlib.sha256()
        for style in styles:
            digest.update(self._shelf.put(style, self._stroke)[1].tobytes())
        return {
            "model": self._fingerprint,
            "engine": self.engine,
            "device": self.device,
            "precision": self.precision,
            "size": str(self.size),
            "look": self.look.fingerprint(),
            "stroke": repr(self.stroke),
            "stabilizer": self._steadying.settings(),
            "styles": digest.hexdigest(),
        }

    def close(self) -> None:
        """Free the device's memory. Calling it again does nothing."""
        self._runners.clear()
        self._engine.close()
        self._stills.close()
