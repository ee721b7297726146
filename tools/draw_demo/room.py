"""The room behind the person: wall, window, shelf, picture, lamp. Painted once."""

from dataclasses import dataclass

import cv2
import numpy as np

from live_nst.types import Image
from tools.draw_demo.paint import (
    Canvas,
    Field,
    Points,
    blur,
    fractal,
    grid,
    inflate,
    light,
    noise,
    outline,
    rgb,
    smoothstep,
    spline,
)

Box = tuple[float, float, float, float]
"""left, top, right, bottom, in units."""

LEDGE = 0.27
"""How far above the lower edge the top of the sideboard is, in units."""
POT = (0.10, 0.10)
"""Where the plant grows: x in widths of the picture, y in units above the sideboard's edge."""

_BOOKS = [
    rgb(150, 52, 44), rgb(38, 70, 98), rgb(205, 178, 130), rgb(60, 96, 74), rgb(196, 132, 54),
    rgb(92, 48, 70), rgb(222, 210, 188), rgb(44, 50, 60), rgb(112, 132, 140), rgb(176, 92, 62),
]  # fmt: skip


@dataclass(frozen=True)
class Room:
    """The painted room.

    Attributes:
        image: uint8 ``[h, w, 3]``, BGR.
        panes: uint8 ``[h, w]``: 255 where one looks out of the window.
        view: left, top, right, bottom of the window in pixels.
    """

    image: Image
    panes: Image
    view: tuple[int, int, int, int]


class RoomPainter:
    """Paints the room for one size.

    Args:
        width: Pixels.
        height: Pixels.
        unit: Pixels to a unit, the measure of everything in the scene.
        rng: The source of all chance.
    """

    def __init__(self, width: int, height: int, unit: float, rng: np.random.Generator) -> None:
        self._canvas = Canvas(width, height, unit)
        self._pixels = (width, height)
        self._unit = unit
        self._rng = rng
        self._width, self._height = width / unit, height / unit
        self._ledge = self._height - LEDGE
        wide = max(0.27 * self._width, 0.30)
        self._window = (0.045 * self._width, 0.045, 0.045 * self._width + wide, self._ledge - 0.13)

    def paint(self) -> Room:
        """Paint everything, from the back to the front."""
        self._wall()
        self._picture(0.655 * self._width, 0.775 * self._width)
        self._shelf(max(0.815 * self._width, self._width - 0.42))
        self._sideboard()
        self._light()
        self._outside()
        self._curtains()
        self._lamp(0.715 * self._width)
        self._pot(POT[0] * self._width)
        image = blur(self._canvas.image, 0.0015 * self._unit)
        grain = 1.6 * self._rng.standard_normal(image.shape[:2], np.float32)
        finished = np.clip(image + grain[..., None], 0, 255).astype(np.uint8)
        left, top, right, bottom = (int(edge * self._unit) for edge in self._window)
        return Room(finished, self._panes(), (left, top, right, bottom))

    def _wall(self) -> None:
        width, height = self._pixels
        motif_h, motif_w = max(int(0.15 * self._unit), 2), max(int(0.105 * self._unit), 2)
        motif = np.zeros((motif_h, motif_w), np.float32)
        leaf = [(0, -0.5), (0.16, -0.25), (0.1, 0.02), (0, 0.1), (-0.1, 0.02), (-0.16, -0.25)]
        for turn, size in ((0, 0.62), (72, 0.42), (-72, 0.42), (140, 0.3), (-140, 0.3)):
            angle = np.radians(turn)
            spin = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
            points = spline(leaf, closed=True) @ spin.astype(np.float32) * np.float32(size)
            # In the middle and at the corners, so that the tiles join.
            for shift in ((0.5, 0.5), (0, 0), (1, 0), (0, 1), (1, 1)):
                place = points + np.array([shift[0], shift[1] + 0.06], np.float32)
                place *= np.array([motif_w, motif_h], np.float32)
                motif = np.maximum(motif, outline(motif_h, motif_w, place))
        repeats = (height // motif_h + 1, width // motif_w + 1)
        pattern = np.tile(motif, repeats)[:height, :width]
        plaster = fractal(self._rng, height, width, 0.2 * self._unit)
        speckle = noise(self._rng, height, width, 0.004 * self._unit)
        tone = 1 + 0.12 * pattern + 0.05 * plaster + 0.035 * speckle
        self._canvas.image[:] = rgb(92, 128, 132) * tone[..., None]

    def _wood(self, height: int, width: int, color: Field, upright: bool = False) -> Field:
        size = (width, height) if upright else (height, width)
        veins = noise(self._rng, *size, 0.012 * self._unit, 14)
        pores = noise(self._rng, *size, 0.0035 * self._unit, 30)
        tone = 1 + 0.15 * np.sin(5 * veins) + 0.1 * pores
        return np.asarray(color * (tone.T if upright else tone)[..., None], np.float32)

    def _picture(self, left: float, right: float) -> None:
        top = 0.10
        bottom = top + max(1.18 * (right - left), 0.2)
        canvas = self._canvas
        canvas.box(
            left + 0.012, top + 0.02, right + 0.022, bottom + 0.028, rgb(12, 20, 24), 0.55, 0.014
        )
        edges = ((0.0, rgb(74, 50, 28)), (0.004, rgb(176, 132, 70)), (0.016, rgb(110, 76, 38)))
        for inset, color in (*edges, (0.02, rgb(232, 226, 212))):
            canvas.box(left + inset, top + inset, right - inset, bottom - inset, color)
        inset = min(0.045, 0.3 * (right - left))

        def print_(height: int, width: int) -> Field:
            return landscape(self._rng, height, width, dusk=True)

        canvas.box(left + inset, top + inset, right - inset, bottom - inset, print_)

    def _shelf(self, left: float) -> None:
        canvas, right = self._canvas, self._width + 0.05
        wood = rgb(112, 74, 46)
        canvas.box(left - 0.05, 0.0, left + 0.02, self._ledge, rgb(10, 16, 18), 0.5, 0.022)
        canvas.box(left, -0.05, right, self._ledge, rgb(38, 27, 20))
        bottom = self._ledge
        while bottom > -0.05:
            self._books(left + 0.03, right, bottom - 0.022)
            canvas.box(left, bottom - 0.022, right, bottom, lambda h, w: self._wood(h, w, wood))
            canvas.box(left + 0.02, bottom, right, bottom + 0.03, rgb(8, 6, 5), 0.7, 0.01)
            bottom -= 0.225
        canvas.box(
            left, -0.05, left + 0.022, self._ledge, lambda h, w: self._wood(h, w, wood, True)
        )

    def _books(self, left: float, right: float, floor: float) -> None:
        rng = self._rng
        while left < right:
            wide, high = rng.uniform(0.016, 0.036), rng.uniform(0.125, 0.178)
            color = _BOOKS[rng.integers(len(_BOOKS))] * np.float32(rng.uniform(0.72, 1.05))
            lean = rng.uniform(0.015, 0.03) if rng.random() < 0.12 else 0.0

            def spine(height: int, width: int, color: Field = color) -> Field:
                across = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
                shade = 1.05 - 0.5 * (across + 0.25) ** 2
                return np.broadcast_to(color * shade, (height, width, 3))

            top = floor - high
            corners = [(lean, top), (lean + wide, top), (wide, floor), (0, floor)]
            points = np.array(corners, np.float32) + np.array([left, 0], np.float32)
            self._canvas.fill(points, spine)
            for at in (0.12, 0.2, 0.82):
                y = top + at * high
                x = left + lean * (1 - at)
                ink = color * np.float32(0.55) if sum(color) > 380 else rgb(214, 184, 120)
                self._canvas.box(x + 0.002, y, x + wide - 0.002, y + 0.006, ink, 0.75)
            left += wide + 0.0015 + lean

    def _sideboard(self) -> None:
        canvas, right, bottom = self._canvas, self._width, self._height
        canvas.box(
            -0.1, self._ledge - 0.02, right + 0.1, self._ledge + 0.01, rgb(14, 14, 14), 0.5, 0.014
        )
        top = rgb(168, 116, 74)
        canvas.box(
            -0.1, self._ledge, right + 0.1, self._ledge + 0.062, lambda h, w: self._wood(h, w, top)
        )
        front = rgb(112, 72, 44)
        canvas.box(
            -0.1,
            self._ledge + 0.062,
            right + 0.1,
            bottom + 0.1,
            lambda h, w: self._wood(h, w, front),
        )
        canvas.box(
            -0.1, self._ledge + 0.062, right + 0.1, self._ledge + 0.075, rgb(20, 12, 8), 0.75, 0.005
        )
        canvas.box(
            -0.1, self._ledge + 0.056, right + 0.1, self._ledge + 0.062, rgb(214, 164, 112), 0.7
        )
        for x in np.arange(0.02, right, 0.42):
            for inset, color in ((0.0, rgb(52, 31, 19)), (0.005, rgb(128, 84, 52))):
                box = (x + inset, self._ledge + 0.1 + inset, x + 0.38 - inset, bottom + 0.1)
                canvas.box(*box, color, 0.75)
            canvas.box(
                x + 0.15, self._ledge + 0.16, x + 0.23, self._ledge + 0.172, rgb(206, 172, 104)
            )

    def _light(self) -> None:
        """Daylight from the left, the lamp's glow on the right, dusk in the corners."""
        width, height = self._pixels
        x, y = grid(0, 0, width // 8 + 1, height // 8 + 1, self._unit / 8)
        day = np.exp(-(((x - self._window[2]) / 0.9) ** 2) - ((y - 0.35) / 0.75) ** 2)
        lamp_x = 0.715 * self._width
        glow = np.exp(-(((x - lamp_x) / 0.24) ** 2) - ((y - self._ledge + 0.2) / 0.24) ** 2)
        total = (
            0.55 + day[..., None] * rgb(0.55, 0.62, 0.68) + glow[..., None] * rgb(1.05, 0.72, 0.36)
        )
        self._canvas.image *= cv2.resize(total.astype(np.float32), (width, height))

    def _outside(self) -> None:
        left, top, right, bottom = self._window
        canvas, white, frame = self._canvas, rgb(226, 222, 212), 0.026
        shadow = (left - frame, top - frame, right + frame + 0.02, bottom + 0.05)
        canvas.box(*shadow, rgb(10, 16, 20), 0.4, 0.02)
        for wide, color in ((frame, white * np.float32(0.92)), (0.008, rgb(120, 118, 112))):
            canvas.box(left - wide, top - wide, right + wide, bottom + wide, color)
        canvas.box(left, top, right, bottom, lambda h, w: landscape(self._rng, h, w, dusk=False))
        for box in self._bars():
            canvas.box(*box, rgb(150, 150, 148))
            canvas.box(box[0], box[1], box[2] - 0.005, box[3] - 0.005, white)
        sill = (left - 0.05, bottom + 0.012, right + 0.05, bottom + 0.042)
        canvas.box(*sill, rgb(236, 231, 220))
        canvas.box(sill[0], sill[3], sill[2], sill[3] + 0.018, rgb(20, 26, 28), 0.5, 0.006)

    def _bars(self) -> tuple[Box, Box]:
        """The window's upright and its cross bar."""
        left, top, right, bottom = self._window
        middle, across, half = (left + right) / 2, top + 0.42 * (bottom - top), 0.011
        upright = (middle - half, top, middle + half, bottom)
        return upright, (left, across - half, right, across + half)

    def _hems(self) -> list[Points]:
        """The outlines of the two curtains."""
        left, _, right, bottom = self._window
        down = bottom + 0.115
        hems = []
        for edge, inner, tip in (
            (left - 0.07, left + 0.04, left + 0.005),
            (right + 0.06, right - 0.03, right),
        ):
            side = [(inner, -0.1), (inner, 0.2), (tip, 0.8 * down), (tip, down)]
            hems.append(np.array([(edge, -0.1), *side, (edge, down)], np.float32))
        return hems

    def _panes(self) -> Image:
        """Where one looks out: the window without its bars and what the curtains hide."""
        left, top, right, bottom = self._window
        panes = Canvas(*self._pixels, self._unit)
        panes.box(left, top, right, bottom, rgb(255, 255, 255))
        for box in self._bars():
            panes.box(*box, rgb(0, 0, 0))
        for hem in self._hems():
            panes.fill(hem, rgb(0, 0, 0))
        return np.asarray(255 * (panes.image[..., 0] > 254), np.uint8)

    def _curtains(self) -> None:
        def cloth(height: int, width: int) -> Field:
            x, y = grid(0, 0, width, height, self._unit)
            sway = noise(self._rng, height, width, 0.25 * self._unit)
            folds = np.sin(150 * x + 1.6 * sway) + 0.5 * np.sin(67 * x + 2.2 * sway + 0.5 * y)
            weave = noise(self._rng, height, width, 0.003 * self._unit)
            tone = 0.80 + 0.16 * folds + 0.03 * weave
            return np.asarray(rgb(216, 186, 146) * tone[..., None], np.float32)

        for hem in self._hems():
            shadow = hem + np.array([0.012, 0.01], np.float32)
            self._canvas.fill(shadow, rgb(10, 14, 18), 0.45, 0.012)
            self._canvas.fill(hem, cloth)

    def _solid(self, points: Points, color: Field, radius: float) -> None:
        """A rounded body under the light of the room."""
        margin = 0.01

        def relief(height: int, width: int) -> Field:
            local = (points - points.min(0)) * np.float32(self._unit) + 2
            return color * light(inflate(outline(height, width, local), radius * self._unit))

        self._canvas.fill(points + np.float32(margin), rgb(10, 8, 8), 0.5, 0.012)
        self._canvas.fill(points, relief)

    def _lamp(self, x: float) -> None:
        floor, canvas = self._ledge + 0.03, self._canvas
        half = [(0.02, -0.15), (0.022, -0.125), (0.055, -0.06), (0.03, 0.0)]
        vase = half + [(-px, py) for px, py in half[::-1]]
        self._solid(
            spline(vase, closed=True) + np.array([x, floor], np.float32), rgb(70, 104, 150), 0.05
        )
        shade = [(-0.065, -0.33), (0.065, -0.33), (0.115, -0.15), (-0.115, -0.15)]

        def glow(height: int, width: int) -> Field:
            across = np.linspace(-1, 1, width, dtype=np.float32)[None]
            down = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
            tone = np.exp(-((across / 0.75) ** 2) - ((down - 0.25) / 0.9) ** 2)[..., None]
            return rgb(206, 138, 74) + tone * rgb(60, 104, 112)

        canvas.fill(np.array(shade, np.float32) + np.array([x, floor], np.float32), glow)

    def _pot(self, x: float) -> None:
        pot = [
            (-0.085, -0.15),
            (0.085, -0.15),
            (0.075, -0.07),
            (0.06, 0.0),
            (-0.06, 0.0),
            (-0.075, -0.07),
        ]
        points = np.array(pot, np.float32) + np.array([x, self._ledge + 0.035], np.float32)
        self._solid(points, rgb(186, 104, 70), 0.06)


def landscape(rng: np.random.Generator, height: int, width: int, dusk: bool) -> Field:
    """Sky, clouds, hills and a lake, ``[h, w, 3]``; at dusk or at noon."""
    _, y = grid(0, 0, width, height, height)
    high, low = (
        (rgb(70, 70, 122), rgb(240, 160, 104)) if dusk else (rgb(96, 152, 214), rgb(226, 232, 232))
    )
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = high + (low - high) * smoothstep(0, 0.62, y)[..., None]
    puffs = fractal(rng, height, width, 0.22 * height)
    cloud = smoothstep(0.05, 0.75, puffs) * smoothstep(0.65, 0.35, y)
    picture += (rgb(255, 226, 200) - picture) * (0.85 * cloud)[..., None]
    hills = (
        ((0.52, 0.10, 0.50), rgb(120, 110, 150), rgb(142, 166, 190)),
        ((0.60, 0.08, 0.33), rgb(84, 74, 104), rgb(98, 136, 128)),
        ((0.70, 0.06, 0.25), rgb(58, 50, 66), rgb(104, 140, 70)),
        ((0.86, 0.05, 0.12), rgb(34, 30, 40), rgb(58, 92, 44)),
    )
    for (at, swing, cell), evening, noon in hills:
        ridge = at + swing * fractal(rng, 1, width, max(cell * height, 4))
        mask = smoothstep(-0.004, 0.004, y - ridge)[..., None]
        leaves = fractal(rng, height, width, 0.05 * height)
        slope = 1.12 - 0.9 * np.clip(y - ridge, 0, 0.4) + 0.22 * leaves
        picture += ((evening if dusk else noon) * slope[..., None] - picture) * mask
    return picture
