"""The demo scene: somebody talks and waves before a webcam, a cat comes by.

All of it is painted once, at the start; `DemoScene.draw` only lays cut-outs over the room. What
moves repeats after `PERIOD` seconds, without a seam.
"""

import math

import cv2
import numpy as np

from live_nst.types import Image
from tools.draw_demo import person, props
from tools.draw_demo.face import EYES, MOUTH, Expression
from tools.draw_demo.paint import Sprite, blur, lay
from tools.draw_demo.room import LEDGE, POT, RoomPainter

PERIOD = 20.0
"""Seconds after which the scene repeats."""

_SEED = 7
_PAINTED = 1920 * 1080
"""Pixels at most that are painted; larger pictures are enlarged from that."""
_THROAT = 0.30
"""How far the pit of the throat is above the lower edge, in units."""
_FACE = _THROAT + 0.258
"""The same for the middle of the face."""
_NECK = 0.15
"""How far below the middle of the face the head turns."""
_SWAY = (0.032, 0.024)
"""How far the head may leave its place to the side and up or down, in units."""

_GAZES = (-0.8, 0.0, 0.8)
_LIDS = (0.0, 0.35, 0.7)
_MOUTHS = 8
_ARMS = 25
_SUBPIXELS = 4

# Moments in seconds; (from, to) for what lasts.
_BLINKS = (1.4, 4.6, 7.9, 8.3, 11.7, 14.2, 17.6, 19.3)
_TALKS = ((0.6, 5.2), (7.4, 12.4), (14.8, 18.6))
_GLANCES = ((5.2, 6.6, 0), (12.6, 13.9, 2))
_WAVE = (9.0, 14.6)
_CAT = (1.5, 17.0)


def _rise(time: float, start: float, stop: float, ease: float) -> float:
    """0 outside (start, stop), 1 inside, with soft edges of `ease` seconds."""
    x = min(time - start, stop - time) / ease
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)


def _swing(time: float, cycles: int, turn: float = 0.0) -> float:
    """A sine of `cycles` whole cycles in the period."""
    return math.sin(2 * math.pi * (cycles * time / PERIOD + turn))


class DemoScene:
    """A moving scene, bit for bit the same for the same time and size.

    One thread draws at a time: the eyes and the mouth are changed in the head's one picture.

    Args:
        width: Pixels, from 16.
        height: Pixels, from 16.
    """

    def __init__(self, width: int, height: int) -> None:
        self._size = (width, height)
        shrink = max(1.0, math.sqrt(width * height / _PAINTED))
        width, height = max(round(width / shrink), 2), max(round(height / shrink), 2)
        # Tall pictures: as wide as the shoulders, so that the person keeps their shape.
        self._unit = unit = min(float(height), width / 0.75)
        self._width, self._height = width / unit, height / unit
        self._middle = 0.5 * self._width
        # Each has its own chance, so that the person looks the same in a room of any shape.
        room_rng, props_rng, person_rng = (np.random.default_rng((_SEED, k)) for k in range(3))
        room = RoomPainter(width, height, unit, room_rng).paint()
        self._panes, self._view = room.panes, room.view
        self._balloon = props.balloon(unit)
        self._plant = props.plant(props_rng, unit)
        self._cat = props.cat(props_rng, unit)
        body = person.body(person_rng, unit)
        # A quarter of a pixel is all that the eye can follow in something that sways.
        self._body = [
            body.warped(np.array([[1, 0, step / _SUBPIXELS], [0, 1, 0]], np.float32), *body.size)
            for step in range(_SUBPIXELS)
        ]
        self._prepare_head(person_rng)
        lean = 14 if self._width > 1.2 else -9
        # Even in time, not in angle: a wave slows down where it turns.
        angles = lean + 17 * np.sin(np.linspace(-np.pi / 2, np.pi / 2, _ARMS))
        self._arm = person.arm(person_rng, unit, angles.tolist())
        self._room = room.image
        self._cast_shadow()

    def _prepare_head(self, rng: np.random.Generator) -> None:
        painter = person.HeadPainter(rng, self._unit)
        self._head = painter.whole()
        self._eyes_area, self._mouth_area = painter.area(EYES), painter.area(MOUTH)
        self._gazes = [painter.paint(EYES, Expression(gaze=gaze)).layers for gaze in _GAZES]
        self._lids = [painter.paint(EYES, Expression(lids=lids)).layers for lids in _LIDS]
        openings = np.linspace(0, 1, _MOUTHS)
        self._mouths = [
            painter.paint(MOUTH, Expression(mouth=float(opening))).layers for opening in openings
        ]

    def _cast_shadow(self) -> None:
        """Darken the room softly where the person keeps the window's light away."""
        right, down = int(0.05 * self._unit), int(0.03 * self._unit)
        body, head = self._body_place(0.0), self._head_place()
        lit = np.full_like(self._room, 255)
        for picture, (left, top) in ((self._body[0], body), (self._head, head)):
            dark = picture.layers * np.array([0, 0, 0, 1], np.uint8)
            Sprite(dark).blend(lit, left + right, top + down)
        shade = blur(lit[..., 0].astype(np.float32) / 255, 0.04 * self._unit)
        self._room = (self._room * (0.55 + 0.45 * shade)[..., None]).astype(np.uint8)

    def _head_place(self) -> tuple[int, int]:
        width, height = self._head.size
        left = self._middle * self._unit - width / 2
        top = (self._height - _FACE) * self._unit - height / 2
        return int(left), int(top)

    def _body_place(self, sway: float) -> tuple[int, int]:
        left = (self._middle - person.BODY[0] / 2 + sway) * self._unit
        return math.floor(left), int((self._height - _THROAT - 0.20) * self._unit)

    def draw(self, time_seconds: float) -> Image:
        """The scene at a time: a new picture, BGR uint8 ``[height, width, 3]``."""
        # Rounded, so that a time and the same time a period later give the same picture.
        time = round(time_seconds % PERIOD, 6) % PERIOD
        image = self._room.copy()
        self._draw_balloon(image, time)
        self._draw_plant(image, time)
        self._draw_cat(image, time)
        self._draw_body(image, time)
        self._draw_head(image, time)
        self._draw_arm(image, time)
        if image.shape[1::-1] == self._size:
            return image
        return np.asarray(cv2.resize(image, self._size), np.uint8)

    def _draw_balloon(self, image: Image, time: float) -> None:
        """Behind the panes only: the bars, the frame and the curtains hide it."""
        left, top, right, bottom = self._view
        view = image[top:bottom, left:right]
        if view.size == 0:
            return
        width, height = self._balloon.size
        x = int((right - left + width) * time / PERIOD) - width
        y = int((0.13 - 0.02 * _swing(time, 2)) * self._unit)
        x0, x1 = max(x, 0), min(x + width, right - left)
        y1 = min(y + height, bottom - top)
        if x0 >= x1 or y >= y1:
            return
        flown = view[y:y1, x0:x1].copy()
        lay(flown, self._balloon.layers[: y1 - y, x0 - x : x1 - x])
        cv2.copyTo(flown, self._panes[top + y : top + y1, left + x0 : left + x1], view[y:y1, x0:x1])

    def _draw_plant(self, image: Image, time: float) -> None:
        breeze = 0.62 * _swing(time, 4) + 0.38 * _swing(time, 11, 0.2)
        step = round((breeze + 1) / 2 * (props.PLANT_STEPS - 1))
        picture = self._plant[step]
        x = POT[0] * self._width - props.PLANT[0] / 2
        y = self._height - LEDGE - POT[1] + 0.06 - props.PLANT[1]
        picture.blend(image, int(x * self._unit), int(y * self._unit))

    def _draw_cat(self, image: Image, time: float) -> None:
        start, stop = _CAT
        if not start < time < stop:
            return
        way = self._width + props.CAT[0]
        gone = (time - start) / (stop - start) * way
        x = gone - props.CAT[0]
        step = int(gone / 0.17 * props.CAT_STEPS) % props.CAT_STEPS
        y = self._height - LEDGE + 0.045 + 0.02 - props.CAT[1]
        self._cat[step].blend(image, round(x * self._unit), round(y * self._unit))

    def _draw_body(self, image: Image, time: float) -> None:
        sway = 0.010 * _swing(time, 3, 0.1) + 0.004 * _swing(time, 7)
        left = (self._middle - person.BODY[0] / 2 + sway) * self._unit
        part = int((left - math.floor(left)) * _SUBPIXELS)
        x, y = self._body_place(sway)
        breath = round(0.003 * self._unit * _swing(time, 5))
        self._body[part].blend(image, x, y + breath)

    def _draw_head(self, image: Image, time: float) -> None:
        layers = self._head.layers
        layers[self._eyes_area] = self._eyes(time)
        layers[self._mouth_area] = self._mouths[round(self._speech(time) * (_MOUTHS - 1))]
        unit = self._unit
        width, height = self._head.size
        angle = 2.6 * _swing(time, 3) + 1.1 * _swing(time, 8, 0.3)
        x = self._middle + 0.014 * _swing(time, 3, 0.08) + 0.004 * _swing(time, 7)
        nod = sum(_rise(time, *talk, 0.5) for talk in _TALKS) * 0.004 * _swing(time, 29)
        y = self._height - _FACE + 0.004 * _swing(time, 5) + nod
        pivot = (width / 2, height / 2 + _NECK * unit)
        matrix = cv2.getRotationMatrix2D(pivot, -angle, 1.0)
        matrix[:, 2] += np.array([x * unit - width / 2, y * unit - height / 2])

        # Only where the head can ever be is worth warping.
        left, top = self._head_place()
        beside, above = int(_SWAY[0] * unit), int(_SWAY[1] * unit)
        x0, y0 = max(left - beside, 0), max(top - above, 0)
        view = image[y0 : top + height + above, x0 : left + width + beside]
        matrix[:, 2] -= (x0, y0)
        head = self._head.warped(matrix.astype(np.float32), view.shape[1], view.shape[0])
        lay(view, head.layers)

    def _eyes(self, time: float) -> Image:
        for moment in _BLINKS:
            shut = _rise(time, moment, moment + 0.30, 0.13)
            if shut > 0.15:
                return self._lids[round((1 - shut) * (len(_LIDS) - 1) / 0.85)]
        for start, stop, gaze in _GLANCES:
            if start < time < stop:
                return self._gazes[gaze]
        return self._gazes[1]

    def _speech(self, time: float) -> float:
        """How far the mouth is open, 0..1."""
        loud = sum(_rise(time, *talk, 0.25) for talk in _TALKS)
        syllable = abs(_swing(time, 47)) * (0.65 + 0.35 * _swing(time, 31, 0.4))
        return loud * max(syllable + 0.12 * _swing(time, 13), 0.0) / 1.12

    def _draw_arm(self, image: Image, time: float) -> None:
        raised = _rise(time, *_WAVE, 0.9)
        if raised == 0.0:
            return
        step = round(abs((26 * 2 * time / PERIOD) % 2 - 1) * (_ARMS - 1))
        picture, left, top = self._arm[step]
        x = self._middle + min(0.38, 0.5 * self._width - 0.15)
        y = self._height + 0.14 + 0.66 * (1 - raised)
        picture.blend(image, int(x * self._unit) + left, int(y * self._unit) + top)
