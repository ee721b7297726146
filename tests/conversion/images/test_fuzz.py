"""150 damaged images: each is converted or refused in one sentence, and soon."""

import io
import random
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps

from live_nst.conversion.images.convert import convert_image_file
from live_nst.errors import LiveNstError
from live_nst.files.images import READABLE_FORMATS
from tests.conversion.fakes import CopyingStylizer

MUTATIONS = 150
SECONDS = 5.0


def _seed(name: str) -> bytes:
    noise = np.random.default_rng(3).integers(0, 256, (48, 40, 3), np.uint8)
    picture: Any = Pillow.fromarray(noise).resize((80, 96))
    options: dict[str, Any] = {}
    if name in ("JPEG", "PNG", "TIFF", "WEBP", "AVIF"):
        exif = Pillow.Exif()
        exif[0x0112], exif[0x010F] = 6, "Camera"
        exif.get_ifd(0x8769)[0x9003] = "2026:11:24 12:00:00"
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        options = {"exif": exif, "icc_profile": srgb, "dpi": (300, 300)}
    if name in ("PNG", "WEBP"):
        picture.putalpha(Pillow.linear_gradient("L").resize(picture.size))
    if name == "GIF":
        picture = picture.quantize(64)
    file = io.BytesIO()
    picture.save(file, name, **options)
    return file.getvalue()


KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "JPEG2000", "PPM", "TGA")


def mutated(data: bytes, draw: random.Random) -> bytes:
    """Bits flipped, a piece cut out, doubled, blanked or cut off."""
    damaged = bytearray(data)
    kind = draw.randrange(6)
    place = draw.randrange(draw.choice((64, 600, len(damaged))))
    place = min(place, len(damaged) - 1)
    length = draw.randint(1, draw.choice((4, 64, 2000)))
    if kind == 0:
        return bytes(damaged[:place])
    if kind == 1:
        del damaged[place : place + length]
    elif kind == 2:
        damaged[place:place] = damaged[place : place + length]
    elif kind == 3:
        damaged[place : place + length] = bytes([draw.choice((0, 255))]) * length
    elif kind == 4:
        damaged[place : place + 4] = draw.randbytes(4)
    else:
        for _ in range(draw.randint(1, 8)):
            spot = draw.randrange(len(damaged))
            damaged[spot] ^= 1 << draw.randrange(8)
    return bytes(damaged)


def read_by_pillow(path: Path) -> Pillow.Image | None:
    """What Pillow alone makes of a file, upright where it can be; None if it is no picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(path, formats=READABLE_FORMATS) as picture:
                picture.load()
                try:
                    return ImageOps.exif_transpose(picture)
                except Exception:  # as below, of the EXIF data
                    return picture.copy()
    except Exception:  # Pillow's plugins raise nearly anything on damaged files
        return None


def test_mutated_images(tmp_path: Path) -> None:
    draw = random.Random(20261124)
    seeds = {kind: _seed(kind) for kind in KINDS}
    outcomes = {"converted": 0, "refused": 0}
    source = tmp_path / "damaged"
    for number in range(MUTATIONS):
        kind = KINDS[number % len(KINDS)]
        target = tmp_path / f"out{draw.choice(('.png', '.jpg', '.webp', '.tif'))}"
        source.write_bytes(mutated(seeds[kind], draw))
        start = time.monotonic()
        with warnings.catch_warnings(record=True) as warned:
            try:
                convert_image_file(source, target, CopyingStylizer(), lambda sentence: None)
            except LiveNstError as exc:
                outcomes["refused"] += 1
                assert "\n" not in exc.message, (number, kind)
                assert not target.exists(), (number, kind)
            else:
                outcomes["converted"] += 1
                expected = read_by_pillow(source)
                assert expected is not None, (number, kind)
                with Pillow.open(target) as made:
                    made.load()
                    assert made.size == expected.size, (number, kind)
                target.unlink()
        assert time.monotonic() - start < SECONDS, (number, kind)
        assert not warned, (number, kind)
        assert [path.name for path in tmp_path.iterdir()] == ["damaged"], (number, kind)
    assert min(outcomes.values()) > MUTATIONS // 10  # else it would test nothing


@pytest.mark.parametrize("side", [40_000, 100_000])
def test_decompression_bomb(tmp_path: Path, side: int) -> None:
    from tests.styles.test_image import png_that_declares

    (tmp_path / "bomb.png").write_bytes(png_that_declares(side, side))
    start = time.monotonic()
    with pytest.raises(LiveNstError, match="million pixels"):
        convert_image_file(tmp_path / "bomb.png", tmp_path / "out.png", CopyingStylizer(), print)
    assert time.monotonic() - start < 1
