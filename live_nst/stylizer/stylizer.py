"""The stylizer that programs use: an image in, a stylized image out."""

from collections.abc import Sequence

from live_nst.styles.registry import StyleInput
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Closeable, DownloadProgress, Image, Notify


class Stylizer(Closeable):
    """Stylizes images and the frames of a video.

        with Stylizer(model="mobile", styles=["starry", "my.jpg"], size=384) as stylizer:
            stylized = stylizer(frame)
            stylizer.select("my.jpg")
            stylizer.look = Look(strength=0.8)

    One stylizer is used from one thread at a time.

    Args:
        model: See `StylizerOptions` for this and all that follow up to `content_style_seconds`.
        styles: One or more styles; the first is in use at the start.
        size: Longer side, in pixels, of the image that the network sees.
        device: "auto", "cpu", "gpu", "gpu:1" (the second one) or "npu".
        engine: "auto", "tensorflow", "openvino" or "onnxruntime".
        precision: "auto", "float32", "bfloat16" or "float16".
        concurrency: How many frames the network may compute at the same time in a conversion.
        stabilize: "off", "fast" or "best".
        look: How the stylized image is blended with the frame; None for the style alone.
        stroke: Size of the brush strokes, 0.3 to 3.
        content_style_seconds: How long the content style of one frame is used.
        notify: Called with one sentence for every automatic choice and every notice.
        progress: Called with (bytes done, bytes in all or None) while a model is downloaded.

    Raises:
        LiveNstError: A model, device, style or value that cannot be used.
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
        notify: Notify = lambda sentence: None,
        progress: DownloadProgress | None = None,
    ) -> None:
        options = StylizerOptions(
            model=model,
            styles=tuple(styles),
            size=size,
            device=device,
            engine=engine,
            precision=precision,
            concurrency=concurrency,
            stabilize=stabilize,
            look=look or Look(),
            stroke=stroke,
            content_style_seconds=content_style_seconds,
        )
        self._core = StylizerCore(options, notify=notify, progress=progress)

    def __call__(self, image: Image, time: float = 0.0) -> Image:
        """Stylize one frame.

        Args:
            image: BGR uint8 `[height, width, 3]`.
            time: The frame's time in seconds; fades follow it.

        Returns:
            A new array of the same shape.

        Raises:
            TypeError: Not a uint8 array.
            ValueError: Not of that shape.
        """
        return self._core(image, time)

    def still(self, image: Image, *, size: int | None = None) -> Image:
        """Stylize one image by itself, by default with the network at the image's full size.

        Args:
            image: BGR uint8 `[height, width, 3]`.
            size: Longer side, in pixels, of the image that the network sees; None for the image's
                own.

        Returns:
            A new array of the same shape.

        Raises:
            TypeError: Not a uint8 array.
            ValueError: Not of that shape.
            ModelError: The model cannot run at that size.
        """
        return self._core.still(image, size=size)

    def load(self, style: StyleInput, *, stroke: float | None = None) -> None:
        """Prepare a style, so that `select` takes no time.

        Raises:
            StyleError: The style cannot be used.
            UsageError: The stroke is out of range.
        """
        self._core.load(style, stroke=stroke)

    def select(
        self,
        style: StyleInput,
        *,
        stroke: float | None = None,
        fade: float = 0.0,
        time: float = 0.0,
    ) -> None:
        """Change the style; a new one is computed first, which may take a moment.

        Args:
            style: One of `styles`, or any other style.
            stroke: Size of its strokes; None keeps the current size.
            fade: Duration of the cross-fade in seconds of the frames' times.
            time: The frames' time at which the change begins. Changes may be given in advance, in
                the order of their times; each one cancels changes that begin later.

        Raises:
            StyleError: The style cannot be used; the current one stays.
            UsageError: The stroke is out of range.
        """
        self._core.select(style, stroke=stroke, fade=fade, time=time)

    def change_look(self, look: Look, *, fade: float = 0.0, time: float = 0.0) -> None:
        """Change the look at a time, as `select` changes the style.

        Raises:
            LiveNstError: Its mask cannot be used; the current look stays.
        """
        self._core.change_look(look, fade=fade, time=time)

    def reset(self) -> None:
        """Forget the frames so far; call it before the first frame of another video."""
        self._core.reset()

    @property
    def look(self) -> Look:
        """How the stylized image is blended with the frame. A new value applies at once."""
        return self._core.look

    @look.setter
    def look(self, look: Look) -> None:
        self._core.look = look

    @property
    def size(self) -> int:
        """Longer side, in pixels, of the image that the network sees. It may be changed."""
        return self._core.size

    @size.setter
    def size(self, size: int) -> None:
        self._core.resize(size)

    @property
    def style(self) -> str:
        """Label of the style in use."""
        return self._core.style

    @property
    def styles(self) -> tuple[str, ...]:
        """Labels of the styles that are loaded."""
        return self._core.styles

    def close(self) -> None:
        """Free the device's memory. Calling it again does nothing."""
        self._core.close()


def core_of(stylizer: Stylizer | StylizerCore) -> StylizerCore:
    """Return the core of a stylizer, which is what the pipelines of this package run."""
    return stylizer._core if isinstance(stylizer, Stylizer) else stylizer
