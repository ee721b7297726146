"""Stills, read back with Pillow."""

import errno
import io
import os
import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms

from live_nst.conversion.images import reading
from live_nst.conversion.images.convert import ImageTask, convert_image_file, examine_image
from live_nst.conversion.images.reading import is_animated, is_still_image, read_still_image
from live_nst.conversion.options import ConvertOptions
from live_nst.errors import ConversionError, LiveNstError, SinkError, UsageError
from live_nst.files.atomic import atomic_write
from live_nst.files.formats import IMAGE_FORMATS, image_format_for
from live_nst.files.output import write_errors
from tests.conversion.fakes import CopyingStylizer, InvertingStylizer

ORIENTATION, MAKER, TAKEN = 0x0112, 0x010F, 0x9003
EXIF_IFD = 0x8769


def photo(width: int = 40, height: int = 24) -> Any:
    """RGB, smooth so that lossy formats keep it, and different in every corner."""
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return (np.stack([across, down, 1 - across], -1) * 200 + 20).astype(np.uint8)


def convert(source: Path, target: Path, stylizer: Any = None) -> list[str]:
    said: list[str] = []
    convert_image_file(source, target, stylizer or InvertingStylizer(), said.append)
    return said


def opened(path: Path) -> Pillow.Image:
    with Pillow.open(path) as picture:
        picture.load()
    return picture


def off(one: Any, other: Any) -> float:
    return float(np.abs(np.asarray(one, int) - np.asarray(other, int)).mean())


# Formats


@pytest.mark.parametrize("suffix", sorted(IMAGE_FORMATS))
def test_output_format_follows_suffix(tmp_path: Path, suffix: str) -> None:
    Pillow.fromarray(photo()).save(tmp_path / "a.png")
    assert convert(tmp_path / "a.png", tmp_path / f"b{suffix}") == []
    picture = opened(tmp_path / f"b{suffix}")
    assert picture.format == IMAGE_FORMATS[suffix].name
    assert picture.mode == "RGB"
    assert off(picture, 255 - photo()) < 2.5
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", f"b{suffix}"]


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_lossless_formats_are_exact(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (31, 17, 3), np.uint8)
    Pillow.fromarray(noise).save(tmp_path / "a.png")
    convert(tmp_path / "a.png", tmp_path / f"b{suffix}")
    np.testing.assert_array_equal(opened(tmp_path / f"b{suffix}"), 255 - noise)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr", "F", "I;16"])
def test_color_modes(tmp_path: Path, mode: str) -> None:
    picture = Pillow.fromarray(photo()).convert("L" if mode in ("F", "I;16") else mode)
    expected = picture.convert("RGB")
    if mode == "F":
        picture = Pillow.fromarray(np.asarray(picture, np.float32) / 255)
    elif mode == "I;16":
        picture = Pillow.fromarray(np.asarray(picture, np.uint16) * 257)
    picture.save(tmp_path / "a.tif")
    convert(tmp_path / "a.tif", tmp_path / "b.png", CopyingStylizer())
    assert off(opened(tmp_path / "b.png"), expected) < 1


@pytest.mark.parametrize("name", ["color.png", "color.tif", "gray.png", "gray.tif"])
def test_16_bits_become_8_with_notice(tmp_path: Path, name: str) -> None:
    deep = (photo().astype(np.uint16) << 8) + 255  # the low byte must not round up
    gray = name.startswith("gray")
    cv2.imwrite(str(tmp_path / name), deep[..., 0] if gray else deep[..., ::-1])
    (sentence,) = convert(tmp_path / name, tmp_path / "b.png", CopyingStylizer())
    assert "8 bits" in sentence
    expected = np.repeat(photo()[..., :1], 3, -1) if gray else photo()
    assert off(opened(tmp_path / "b.png"), expected) <= 1


def test_input_format_follows_content(tmp_path: Path) -> None:
    Pillow.fromarray(photo()).save(tmp_path / "a.png", "JPEG")
    convert(tmp_path / "a.png", tmp_path / "b.png", CopyingStylizer())
    assert opened(tmp_path / "b.png").format == "PNG"


@pytest.mark.parametrize("name", ["out.xyz", "out", "out.gif", "out.mp4"])
def test_invalid_output_suffix(name: str) -> None:
    with pytest.raises(UsageError, match="cannot write an image"):
        image_format_for(name)


def test_image_too_large_for_format(tmp_path: Path) -> None:
    Pillow.new("RGB", (17_000, 2)).save(tmp_path / "a.png")
    with pytest.raises(ConversionError, match="16383") as caught:
        convert(tmp_path / "a.png", tmp_path / "b.webp", CopyingStylizer())
    assert ".png" in caught.value.hint
    assert not (tmp_path / "b.webp").exists()


# What comes with a picture


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_exif_orientation_is_applied_once(tmp_path: Path, orientation: int, suffix: str) -> None:
    exif = Pillow.Exif()
    exif[ORIENTATION] = orientation
    Pillow.fromarray(photo()).save(tmp_path / "a.jpg", exif=exif, quality=95)
    convert(tmp_path / "a.jpg", tmp_path / f"b{suffix}", CopyingStylizer())
    picture = opened(tmp_path / f"b{suffix}")
    assert picture.getexif().get(ORIENTATION, 1) == 1
    # By the standard's own words: where the 0th row and the 0th column are.
    upright = {
        1: photo(),
        2: photo()[:, ::-1],
        3: photo()[::-1, ::-1],
        4: photo()[::-1],
        5: photo().transpose(1, 0, 2),
        6: np.rot90(photo(), -1),
        7: photo()[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(photo(), 1),
    }[orientation]
    assert picture.size == (upright.shape[1], upright.shape[0])
    assert off(picture, upright) < 3


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_exif_and_dpi_are_kept(tmp_path: Path, suffix: str) -> None:
    exif = Pillow.Exif()
    exif[MAKER] = "Camera & Sons"
    exif.get_ifd(EXIF_IFD)[TAKEN] = "2026:11:24 12:00:00"
    Pillow.fromarray(photo()).save(tmp_path / "a.jpg", exif=exif, dpi=(300, 300))
    convert(tmp_path / "a.jpg", tmp_path / f"b{suffix}")
    picture = opened(tmp_path / f"b{suffix}")
    assert picture.getexif()[MAKER] == "Camera & Sons"
    assert picture.getexif().get_ifd(EXIF_IFD)[TAKEN] == "2026:11:24 12:00:00"
    if suffix not in (".webp", ".avif"):
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def exif_with_preview(preview: bytes) -> bytes:
    """EXIF data of one tag and a small JPEG, as cameras write them."""
    maker = struct.pack("<HHII", MAKER, 2, 4, int.from_bytes(b"Cam\0", "little"))
    first = struct.pack("<H", 1) + maker
    second_at = 8 + len(first) + 4
    tags = [(0x0103, 3, 6), (0x0201, 4, second_at + 2 + 36 + 4), (0x0202, 4, len(preview))]
    second = struct.pack("<H", 3)
    second += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    links = struct.pack("<I", second_at), bytes(4)
    return b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + links[0] + second + links[1] + preview


def test_exif_thumbnail_is_removed(tmp_path: Path) -> None:
    preview = io.BytesIO()
    Pillow.new("RGB", (16, 16), "red").save(preview, "JPEG")
    exif = exif_with_preview(preview.getvalue())
    Pillow.fromarray(photo()).save(tmp_path / "a.jpg", exif=exif)
    assert (tmp_path / "a.jpg").read_bytes().count(b"\xff\xd8\xff") == 2
    convert(tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert (tmp_path / "b.jpg").read_bytes().count(b"\xff\xd8\xff") == 1
    assert opened(tmp_path / "b.jpg").getexif()[MAKER] == "Cam"


def test_damaged_exif(tmp_path: Path) -> None:
    Pillow.fromarray(photo()).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    convert(tmp_path / "a.jpg", tmp_path / "b.jpg", CopyingStylizer())
    assert off(opened(tmp_path / "b.jpg"), photo()) < 3


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".avif"])
def test_alpha_is_kept(tmp_path: Path, suffix: str) -> None:
    alpha = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (24, 1))
    Pillow.fromarray(np.dstack([photo(), alpha])).save(tmp_path / "a.png")
    assert convert(tmp_path / "a.png", tmp_path / f"b{suffix}") == []
    picture = opened(tmp_path / f"b{suffix}")
    assert picture.mode == "RGBA"
    assert off(picture.getchannel("A"), alpha) < 2
    seen = np.asarray(picture)[:, 10:, :3]
    assert off(seen, 255 - photo()[:, 10:]) < 3


def test_alpha_on_white_in_formats_without_alpha(tmp_path: Path) -> None:
    picture = Pillow.new("RGBA", (32, 32), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (16, 0, 32, 32))
    picture.save(tmp_path / "a.png")
    (sentence,) = convert(tmp_path / "a.png", tmp_path / "b.jpg")
    assert "white" in sentence
    assert off(opened(tmp_path / "b.jpg").getpixel((4, 16)), (255, 255, 255)) < 3
    assert off(opened(tmp_path / "b.jpg").getpixel((28, 16)), (0, 255, 255)) < 3


def test_transparent_pixels_are_white_for_network(tmp_path: Path) -> None:
    Pillow.new("RGBA", (8, 8), (1, 2, 3, 0)).save(tmp_path / "a.png")
    still = read_still_image(tmp_path / "a.png", "a.png")
    assert (still.image == 255).all()


@pytest.mark.parametrize("mode", ["P", "LA"])
def test_palette_and_gray_alpha(tmp_path: Path, mode: str) -> None:
    picture = Pillow.new("LA", (8, 8), (90, 0))
    picture.paste((90, 255), (0, 0, 4, 8))
    if mode == "P":
        picture = picture.convert("RGBA").quantize(8, method=Pillow.Quantize.FASTOCTREE)
    picture.save(tmp_path / "a.png")
    convert(tmp_path / "a.png", tmp_path / "b.png", CopyingStylizer())
    alpha = np.asarray(opened(tmp_path / "b.png").getchannel("A"))
    assert (alpha[:, :4] == 255).all()
    assert (alpha[:, 4:] == 0).all()


def test_opaque_alpha_is_dropped(tmp_path: Path) -> None:
    Pillow.fromarray(photo()).convert("RGBA").save(tmp_path / "a.png")
    assert convert(tmp_path / "a.png", tmp_path / "b.jpg") == []


def wide_profile() -> bytes:
    """sRGB's profile with the curves of all channels replaced by a gamma of 1."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    count = int.from_bytes(data[128:132], "big")
    tags = [data[132 + 12 * i : 144 + 12 * i] for i in range(count)]
    out = bytearray(data)
    for tag in tags:
        if tag[:4] in (b"rTRC", b"gTRC", b"bTRC"):
            place = int.from_bytes(tag[4:8], "big")
            # Both kinds of curve have their number of parameters or points after 8 bytes.
            assert data[place : place + 4] in (b"para", b"curv")
            size = int.from_bytes(tag[8:12], "big")
            out[place : place + size] = (b"curv" + bytes(8)).ljust(size, b"\0")  # the identity
    return bytes(out)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_icc_profile_is_kept(tmp_path: Path, suffix: str) -> None:
    data = wide_profile()
    Pillow.fromarray(photo()).save(tmp_path / "a.png", icc_profile=data)
    assert convert(tmp_path / "a.png", tmp_path / f"b{suffix}", CopyingStylizer()) == []
    picture = opened(tmp_path / f"b{suffix}")
    assert picture.info["icc_profile"] == data
    assert off(picture, photo()) < 4  # there and back


def test_icc_network_input_is_srgb(tmp_path: Path) -> None:
    Pillow.new("RGB", (4, 4), (55, 55, 55)).save(tmp_path / "a.png", icc_profile=wide_profile())
    # A fifth of the light is the level 128 in sRGB, by the formula of IEC 61966-2-1.
    light = 55 / 255
    level = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
    assert abs(float(read_still_image(tmp_path / "a.png", "a").image.mean()) - level) < 2


def test_icc_srgb_is_unchanged(tmp_path: Path) -> None:
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Pillow.fromarray(photo()).save(tmp_path / "a.png", icc_profile=data)
    convert(tmp_path / "a.png", tmp_path / "b.png", CopyingStylizer())
    np.testing.assert_array_equal(opened(tmp_path / "b.png"), photo())
    assert opened(tmp_path / "b.png").info["icc_profile"] == data


def test_icc_format_without_profiles_is_srgb(tmp_path: Path) -> None:
    Pillow.new("RGB", (4, 4), (55, 55, 55)).save(tmp_path / "a.png", icc_profile=wide_profile())
    convert(tmp_path / "a.png", tmp_path / "b.bmp", CopyingStylizer())
    assert 125 < np.asarray(opened(tmp_path / "b.bmp")).mean() < 131


@pytest.mark.parametrize("data", [b"rubbish", b"\0" * 200, wide_profile()[:300]])
def test_icc_damaged_profile(tmp_path: Path, data: bytes) -> None:
    Pillow.fromarray(photo()).save(tmp_path / "a.png", icc_profile=data)
    (sentence,) = convert(tmp_path / "a.png", tmp_path / "b.png", CopyingStylizer())
    assert "profile" in sentence
    assert "icc_profile" not in opened(tmp_path / "b.png").info
    np.testing.assert_array_equal(opened(tmp_path / "b.png"), photo())


def scanner_profile(*, with_dark_reverse: bool = False) -> bytes:
    """A profile for RGB that holds tables to Lab and, if asked for, one back that makes black."""

    def table(corners: list[tuple[int, int, int]]) -> bytes:
        identity = bytes(range(256)) * 3
        matrix = struct.pack(">9i", *(65536 if n % 4 == 0 else 0 for n in range(9)))
        points = b"".join(bytes(corner) for corner in corners)
        return b"mft1\0\0\0\0" + bytes((3, 3, 2, 0)) + matrix + identity + points + identity

    lab = ImageCms.profileToProfile(
        Pillow.fromarray(
            np.array([[(r, g, b) for r in (0, 255) for g in (0, 255) for b in (0, 255)]], np.uint8)
        ),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    assert lab is not None
    # Pillow's a and b are signed, those of the table begin at -128.
    corners = [(c[0], c[1] ^ 128, c[2] ^ 128) for c in np.asarray(lab).reshape(-1, 3).tolist()]
    text = b"text\0\0\0\0none\0"
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    name = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(78)
    tags = {b"desc": name, b"cprt": text, b"wtpt": white, b"A2B0": table(corners)}
    if with_dark_reverse:
        tags[b"B2A0"] = table([(0, 20, 0)] * 8)
    start, directory, data = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        content += bytes(-len(content) % 4)
        directory += tag + struct.pack(">II", start + len(data), len(content))
        data += content
    head = struct.pack(
        ">I4sI4s4s4s", start + len(data), b"none", 0x02400000, b"scnr", b"RGB ", b"Lab "
    )
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + directory + data


@pytest.mark.parametrize("with_dark_reverse", [False, True])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_icc_profile_for_scanners(tmp_path: Path, suffix: str, with_dark_reverse: bool) -> None:
    data = scanner_profile(with_dark_reverse=with_dark_reverse)
    Pillow.fromarray(photo()).save(tmp_path / "a.png", icc_profile=data)
    seen = read_still_image(tmp_path / "a.png", "a").image[..., ::-1]
    (sentence,) = convert(tmp_path / "a.png", tmp_path / f"b{suffix}", CopyingStylizer())
    assert "sRGB" in sentence
    picture = opened(tmp_path / f"b{suffix}")
    assert off(picture, seen) < 2
    assert off(seen, photo()) > 2  # the profile was used
    profile = ImageCms.ImageCmsProfile(io.BytesIO(picture.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)


def test_exif_of_tiff_is_kept(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[MAKER], exif[0x013B], exif[0x8298] = "Camera & Sons", "A. Painter", "all rights"
    exif[0x0132], exif[ORIENTATION] = "2026:11:24 12:00:00", 6
    exif.get_ifd(EXIF_IFD)[TAKEN] = "2026:11:24 12:00:00"
    Pillow.fromarray(photo()).save(tmp_path / "a.tif", exif=exif.tobytes())
    for suffix in (".jpg", ".png", ".webp", ".tif", ".avif"):
        assert convert(tmp_path / "a.tif", tmp_path / f"b{suffix}") == []
        made = opened(tmp_path / f"b{suffix}").getexif()
        for tag in (MAKER, 0x013B, 0x8298, 0x0132):
            assert made[tag] == exif[tag], suffix
        assert made.get_ifd(EXIF_IFD)[TAKEN] == "2026:11:24 12:00:00", suffix
        assert made.get(ORIENTATION, 1) == 1, suffix


@pytest.mark.parametrize("note", [70_000, 40_000])
def test_exif_too_long_for_jpeg(tmp_path: Path, note: int) -> None:
    exif = Pillow.Exif()
    exif[MAKER] = "Camera"
    exif.get_ifd(EXIF_IFD)[0x927C] = bytes(note)
    exif.get_ifd(EXIF_IFD)[0x9286] = bytes(100_000 if note == 40_000 else 10)
    Pillow.fromarray(photo()).save(tmp_path / "a.webp", exif=exif, lossless=True)
    (sentence,) = convert(tmp_path / "a.webp", tmp_path / "b.jpg", CopyingStylizer())
    assert "too long" in sentence
    assert off(opened(tmp_path / "b.jpg"), photo()) < 3
    # Without the maker's own data the rest fits, or nothing does.
    assert opened(tmp_path / "b.jpg").getexif().get(MAKER) == ("Camera" if note == 70_000 else None)
    assert convert(tmp_path / "a.webp", tmp_path / "b.png") == []
    assert len(opened(tmp_path / "b.png").info["exif"]) > note


def test_image_too_large_for_format_is_not_stylized(tmp_path: Path) -> None:
    Pillow.new("RGB", (17_000, 2)).save(tmp_path / "a.png")

    class Unused:
        def still(self, image: Any, **options: Any) -> Any:
            raise AssertionError("stylized in vain")

    with pytest.raises(ConversionError, match="16383"):
        convert(tmp_path / "a.png", tmp_path / "b.webp", Unused())


def test_lab_tiff(tmp_path: Path) -> None:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    stored = ImageCms.profileToProfile(Pillow.fromarray(photo()), srgb, lab, outputMode="LAB")
    assert stored is not None
    stored.save(tmp_path / "a.tif")
    convert(tmp_path / "a.tif", tmp_path / "b.png", CopyingStylizer())
    assert off(opened(tmp_path / "b.png"), photo()) < 3


def test_multipage_tiff(tmp_path: Path) -> None:
    pages = [Pillow.new("RGB", (8, 8), color) for color in ("red", "blue")]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    (sentence,) = convert(tmp_path / "a.tif", tmp_path / "b.png", CopyingStylizer())
    assert "pages" in sentence
    assert opened(tmp_path / "b.png").getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_animated_image_is_refused(tmp_path: Path, suffix: str) -> None:
    images = [Pillow.new("RGB", (8, 8), color) for color in ("red", "blue")]
    path = tmp_path / f"a{suffix}"
    images[0].save(path, save_all=True, append_images=images[1:], duration=100)
    assert is_animated(path, "a")
    with pytest.raises(UsageError, match="is animated"):
        convert(path, tmp_path / "b.png")
    images[0].save(path)
    assert not is_animated(path, "a")


@pytest.mark.parametrize(("name", "expected"), [("JPEG", "JPEG"), ("WEBP", "WEBP"), ("PPM", "PNG")])
def test_keep_format(tmp_path: Path, name: str, expected: str) -> None:
    Pillow.fromarray(photo()).save(tmp_path / "in", name)
    convert_image_file(
        tmp_path / "in", tmp_path / "out", InvertingStylizer(), print, keep_format=True
    )
    assert opened(tmp_path / "out").format == expected
    assert off(opened(tmp_path / "out"), 255 - photo()) < 4


def test_is_still_image(tmp_path: Path) -> None:
    Pillow.fromarray(photo()).save(tmp_path / "a", "PNG")
    (tmp_path / "b").write_text("no picture")
    assert is_still_image(tmp_path / "a")
    assert not is_still_image(tmp_path / "b")
    assert not is_still_image(tmp_path / "none")


def test_losses_are_told_before_the_image_is_stylized(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[MAKER] = "x" * 70_000
    alpha = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (24, 1))
    Pillow.fromarray(np.dstack([photo(), alpha])).save(tmp_path / "a.webp", exif=exif)
    said: list[str] = []
    before: list[str] = []

    class Watching(InvertingStylizer):
        def still(self, image: Any, *, size: int | None = None) -> Any:
            before.extend(said)
            return super().still(image, size=size)

    convert_image_file(tmp_path / "a.webp", tmp_path / "b.jpg", Watching(), said.append)
    assert before == said
    assert said == [
        "b.jpg is on white: JPEG has no transparency.",
        "b.jpg has no EXIF data: they are too long for a JPEG.",
    ]
    again: list[str] = []
    task = ImageTask.open(tmp_path / "a.webp", tmp_path / "c.jpg", ConvertOptions(), None)
    assert examine_image(task, again.append) == (40, 24)
    assert again == [sentence.replace("b.jpg", "c.jpg") for sentence in said]
    assert not (tmp_path / "c.jpg").exists()


# Refused


def refusal(source: Path, target: Path) -> LiveNstError:
    with pytest.raises(LiveNstError) as caught:
        convert(source, target)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    assert not target.exists()
    return caught.value


def test_input_errors(tmp_path: Path) -> None:
    target = tmp_path / "b.png"
    assert "There is no" in refusal(tmp_path / "none.jpg", target).message
    assert "folder" in refusal(tmp_path, target).message
    path = tmp_path / "a.jpg"
    path.touch()
    assert "empty" in refusal(path, target).message
    path.write_text("a text\n" * 100)
    assert "not a picture" in refusal(path, target).message
    Pillow.fromarray(photo(300, 200)).save(path)
    path.write_bytes(path.read_bytes()[:-1500])
    assert "damaged: a part of it is missing" in refusal(path, target).message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_input_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Pillow.fromarray(photo()).save(path)
    path.chmod(0)
    assert "may not be read" in refusal(path, tmp_path / "b.png").message


def test_not_enough_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Pillow.fromarray(photo()).save(tmp_path / "a.png")
    monkeypatch.setattr(reading, "BYTES_PER_PIXEL", 10**12)
    assert "GB of free memory" in refusal(tmp_path / "a.png", tmp_path / "b.png").message


def test_output_folder_missing(tmp_path: Path) -> None:
    Pillow.fromarray(photo()).save(tmp_path / "a.png")
    assert "folder" in refusal(tmp_path / "a.png", tmp_path / "none" / "b.png").message


def test_disk_full_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "b.png"
    with (
        pytest.raises(SinkError, match="disk is full"),
        write_errors(path),
        atomic_write(path) as file,
    ):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())
