from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.errors import SinkError, UsageError
from live_nst.files.formats import IMAGE_FORMATS
from live_nst.files.images import write_image

RED = np.full((4, 6, 3), (10, 20, 200), np.uint8)  # BGR


@pytest.mark.parametrize("suffix", IMAGE_FORMATS)
def test_write_image(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"red{suffix}"
    write_image(path, RED)
    with Pillow.open(path) as picture:
        assert picture.format == IMAGE_FORMATS[suffix].name
        pixels = np.asarray(picture.convert("RGB"), int)
    assert pixels.shape == RED.shape
    assert np.abs(pixels[..., ::-1] - RED).max() < 8


def test_write_image_errors(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_image(tmp_path / "red.gif", RED)
    with pytest.raises(SinkError):
        write_image(tmp_path / "missing" / "red.png", RED)
    assert list(tmp_path.iterdir()) == []
