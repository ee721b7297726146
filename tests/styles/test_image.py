import io
import random
import struct
import time
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.errors import StyleError
from live_nst.files import images
from live_nst.styles.image import (
    center_crop,
    fast_center_crop,
    read_style_image,
    stroke_crops,
)

SIZE = (48, 32)
ORANGE, TEAL = (230, 120, 20), (10, 140, 150)  # RGB


def two_halves(mode: str = "RGB") -> Pillow.Image:
    """Orange on the left, teal on the right."""
    picture = Pillow.new("RGB", SIZE, ORANGE)
    picture.paste(TEAL, (SIZE[0] // 2, 0, *SIZE))
    return picture.quantize(8) if mode == "P" else picture.convert(mode)


def assert_two_halves(image: np.ndarray, tolerance: int) -> None:
    assert image.dtype == np.uint8
    assert image.shape == (SIZE[1], SIZE[0], 3)
    assert image.flags.c_contiguous
    for column, rgb in ((8, ORANGE), (40, TEAL)):
        off = np.abs(image[16, column].astype(int) - rgb[::-1])
        assert off.max() <= tolerance, f"{image[16, column]} at {column}"


@pytest.mark.parametrize(
    ("name", "mode", "tolerance"),
    [
        ("a.jpg", "RGB", 4),
        ("a.JPEG", "RGB", 4),
        ("a.png", "RGB", 0),
        ("a.webp", "RGB", 6),
        ("a.bmp", "RGB", 0),
        ("a.tif", "RGB", 0),
        ("a.gif", "P", 8),
        ("palette.png", "P", 8),
        ("cmyk.jpg", "CMYK", 8),
        ("cmyk.tiff", "CMYK", 1),
        ("ycbcr.tiff", "YCbCr", 4),
        ("no-suffix", "RGB", 0),
    ],
)
def test_read_usual_formats(tmp_path: Path, name: str, mode: str, tolerance: int) -> None:
    path = tmp_path / name
    two_halves(mode).save(path, format=None if path.suffix else "PNG")

    assert_two_halves(read_style_image(path), tolerance)


def test_read_wrong_suffix(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    two_halves().save(path, format="PNG")
    assert_two_halves(read_style_image(path), 0)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tiff"])
def test_read_first_frame_of_animation(tmp_path: Path, name: str) -> None:
    later = [Pillow.new("RGB", SIZE, color) for color in ("black", "white")]
    two_halves().save(tmp_path / name, save_all=True, append_images=later)
    with Pillow.open(tmp_path / name) as saved:
        assert saved.n_frames == 3  # else nothing is shown here

    assert_two_halves(read_style_image(tmp_path / name), 10)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_read_gray(tmp_path: Path, name: str) -> None:
    Pillow.linear_gradient("L").save(tmp_path / name, quality=95)

    image = read_style_image(tmp_path / name)

    expected = np.tile(np.arange(256)[:, None, None], (1, 256, 3))
    assert np.abs(image.astype(int) - expected).max() <= 3


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.pgm"])
def test_read_gray_16_bit(tmp_path: Path, name: str) -> None:
    values = np.linspace(0, 65535, 64 * 16).astype(np.uint16).reshape(16, 64)
    Pillow.fromarray(values).save(tmp_path / name)

    image = read_style_image(tmp_path / name)

    expected = np.repeat((values / 257.0)[..., None], 3, axis=2)
    assert np.abs(image - expected).max() <= 1


def test_read_one_bit(tmp_path: Path) -> None:
    dots = np.indices((8, 8)).sum(0) % 2 == 0
    Pillow.fromarray(dots).save(tmp_path / "a.png")

    np.testing.assert_array_equal(
        read_style_image(tmp_path / "a.png"), np.repeat(dots[..., None] * np.uint8(255), 3, axis=2)
    )


def test_read_float(tmp_path: Path) -> None:
    values = np.linspace(-0.5, 1.5, 64, dtype=np.float32).reshape(8, 8)
    values[0, 0] = np.nan
    Pillow.fromarray(values).save(tmp_path / "a.tiff")

    image = read_style_image(tmp_path / "a.tiff")

    expected = np.nan_to_num(values).clip(0, 1)[..., None] * 255
    assert np.abs(image - expected).max() <= 1


def test_read_transparency_on_white(tmp_path: Path) -> None:
    picture = Pillow.new("RGBA", (3, 1))
    pixels = [(*ORANGE, 255), (*ORANGE, 0), (0, 0, 0, 51)]
    for x, pixel in enumerate(pixels):
        picture.putpixel((x, 0), pixel)
    picture.save(tmp_path / "a.png")

    image = read_style_image(tmp_path / "a.png")

    np.testing.assert_allclose(image[0], [ORANGE[::-1], (255, 255, 255), (204,) * 3], atol=1)


def test_read_gray_with_transparency(tmp_path: Path) -> None:
    Pillow.fromarray(np.array([[[0, 255], [0, 0]]], np.uint8), "LA").save(tmp_path / "a.png")
    assert read_style_image(tmp_path / "a.png")[0, :, 0].tolist() == [0, 255]


@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_read_palette_with_transparency(tmp_path: Path, name: str) -> None:
    picture = Pillow.new("P", (4, 2))
    picture.putpalette([*ORANGE, *TEAL, *(0, 0, 0)])
    picture.paste(1, (2, 0, 4, 2))
    picture.save(tmp_path / name, transparency=0)

    image = read_style_image(tmp_path / name)

    assert image[0, 0].tolist() == [255, 255, 255]
    assert image[0, 3].tolist() == list(TEAL[::-1])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_read_exif_rotation(tmp_path: Path, orientation: int) -> None:
    """Stored as EXIF says, every orientation comes back as the same picture."""
    upright = two_halves()
    upright.paste((255, 255, 255), (0, 0, 10, 10))  # which corner is which
    undo = {
        1: (),
        2: (Pillow.Transpose.FLIP_LEFT_RIGHT,),
        3: (Pillow.Transpose.ROTATE_180,),
        4: (Pillow.Transpose.FLIP_TOP_BOTTOM,),
        5: (Pillow.Transpose.TRANSPOSE,),
        6: (Pillow.Transpose.ROTATE_90,),
        7: (Pillow.Transpose.TRANSVERSE,),
        8: (Pillow.Transpose.ROTATE_270,),
    }[orientation]
    stored = upright
    for step in undo:
        stored = stored.transpose(step)
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)

    image = read_style_image(tmp_path / "a.jpg")

    assert_two_halves(image, 6)
    assert image[4, 4].min() > 240
    assert image[27, 4].min() < 60


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (2, 999)])
def test_read_tiny_and_elongated(tmp_path: Path, size: tuple[int, int]) -> None:
    Pillow.new("RGB", size, TEAL).save(tmp_path / "a.png")

    image = read_style_image(tmp_path / "a.png")
    cropped = center_crop(image, (32, 32))

    assert image.shape == (size[1], size[0], 3)
    assert (cropped == TEAL[::-1]).all()


# Refused


def refusal(path: Path) -> StyleError:
    with pytest.raises(StyleError) as caught:
        read_style_image(path)
    assert "\n" not in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.hint
    return caught.value


def test_read_missing(tmp_path: Path) -> None:
    assert "There is no style picture" in refusal(tmp_path / "none.jpg").message


def test_read_empty(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert "is empty" in refusal(tmp_path / "a.jpg").message


def test_read_text_as_jpeg(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("this is a text\n" * 100)
    assert "is not a picture" in refusal(tmp_path / "a.jpg").message


def test_read_folder(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path).message


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.gif", "a.bmp", "a.tif"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_read_truncated(tmp_path: Path, name: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    Pillow.fromarray(noise).save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * share)])

    refusal(tmp_path / name)


def png_that_declares(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says it has that many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*part) for part in ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    )


@pytest.mark.parametrize("side", [10_001, 31_623, 100_000])
def test_read_decompression_bomb_is_refused(tmp_path: Path, side: int) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_that_declares(side, side))
    assert path.stat().st_size < 1000

    tracemalloc.start()
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        error = refusal(path)
    seconds = time.perf_counter() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    if side * side > images.MAX_PIXELS:
        assert "more than 1000 million pixels" in error.message
    else:
        assert "damaged" in error.message
    assert seconds < 1
    assert peak < 2_000_000


def test_read_large_photograph(tmp_path: Path) -> None:
    width = 6000
    Pillow.new("L", (width, 4000), 77).save(tmp_path / "a.png")
    assert read_style_image(tmp_path / "a.png").shape == (4000, width, 3)


def _saved(name: str) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(2).integers(0, 256, (24, 24, 3), np.uint8)
    Pillow.fromarray(noise).convert("P" if name == "GIF" else "RGB").save(buffer, format=name)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "TGA"])
def test_read_damaged_anywhere(tmp_path: Path, kind: str) -> None:
    """Whatever a decoder makes of flipped bits, nothing but a picture or StyleError comes out."""
    content, draw = _saved(kind), random.Random(4)
    path = tmp_path / "damaged"
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(draw.randint(1, 6)):
            # Headers are short, and it is there that damage does most.
            place = draw.randrange(draw.choice((40, 200, len(damaged))))
            damaged[min(place, len(damaged) - 1)] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        try:
            with warnings.catch_warnings(record=True) as warned:
                image = read_style_image(path)
        except StyleError as exc:
            assert "\n" not in exc.message
        else:
            assert image.dtype == np.uint8
            assert image.ndim == 3
        assert not warned  # on a user's terminal


# Cropping


def numbered(width: int, height: int) -> np.ndarray:
    """Blue holds the column, green the row."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 1] = np.arange(width), np.arange(height)[:, None]
    return image


Make = Callable[[int, int], np.ndarray]


@pytest.mark.parametrize(
    ("width", "height", "left", "top", "edge"),
    [(100, 60, 20, 0, 60), (60, 100, 0, 20, 60), (61, 100, 0, 19, 61), (70, 70, 0, 0, 70)],
)
def test_center_crop_takes_the_middle_square(
    width: int, height: int, left: int, top: int, edge: int
) -> None:
    cropped = center_crop(numbered(width, height), (edge, edge))

    np.testing.assert_array_equal(
        cropped, numbered(width, height)[top : top + edge, left : left + edge]
    )


def test_center_crop_does_not_shift() -> None:
    cropped = center_crop(numbered(200, 100), (50, 50))

    assert cropped.shape == (50, 50, 3)
    # The middle of the outermost cells, where neighbors beyond the edge play no part.
    expected = 50 + 2 * np.arange(50) + 0.5
    assert np.abs(cropped[25, 2:-2, 0] - expected[2:-2]).max() <= 1
    assert np.abs(cropped[2:-2, 25, 1] - (expected - 50)[2:-2]).max() <= 1


def test_center_crop_to_other_aspect_ratio() -> None:
    image = numbered(100, 100)
    np.testing.assert_array_equal(center_crop(image, (100, 50)), image[25:75])
    np.testing.assert_array_equal(center_crop(image, (50, 100)), image[:, 25:75])
    assert center_crop(image, (96, 48)).shape == (48, 96, 3)


def test_center_crop_does_not_modify_the_image() -> None:
    image = numbered(90, 60)
    before = image.copy()
    center_crop(image, (16, 16))
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("size", [(1280, 720), (333, 500), (40, 30), (1, 7)])
def test_fast_center_crop_is_close_to_center_crop(size: tuple[int, int]) -> None:
    soft = cv2.resize(numbered(200, 100), size)
    quick, exact = (
        fast_center_crop(soft, (64, 64)).astype(int),
        center_crop(soft, (64, 64)).astype(int),
    )
    assert quick.shape == (64, 64, 3)
    assert np.abs(quick - exact).mean() < 1.5


# Strokes


def test_stroke_crops_of_1_is_the_center_crop() -> None:
    image = numbered(200, 100)
    (view,) = stroke_crops(image, (50, 50), 1.0)
    np.testing.assert_array_equal(view, center_crop(image, (50, 50)))


@pytest.mark.parametrize(("stroke", "count"), [(1.2, 4), (2.0, 4), (2.5, 9), (3.0, 9)])
def test_stroke_crops_above_1_cover_the_center(stroke: float, count: int) -> None:
    """The picture carries its columns in blue and its rows in green."""
    views = stroke_crops(numbered(200, 100), (100, 100), stroke)
    assert len(views) == count
    side = 100 / stroke
    columns, rows = set(), set()
    for view in views:
        assert view.shape == (100, 100, 3)
        for channel, seen in ((0, columns), (1, rows)):
            low, high = int(view[..., channel].min()), int(view[..., channel].max())
            assert abs(high - low + 1 - side) <= 2
            seen.update(range(low, high + 1))
    # Up to a line between windows that meet.
    assert len(set(range(51, 149)) - columns) <= 2
    assert len(set(range(1, 99)) - rows) <= 2


def test_stroke_crops_below_1_show_more() -> None:
    """All of a wide picture and, above and below it, its mirror image."""
    (view,) = stroke_crops(numbered(200, 100), (50, 50), 0.5)
    assert view.shape == (50, 50, 3)
    assert np.abs(view[25, 1:-1, 0] - np.arange(50)[1:-1] * 4.0 - 1.5).max() <= 1
    middle = view[13:37, 25, 1].astype(float)
    assert (np.diff(middle) >= 3).all()
    np.testing.assert_allclose(view[:12, :, 1], view[13:25, :, 1][::-1], atol=4)


@pytest.mark.parametrize("stroke", [0.3, 0.7, 1.3, 3.0])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2), (500, 7)])
def test_stroke_crops_of_any_image(size: tuple[int, int], stroke: float) -> None:
    image = np.full((size[1], size[0], 3), (9, 99, 199), np.uint8)
    for view in stroke_crops(image, (16, 16), stroke):
        assert view.shape == (16, 16, 3)
        assert (view == (9, 99, 199)).all()
