"""Painters that cost nothing, for tests of what happens around the network."""

from live_nst.conversion.images.convert import StillPainter
from live_nst.types import Image


class Inverter:
    """Paints a negative, so that what was painted can be told from what was not."""

    def still(self, image: Image, time: float = 0.0, *, size: int | None = None) -> Image:
        return 255 - image


class Copier:
    """Paints nothing: what comes out is what went in."""

    def still(self, image: Image, time: float = 0.0, *, size: int | None = None) -> Image:
        return image.copy()


def inverter() -> StillPainter:
    return Inverter()


def copier() -> StillPainter:
    return Copier()
