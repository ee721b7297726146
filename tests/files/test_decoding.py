"""What Pillow alone decodes wrongly; the inputs are written by other libraries or by hand."""

import io
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.errors import LiveNstError, StyleError
from live_nst.files.decoding import DecodedImage, decode, to_rgb
from live_nst.files.images import open_image, read_image

HEIGHT, WIDTH = 24, 40
ACROSS, DOWN = np.meshgrid(np.linspace(0, 1, WIDTH), np.linspace(0, 1, HEIGHT))
COLORS = np.stack([ACROSS, DOWN, 1 - ACROSS], -1)  # RGB, 0 to 1
ALPHA = np.tile(np.linspace(0.2, 1, WIDTH), (HEIGHT, 1))


def decoded(path: Path) -> tuple[np.ndarray[Any, Any], DecodedImage]:
    """The pixels of a file as RGB or RGBA, 0 to 1, and all else."""
    with open_image(path, "picture", error=StyleError, hint="hint") as pil_image:
        found = decode(pil_image, path)
        return np.asarray(to_rgb(found.image), float) / 255, found


def assert_close(pixels: np.ndarray[Any, Any], expected: np.ndarray[Any, Any], by: float) -> None:
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).max() <= by


def gray(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.repeat(values[..., None], 3, -1)


def refusal(path: Path) -> LiveNstError:
    with pytest.raises(StyleError) as caught:
        read_image(path, "picture", error=StyleError, hint="hint")
    assert "\n" not in caught.value.message
    return caught.value


# TIFF


def tiff(bits: list[int], planes: list[bytes], **fields: int) -> bytes:
    """A TIFF of `WIDTH` by `HEIGHT` pixels, with one strip for each of `planes`."""
    start, starts = 8, []
    for plane in planes:
        starts.append(start)
        start += len(plane)
    values = {
        256: [WIDTH], 257: [HEIGHT], 258: bits, 259: [1], 262: [fields.get("photometric", 1)],
        273: starts, 277: [len(bits)], 278: [HEIGHT], 279: [len(plane) for plane in planes],
        284: [2 if len(planes) > 1 else 1], 339: [fields.get("form", 1)] * len(bits),
    }  # fmt: skip
    if "orientation" in fields:
        values[274] = [fields["orientation"]]
    if "extra" in fields:
        values[338] = [fields["extra"]]
    pixels = b"".join(planes)
    pixels += bytes(len(pixels) % 2)
    head = b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels
    entries, more = struct.pack("<H", len(values)), b""
    place = len(head) + 2 + 12 * len(values) + 4
    for tag, numbers in sorted(values.items()):
        short = tag not in (273, 279)
        packed = struct.pack(f"<{len(numbers)}{'H' if short else 'I'}", *numbers)
        if len(packed) > 4:
            packed, more = struct.pack("<I", place + len(more)), more + packed
        entries += struct.pack("<HHI", tag, 3 if short else 4, len(numbers)) + packed.ljust(
            4, b"\0"
        )
    return head + entries + bytes(4) + more


def packed_12(values: np.ndarray[Any, Any]) -> bytes:
    """12-bit numbers, two in three bytes."""
    pairs = (values * 4095).round().astype(int).reshape(-1, 2)
    high, low = pairs[:, 0], pairs[:, 1]
    return np.stack([high >> 4, (high & 15) << 4 | low >> 8, low & 255], -1).astype("u1").tobytes()


def words(values: np.ndarray[Any, Any]) -> bytes:
    return (values * 65535).round().astype("<u2").tobytes()


def bytes_of(values: np.ndarray[Any, Any]) -> bytes:
    return (values * 255).round().astype("u1").tobytes()


@pytest.mark.parametrize(
    ("bits", "pack", "photometric"), [(12, packed_12, 1), (16, words, 1), (16, words, 0)]
)
def test_deep_gray_tiff(tmp_path: Path, bits: int, pack: Any, photometric: int) -> None:
    path = tmp_path / "a.tif"
    values = ACROSS if photometric else 1 - ACROSS
    path.write_bytes(tiff([bits], [pack(values)], photometric=photometric))
    pixels, found = decoded(path)
    assert_close(pixels, gray(ACROSS), 1.5 / 255)
    assert "more than 8 bits" in found.notices[0]


def packed(values: np.ndarray[Any, Any], bits: int) -> bytes:
    """Numbers of so many bits; every row begins with a byte."""
    rows = (values * (2**bits - 1)).round().astype(int).reshape(HEIGHT, -1, 1)
    digits = rows >> np.arange(bits - 1, -1, -1) & 1
    return np.packbits(digits.reshape(HEIGHT, -1).astype(np.uint8), axis=1).tobytes()


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("photometric", [0, 1, 2], ids=["white is zero", "gray", "RGB"])
def test_tiff_of_unusual_depth(tmp_path: Path, bits: int, photometric: int) -> None:
    path = tmp_path / "a.tif"
    values = {0: 1 - ACROSS, 1: ACROSS, 2: COLORS}[photometric]
    depth = [bits] * (3 if photometric == 2 else 1)
    path.write_bytes(tiff(depth, [packed(values, bits)], photometric=photometric))
    pixels, found = decoded(path)
    assert_close(pixels, COLORS if photometric == 2 else gray(ACROSS), 1.5 / 255)
    assert "more than 8 bits" in found.notices[0]


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
def test_rgb_tiff_in_floating_point(tmp_path: Path, kind: str) -> None:
    path, bits = tmp_path / "a.tif", 8 * np.dtype(kind).itemsize
    path.write_bytes(tiff([bits] * 3, [COLORS.astype(kind).tobytes()], photometric=2, form=3))
    pixels, found = decoded(path)
    assert_close(pixels, COLORS, 1.5 / 255)
    assert "more than 8 bits" in found.notices[0]
    bright = (COLORS * 500).astype(kind).tobytes()
    path.write_bytes(tiff([bits] * 3, [bright], photometric=2, form=3))
    assert "not supported" in refusal(path).message


def test_orientation_and_exif_of_deep_tiff(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff([12] * 3, [packed(COLORS, 12)], photometric=2, orientation=6))
    pixels, found = decoded(path)
    assert_close(pixels, np.rot90(COLORS, -1), 1.5 / 255)
    assert found.exif.get(0x0112) is None


def test_planar_16_bit_tiff(tmp_path: Path) -> None:
    planes = [words(COLORS[..., channel]) for channel in range(3)]
    (tmp_path / "a.tif").write_bytes(tiff([16] * 3, planes, photometric=2))
    pixels, found = decoded(tmp_path / "a.tif")
    assert_close(pixels, COLORS, 1.5 / 255)
    assert "more than 8 bits" in found.notices[0]


@pytest.mark.parametrize("extra", [1, 2])
@pytest.mark.parametrize("planar", [False, True])
def test_gray_tiff_with_alpha(tmp_path: Path, extra: int, planar: bool) -> None:
    stored = ACROSS * ALPHA if extra == 1 else ACROSS  # 1 is premultiplied
    planes = [bytes_of(stored), bytes_of(ALPHA)]
    if not planar:
        planes = [bytes_of(np.stack([stored, ALPHA], -1))]
    (tmp_path / "a.tif").write_bytes(tiff([8, 8], planes, extra=extra))
    pixels, _ = decoded(tmp_path / "a.tif")
    assert_close(pixels[..., 3], ALPHA, 0.6 / 255)
    assert_close(pixels[..., :3], gray(ACROSS), 4 / 255)


def test_32_bit_tiff(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(tiff([32], [(ACROSS * (2**32 - 1)).astype("<u4").tobytes()]))
    assert_close(decoded(path)[0], gray(ACROSS), 1.5 / 255)
    path.write_bytes(tiff([32], [(ACROSS * 255).astype("<u4").tobytes()]))
    assert "not supported: numbers up to 255" in refusal(path).message


def test_signed_tiff_is_unsupported(tmp_path: Path) -> None:
    values = (ACROSS * 65535 - 32768).astype("<i2").tobytes()
    (tmp_path / "a.tif").write_bytes(tiff([16], [values], form=2))
    assert "not supported" in refusal(tmp_path / "a.tif").message


@pytest.mark.parametrize("white", [255.0, 65535.0])
def test_floats_over_one_are_unsupported(tmp_path: Path, white: float) -> None:
    Pillow.fromarray((ACROSS * white).astype(np.float32)).save(tmp_path / "a.tif")
    assert f"numbers up to {white:.5g}" in refusal(tmp_path / "a.tif").message


def test_unknown_tiff_is_unsupported(tmp_path: Path) -> None:
    half = COLORS.astype("<f2").tobytes()
    (tmp_path / "a.tif").write_bytes(tiff([16] * 3, [half], photometric=2, form=3))
    assert "not supported" in refusal(tmp_path / "a.tif").message


def test_compressed_tiff_in_floating_point(tmp_path: Path) -> None:
    """OpenCV compresses with LZW."""
    cv2.imwrite(str(tmp_path / "a.tif"), COLORS[..., ::-1].astype(np.float32))
    assert_close(decoded(tmp_path / "a.tif")[0], COLORS, 1.5 / 255)


def test_damaged_deep_tiff(tmp_path: Path) -> None:
    data = tiff([12] * 3, [packed(COLORS, 12)], photometric=2)
    for length in (3, 40, len(data) - 30):
        (tmp_path / "a.tif").write_bytes(data[:length])
        assert refusal(tmp_path / "a.tif").message


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_orientation_is_applied_once(tmp_path: Path, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    colors = Pillow.fromarray((COLORS * 255).astype(np.uint8))
    colors.save(tmp_path / "a.tif", exif=exif)
    colors.save(tmp_path / "a.png", exif=exif)
    assert_close(decoded(tmp_path / "a.tif")[0], decoded(tmp_path / "a.png")[0], 0)
    assert decoded(tmp_path / "a.tif")[0].shape[0] == (WIDTH if orientation > 4 else HEIGHT)


@pytest.mark.parametrize("second", [bytes(6), b""])
def test_tiff_with_an_empty_second_directory(tmp_path: Path, second: bytes) -> None:
    data = bytearray(tiff([8], [bytes_of(ACROSS)]))
    (start,) = struct.unpack("<I", data[4:8])
    (count,) = struct.unpack("<H", data[start : start + 2])
    place = start + 2 + 12 * count
    data[place : place + 4] = struct.pack("<I", len(data))
    (tmp_path / "a.tif").write_bytes(data + second)
    pixels, found = decoded(tmp_path / "a.tif")
    assert_close(pixels, gray(ACROSS), 0.6 / 255)
    assert not found.notices


# JPEG 2000


def jpeg2000(frame: av.VideoFrame, form: str) -> bytes:
    """A lossless JP2 by FFmpeg."""
    encoder: Any = av.CodecContext.create("jpeg2000", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, form
    encoder.time_base, encoder.options = Fraction(1), {"format": "jp2", "pred": "1"}
    encoder.global_quality = 1
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


@pytest.mark.parametrize("alpha", [False, True])
def test_16_bit_jpeg2000(tmp_path: Path, alpha: bool) -> None:
    colors = np.dstack([COLORS, ALPHA]) if alpha else COLORS
    form = "rgba64le" if alpha else "rgb48le"
    frame = av.VideoFrame.from_ndarray((colors * 65535).round().astype(np.uint16), format=form)
    (tmp_path / "a.jp2").write_bytes(jpeg2000(frame, form))
    pixels, found = decoded(tmp_path / "a.jp2")
    assert_close(pixels, colors, 3 / 255)
    assert "more than 8 bits" in found.notices[0]


def test_16_bit_jpeg2000_by_opencv(tmp_path: Path) -> None:
    large = np.kron(COLORS, np.ones((8, 8, 1)))
    deep = (large[..., ::-1] * 65535).round().astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.jp2"), deep)
    assert_close(decoded(tmp_path / "a.jp2")[0], large, 3 / 255)


def test_jpeg2000_in_bgr_order(tmp_path: Path) -> None:
    file = io.BytesIO()
    backward = Pillow.fromarray((COLORS[..., ::-1] * 255).round().astype(np.uint8))
    backward.save(file, "JPEG2000", mct=0, irreversible=False)
    data = bytearray(file.getvalue())
    head = data.index(b"jp2h") - 4
    (size,) = struct.unpack(">I", data[head : head + 4])
    # Which color each channel is: blue, green, red.
    order = b"".join(struct.pack(">HHH", channel, 0, 3 - channel) for channel in range(3))
    box = struct.pack(">I4sH", 10 + len(order), b"cdef", 3) + order
    data[head + size : head + size] = box
    data[head : head + 4] = struct.pack(">I", size + len(box))
    (tmp_path / "a.jp2").write_bytes(data)
    assert_close(decoded(tmp_path / "a.jp2")[0], COLORS, 2 / 255)


@pytest.mark.parametrize("form", ["yuv420p", "yuv444p"])
def test_jpeg2000_in_ycc(tmp_path: Path, form: str) -> None:
    soft = COLORS * 0.6 + 0.2
    # JPEG's colors are those of JPEG 2000's YCC.
    ycc = np.asarray(Pillow.fromarray((soft * 255).round().astype(np.uint8)).convert("YCbCr"))
    frame = av.VideoFrame(WIDTH, HEIGHT, form)
    for number, plane in enumerate(frame.planes):
        values = ycc[..., number]
        if plane.width < WIDTH:
            values = values.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean((1, 3)).astype(np.uint8)
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        rows[:, : plane.width] = values
        plane.update(rows.tobytes())
    (tmp_path / "a.jp2").write_bytes(jpeg2000(frame, form))
    pixels, _ = decoded(tmp_path / "a.jp2")
    assert np.abs(pixels - soft).mean() < 3 / 255


# JPEG, HEIC, AVIF


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("missing", [1, 2])
def test_jpeg_without_end(tmp_path: Path, missing: int, progressive: bool) -> None:
    path = tmp_path / "a.jpg"
    noise = np.random.default_rng(5).integers(0, 256, (50, 70, 3), np.uint8)
    Pillow.fromarray(noise).save(path, quality=90, progressive=progressive)
    whole, found = decoded(path)
    assert not found.notices
    path.write_bytes(path.read_bytes()[:-missing])
    pixels, found = decoded(path)
    assert_close(pixels, whole, 0)
    assert found.notices == ("lacks its end, but all of its pixels are there",)


@pytest.mark.parametrize("missing", [10, 100, 1000])
def test_jpeg_without_pixels_is_damaged(tmp_path: Path, missing: int) -> None:
    path = tmp_path / "a.jpg"
    noise = np.random.default_rng(5).integers(0, 256, (50, 70, 3), np.uint8)
    Pillow.fromarray(noise).save(path, quality=90)
    path.write_bytes(path.read_bytes()[:-missing])
    assert "damaged: a part of it is missing" in refusal(path).message


@pytest.mark.parametrize("bits", [8, 10])
def test_heic(tmp_path: Path, bits: int) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    values = (COLORS * 65535).round().astype(np.uint16)
    mode, data = ("RGB;16", values) if bits == 10 else ("RGB", (values >> 8).astype(np.uint8))
    file = pillow_heif.from_bytes(mode, (WIDTH, HEIGHT), data.tobytes())
    file.save(tmp_path / "a.heic", quality=95)
    pixels, found = decoded(tmp_path / "a.heic")
    assert np.abs(pixels - COLORS).mean() < 4 / 255
    assert bool(found.notices) == (bits == 10)


def test_broken_heic(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" * 3)
    message = refusal(tmp_path / "a.heic").message
    assert "damaged" in message or "not supported" in message


def test_10_bit_avif_is_told(tmp_path: Path) -> None:
    frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 99, np.uint8), format="rgb24")
    with av.open(str(tmp_path / "a.avif"), "w", format="avif") as out:
        stream = out.add_stream("libsvtav1", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p10le"
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert "more than 8 bits" in decoded(tmp_path / "a.avif")[1].notices[0]
    Pillow.new("RGB", (64, 64)).save(tmp_path / "b.avif")
    assert not decoded(tmp_path / "b.avif")[1].notices


# Words, limits, EXIF


def test_exif_text_that_is_no_hexadecimal(tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Raw profile type exif", "\nexif\n      12\nthis is no hexadecimal\n")
    Pillow.new("RGB", (8, 8), "red").save(tmp_path / "a.png", pnginfo=info)
    assert read_image(tmp_path / "a.png", "picture", error=StyleError, hint="")[0, 0, 2] == 255
    assert "EXIF" in decoded(tmp_path / "a.png")[1].notices[0]


@pytest.mark.parametrize("name", ["a.tif", "a.png", "a.gif", "a.webp"])
def test_broken_header_is_damaged(tmp_path: Path, name: str) -> None:
    Pillow.new("RGB", (64, 64)).save(tmp_path / name)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:16])
    assert "is damaged" in refusal(tmp_path / name).message


def test_more_pixels_than_pillows_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", 100)
    Pillow.new("RGB", (20, 30)).save(tmp_path / "a.png")
    assert decoded(tmp_path / "a.png")[0].shape == (30, 20, 3)


def test_not_enough_memory(tmp_path: Path) -> None:
    Pillow.new("RGB", (20, 30)).save(tmp_path / "a.png")
    with (
        pytest.raises(StyleError, match=r"20x30 pixels, which need .* GB are free"),
        open_image(
            tmp_path / "a.png", "picture", error=StyleError, hint="", bytes_per_pixel=10**12
        ),
    ):
        pass
