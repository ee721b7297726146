"""Painters that cost nothing, for tests of what happens around the network."""

import numpy as np

from live_nst.conversion.stills import StillPainter
from live_nst.engines.base import Painted
from live_nst.frames import Image


class Inverter:
    """Paints a negative, so that what was painted can be told from what was not."""

    def still(self, image: Image, time: float = 0.0, *, size: int | None = None) -> Painted:
        return Painted(image, 255 - image)

    def finish(self, image: Image, painted: Painted, time: float = 0.0) -> Image:
        return np.ascontiguousarray(painted.stylised)


class Copier(Inverter):
    """Paints nothing: what comes out is what went in."""

    def still(self, image: Image, time: float = 0.0, *, size: int | None = None) -> Painted:
        return Painted(image, image.copy())


def inverter() -> StillPainter:
    return StillPainter(Inverter())


def copier() -> StillPainter:
    return StillPainter(Copier())
