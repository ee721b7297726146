"""The loaded styles, under the labels that users see."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from live_nst.engines.base import Bottleneck
from live_nst.styles.bottlenecks import BottleneckStore
from live_nst.styles.spec import StyleSpec, parse_style
from live_nst.types import Image, check_image


@dataclass(frozen=True, eq=False)
class ComputedStyle:
    """A style whose bottlenecks another process computed with the same model.

    Attributes:
        label: Its name; no other style has it.
        bottlenecks: By the size of the strokes.
    """

    label: str
    bottlenecks: Mapping[float, Bottleneck]


StyleInput = str | Path | Image | StyleSpec | ComputedStyle
"""A built-in name, an image file, a mix "NAME:WEIGHT+NAME:WEIGHT", a BGR uint8 image, or a style
that is computed already."""


class StyleRegistry:
    """Gives every style a label, and keeps its bottlenecks.

    Args:
        store: Computes bottlenecks.
    """

    def __init__(self, store: BottleneckStore) -> None:
        self._store = store
        self._sources: dict[str, StyleSpec | Image | ComputedStyle] = {}
        self._bottlenecks: dict[tuple[str, float], Bottleneck] = {}

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the loaded styles."""
        return tuple(self._sources)

    def add(self, style: StyleInput, stroke: float) -> tuple[str, Bottleneck]:
        """Load a style if it is new; return its label and its bottleneck for that stroke size.

        Raises:
            StyleError: The style cannot be used.
        """
        if isinstance(style, str) and style in self._sources:
            return style, self._bottleneck(style, stroke)
        name, source = self._resolve(style)
        bottleneck = self._compute(source, stroke)
        label = name
        for number in itertools.count(2):  # another folder may have a my.jpg, too
            if self._sources.setdefault(label, source) is source:
                self._bottlenecks[label, stroke] = bottleneck
                break
            if np.array_equal(self._bottleneck(label, stroke), bottleneck):
                break
            label = f"{name} ({number})"
        return label, self._bottlenecks[label, stroke]

    def _resolve(self, style: StyleInput) -> tuple[str, StyleSpec | Image | ComputedStyle]:
        """Return the name of a style and what its bottleneck is computed from."""
        if isinstance(style, ComputedStyle):
            return style.label, style
        if isinstance(style, np.ndarray):
            return f"picture {len(self._sources) + 1}", check_image(style).copy()
        spec = style if isinstance(style, StyleSpec) else parse_style(str(style))
        return spec.label, spec

    def _bottleneck(self, label: str, stroke: float) -> Bottleneck:
        if (label, stroke) not in self._bottlenecks:
            self._bottlenecks[label, stroke] = self._compute(self._sources[label], stroke)
        return self._bottlenecks[label, stroke]

    def _compute(self, source: StyleSpec | Image | ComputedStyle, stroke: float) -> Bottleneck:
        if isinstance(source, ComputedStyle):
            return source.bottlenecks[stroke]
        if isinstance(source, StyleSpec):
            return self._store.of_spec(source, stroke)
        return self._store.of_image(source, stroke)
