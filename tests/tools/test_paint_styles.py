import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import live_nst.styles
from tools.paint_styles import STYLES, paint
from tools.paint_styles.__main__ import write_pictures

PICTURES = Path(live_nst.styles.__file__).parent / "pictures"
SHIPPED = sorted(PICTURES.glob("*.jpg"))


@pytest.mark.parametrize("name", STYLES)
def test_paint_seed(name: str) -> None:
    first, again, other = (paint(name, size=48, seed=seed) for seed in (3, 3, 4))

    assert first.shape == (48, 48, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert np.mean(first != other) > 0.05


def test_paint_default_seed() -> None:
    picture = paint("wave", size=48)

    np.testing.assert_array_equal(picture, paint("wave", size=48, seed=STYLES["wave"].seed))


def test_write_pictures(tmp_path: Path) -> None:
    write_pictures(["ink", "wave"], tmp_path / "new", size=48)

    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == ["ink.jpg", "styles.json", "wave.jpg"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_image_format(path: Path) -> None:
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)

    assert picture is not None
    height, width, channels = picture.shape
    assert channels == 3
    assert height == width >= 512
    assert path.stat().st_size < 300_000


def test_shipped_styles_and_descriptions() -> None:
    descriptions = json.loads((PICTURES / "styles.json").read_text(encoding="utf-8"))

    assert {path.stem for path in SHIPPED} == set(descriptions) == set(STYLES)
    assert len(SHIPPED) >= 10
    assert all(text and "\n" not in text for text in descriptions.values())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_image_equals_paint(path: Path) -> None:
    shipped = cv2.imread(str(path)).astype(float)
    drawn = paint(path.stem, size=160).astype(float)

    small = cv2.resize(shipped, (16, 16), interpolation=cv2.INTER_AREA)
    expected = cv2.resize(drawn, (16, 16), interpolation=cv2.INTER_AREA)
    assert np.abs(small - expected).mean() < 30
