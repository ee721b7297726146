"""The styles that a session knows, under the labels that people see."""

import itertools
from pathlib import Path

import numpy as np

from live_nst.engines.base import Bottleneck
from live_nst.styles.bottlenecks import BottleneckStore
from live_nst.styles.spec import StyleSpec, parse_style
from live_nst.types import Image, check_image

StyleInput = str | Path | Image | StyleSpec
"""A built-in name, a picture file, a mix "NAME:WEIGHT+NAME:WEIGHT", or a BGR uint8 picture."""


class StyleRegistry:
    """Gives every style a label, and keeps its bottlenecks at hand.

    Args:
        bank: Computes them.
    """

    def __init__(self, bank: BottleneckStore) -> None:
        self._bank = bank
        self._sources: dict[str, StyleSpec | Image] = {}
        self._bottlenecks: dict[tuple[str, float], Bottleneck] = {}

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the styles that are ready."""
        return tuple(self._sources)

    def put(self, style: StyleInput, stroke: float) -> tuple[str, Bottleneck]:
        """The label of a style, and its bottleneck with strokes of that size.

        Raises:
            StyleError: It cannot be used.
        """
        if isinstance(style, str) and style in self._sources:
            return style, self._known(style, stroke)
        name, source = self._named(style)
        bottleneck = self._computed(source, stroke)
        label = name
        for number in itertools.count(2):  # there may be another my.jpg, in another folder
            if self._sources.setdefault(label, source) is source:
                self._bottlenecks[label, stroke] = bottleneck
                break
            if np.array_equal(self._known(label, stroke), bottleneck):
                break
            label = f"{name} ({number})"
        return label, self._bottlenecks[label, stroke]

    def _named(self, style: StyleInput) -> tuple[str, StyleSpec | Image]:
        """What to call a style, and what it is made of."""
        if isinstance(style, np.ndarray):
            return f"picture {len(self._sources) + 1}", check_image(style).copy()
        spec = style if isinstance(style, StyleSpec) else parse_style(str(style))
        return spec.label, spec

    def _known(self, label: str, stroke: float) -> Bottleneck:
        if (label, stroke) not in self._bottlenecks:
            self._bottlenecks[label, stroke] = self._computed(self._sources[label], stroke)
        return self._bottlenecks[label, stroke]

    def _computed(self, source: StyleSpec | Image, stroke: float) -> Bottleneck:
        if isinstance(source, StyleSpec):
            return self._bank.bottleneck(source, stroke)
        return self._bank.of_picture(source, stroke)
