"""Read photos and styles from zip archives and folders, and split them by their names."""

import hashlib
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
"""A picture, RGB uint8 `[height, width, 3]`."""

VARIANT_SIDE = 480
"""Long side, in pixels, of the picture that a variant of a style is cut from."""

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff")


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture.

    Attributes:
        name: The name of its file, without folders: the split depends on it alone.
        content: The bytes of the file.
    """

    name: str
    content: bytes

    def decode(self) -> Rgb:
        """Decode the picture.

        Raises:
            ValueError: It is damaged, or of a format that OpenCV does not read.
        """
        found = cv2.imdecode(np.frombuffer(self.content, np.uint8), cv2.IMREAD_COLOR)
        if found is None:
            raise ValueError(f"{self.name} is no picture that can be read")
        return np.ascontiguousarray(found[..., ::-1])


def read_pictures(places: Iterable[Path]) -> list[Picture]:
    """Read all pictures of some zip archives and folders, sorted by name.

    Args:
        places: Archives, or folders that are searched with all folders inside.

    Raises:
        ValueError: There is no picture in one of them.
    """
    found: list[Picture] = []
    for place in places:
        got = _from_zip(place) if place.suffix == ".zip" else _from_folder(place)
        if not got:
            raise ValueError(f"{place} holds no pictures ({', '.join(ENDINGS)})")
        found += got
    return sorted(found, key=lambda picture: (picture.name, picture.content))


def some(pictures: Sequence[Picture], most: int) -> list[Picture]:
    """Pick at most so many pictures, by their names alone; 0 for all."""
    if not most or most >= len(pictures):
        return list(pictures)
    order = sorted(pictures, key=lambda each: hashlib.sha256(b"some" + each.name.encode()).digest())
    picked = {id(each) for each in order[:most]}
    return [each for each in pictures if id(each) in picked]


def split(pictures: Sequence[Picture], share: float) -> tuple[list[Picture], list[Picture]]:
    """Split pictures into those to train with and those to evaluate with.

    The split depends on each name alone, so adding pictures moves none to the other side.

    Args:
        pictures: All of them.
        share: The expected share of the second part, 0..1.

    Returns:
        (to train with, held out), each in the given order.
    """
    train, held = [], []
    for picture in pictures:
        digest = hashlib.sha256(picture.name.encode()).digest()
        fraction = int.from_bytes(digest[:4], "big") / 2**32
        (held if fraction < share else train).append(picture)
    return train, held


def variant(picture: Picture, number: int) -> Picture:
    """Make another style of one: a part of it, turned, mostly with its color channels exchanged.

    Args:
        picture: The style.
        number: Of the variant; the result depends on nothing else.
    """
    image = long_side(picture.decode(), VARIANT_SIDE)
    name = hashlib.sha256(picture.name.encode()).digest()
    rng = np.random.default_rng([number, *name[:4]])
    sides = image.shape[:2]
    height, width = (max(1, round(rng.uniform(0.6, 0.9) * side)) for side in sides)
    top, left = int(rng.integers(sides[0] - height + 1)), int(rng.integers(sides[1] - width + 1))
    part = np.rot90(image[top : top + height, left : left + width], int(rng.integers(4)))
    bgr = list(permutations(range(3)))[1 + int(rng.integers(5))]  # one in five: as they are
    done, content = cv2.imencode(".png", np.ascontiguousarray(part[..., list(bgr)]))
    assert done
    return Picture(f"{number}-{picture.name}", content.tobytes())


def short_side(image: Rgb, side: int) -> Rgb:
    """Scale a picture so that its short side has `side` pixels."""
    height, width = image.shape[:2]
    scale = side / min(height, width)
    return resize(image, (max(side, round(width * scale)), max(side, round(height * scale))))


def long_side(image: Rgb, side: int) -> Rgb:
    """Scale a picture so that its long side has `side` pixels."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    return resize(image, (max(1, round(width * scale)), max(1, round(height * scale))))


def resize(image: Rgb, size: tuple[int, int]) -> Rgb:
    """Scale a picture to (width, height): area-averaged where it shrinks, else bicubic."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    shrinks = size[0] * size[1] < width * height
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def middle_square(image: Rgb, side: int) -> Rgb:
    """Cut the middle square of a picture and scale it to `side` pixels."""
    height, width = image.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    return resize(np.ascontiguousarray(image[top : top + short, left : left + short]), (side, side))


def _from_zip(place: Path) -> list[Picture]:
    with zipfile.ZipFile(place) as archive:
        return [
            Picture(Path(name).name, archive.read(name))
            for name in archive.namelist()
            if name.lower().endswith(ENDINGS)
        ]


def _from_folder(place: Path) -> list[Picture]:
    files = (path for path in place.rglob("*") if path.suffix.lower() in ENDINGS)
    return [Picture(path.name, path.read_bytes()) for path in files if path.is_file()]
