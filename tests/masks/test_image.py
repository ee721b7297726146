from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.errors import UsageError
from live_nst.masks.image import ImageMaskProvider

SMALL = np.zeros((9, 16, 3), np.uint8)


def saved(path: Path, picture: Pillow.Image) -> Path:
    picture.save(path)
    return path


def half(mode: str, left: object, right: object) -> Pillow.Image:
    picture = Pillow.new(mode, (64, 32), left)  # type: ignore[arg-type]
    picture.paste(right, (32, 0, 64, 32))  # type: ignore[arg-type]
    return picture


@pytest.mark.parametrize(
    "picture",
    [
        half("L", 0, 255),
        half("1", 0, 1),
        half("RGB", (0, 0, 0), (255, 255, 255)),
        half("I;16", 0, 65535),
        half("LA", (255, 0), (0, 255)),
        half("RGBA", (255, 255, 255, 0), (0, 0, 0, 255)),
    ],
    ids=lambda picture: picture.mode,
)
@pytest.mark.parametrize("size", [(64, 32), (640, 360), (24, 40)])
def test_white_or_opaque_is_selected(
    picture: Pillow.Image, size: tuple[int, int], tmp_path: Path
) -> None:
    mask = ImageMaskProvider(saved(tmp_path / "mask.png", picture))
    plane = mask(SMALL, size)
    assert plane.shape == size[::-1] and plane.dtype == np.uint8
    assert (plane[:, : size[0] // 2 - size[0] // 20] == 0).all()
    assert (plane[:, size[0] // 2 + size[0] // 20 :] == 255).all()


def test_gray_values_are_kept_for_every_frame(tmp_path: Path) -> None:
    mask = ImageMaskProvider(saved(tmp_path / "mask.png", Pillow.new("L", (8, 8), 77)))
    first = mask(SMALL, (100, 50))
    assert (first == 77).all()
    mask.reset()
    assert mask(SMALL, (100, 50)) is first
    assert mask(SMALL, (50, 100)).shape == (100, 50)


@pytest.mark.parametrize("name", ["missing.png", "text.png", "folder"])
def test_invalid_mask_images(name: str, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=name) as caught:
        ImageMaskProvider(tmp_path / name)
    assert "person" in caught.value.hint
