"""The style and the look in use, as they change over time."""

from collections.abc import Callable, Sequence

from live_nst.engines.base import Bottleneck
from live_nst.masks.registry import MaskRegistry
from live_nst.styles.bottlenecks import BottleneckStore, interpolate_bottlenecks
from live_nst.styles.registry import StyleInput, StyleRegistry
from live_nst.stylizer.look import Look, interpolate_looks
from live_nst.stylizer.sizes import check_stroke
from live_nst.stylizer.transition import Transition
from live_nst.types import Image


class StyleAndLook:
    """The part of a stylizer that knows which style and which look apply at a time.

    Args:
        look: The first look.
        stroke: Size of the strokes.

    Raises:
        LiveNstError: The look's mask cannot be used.
    """

    def __init__(self, look: Look, stroke: float) -> None:
        self._stroke = stroke
        self._masks = MaskRegistry()
        self.look = look

    def _open_styles(
        self, bottlenecks: BottleneckStore, styles: Sequence[StyleInput]
    ) -> Bottleneck:
        """Load the first styles, and return the one in use; called once, before all else."""
        self._bottlenecks = bottlenecks
        self._registry = StyleRegistry(bottlenecks)
        self._style, first = self._registry.add(styles[0], self._stroke)
        for style in styles[1:]:
            self.load(style)
        self._style_transition = Transition(first, interpolate_bottlenecks)
        return first

    def _mixed_style(
        self, image: Image, time: float, content_style: Callable[[Image, float], Bottleneck]
    ) -> Bottleneck:
        """Return the current style, mixed with the frame's content style if the look asks so."""
        style, look = self._style_transition.at(time), self._look_transition.at(time)
        if look.style_share >= 1:
            return style
        return interpolate_bottlenecks(content_style(image, time), style, look.style_share)

    def load(self, style: StyleInput, *, stroke: float | None = None) -> None:
        """Compute a style, or read it from the cache; see `Stylizer.load`."""
        self._registry.add(style, self._stroke if stroke is None else check_stroke(stroke))

    def select(
        self,
        style: StyleInput,
        *,
        stroke: float | None = None,
        fade: float = 0.0,
        time: float = 0.0,
    ) -> None:
        """Change the style; see `Stylizer.select`."""
        stroke = self._stroke if stroke is None else check_stroke(stroke)
        label, bottleneck = self._registry.add(style, stroke)
        self._style_transition.to(bottleneck, fade, time)
        self._style, self._stroke = label, stroke

    def bottleneck(self, style: StyleInput, *, stroke: float | None = None) -> Bottleneck:
        """Return the bottleneck of a style, which must not be modified; see `load`."""
        stroke = self._stroke if stroke is None else check_stroke(stroke)
        return self._registry.add(style, stroke)[1]

    def load_mask(self, only: str) -> None:
        """Prepare the mask for looks with that `only`, which may take a moment.

        Raises:
            LiveNstError: The mask cannot be used.
        """
        self._masks.load(only)

    def change_look(self, look: Look, *, fade: float = 0.0, time: float = 0.0) -> None:
        """Change the look at a time, as `select` changes the style."""
        self.load_mask(look.only)
        self._look_transition.to(look, fade, time)

    @property
    def styles(self) -> tuple[str, ...]:
        """Labels of the styles that are loaded."""
        return self._registry.labels

    @property
    def style(self) -> str:
        """Label of the style in use."""
        return self._style

    @property
    def stroke(self) -> float:
        """Size of the strokes; `select` changes it."""
        return self._stroke

    @property
    def look(self) -> Look:
        """How the stylized image is blended with the frame: the last of all changes given.

        A new value replaces all changes and applies at once.
        """
        return self._look_transition.last

    @look.setter
    def look(self, look: Look) -> None:
        self.load_mask(look.only)
        self._look_transition = Transition(look, interpolate_looks)

    @property
    def style_computations(self) -> int:
        """How often the style part of the model ran; 0 if every style came from the cache."""
        return self._bottlenecks.computations
