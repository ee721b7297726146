"""`live_nst.convert` with files of both kinds."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

import live_nst
from live_nst.errors import ConversionCancelled, ConversionError, SourceError, UsageError
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions

SIZE = (90, 61)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    ramp = np.linspace(0, 255, SIZE[0] * SIZE[1] * 3).reshape(SIZE[1], SIZE[0], 3)
    Pillow.fromarray(ramp.astype(np.uint8)).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_convert_image_equals_stylizer_still(photo: Path, tmp_path: Path) -> None:
    output = tmp_path / "painted.png"
    with StylizerCore(
        StylizerOptions(model="mobile", styles=("starry", "wave"), size=64, device="cpu")
    ) as stylizer:
        report = live_nst.convert(photo, output, ["wave"], stylizer=stylizer)
        expected = stylizer.still(np.asarray(Pillow.open(photo))[..., ::-1])
        assert stylizer.style == "wave"
    assert np.array_equal(np.asarray(Pillow.open(output))[..., ::-1], expected)
    assert (report.output, report.frames, report.bytes) == (output, 1, output.stat().st_size)
    plan = report.plan
    assert (plan.width, plan.height, plan.codec, plan.size) == (*SIZE, "PNG", 90)
    assert plan.model == "mobile" and plan.device == "cpu"
    with pytest.raises(ConversionError, match="already"):
        live_nst.convert(photo, output)


def test_convert_image_with_size(photo: Path, tmp_path: Path) -> None:
    report = live_nst.convert(
        photo, tmp_path / "painted.jpg", model="mobile", device="cpu", size=64
    )
    assert report.plan.size == 64 and report.plan.codec == "JPEG"
    assert Pillow.open(report.output).size == SIZE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fade": 1.0}, "A picture has no times"),
        ({"codec": "h264"}, "A picture has no times"),
        ({"styles": ["starry", ("wave", 2.0)]}, "A picture has no times"),
        ({"looks": [(live_nst.Look(strength=0.5), 2.0)]}, "A picture has no times"),
    ],
)
def test_convert_image_refuses_video_options(
    photo: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        live_nst.convert(photo, tmp_path / "painted.png", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


def test_convert_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a folder") as refused:
        live_nst.convert(tmp_path, tmp_path / "out")
    assert "one by one" in str(refused.value.hint)


def test_convert_image_cancelled(photo: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(ConversionCancelled):
        live_nst.convert(
            photo, tmp_path / "painted.png", cancel=stop, model="mobile", device="cpu", size=64
        )
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]
