import pillow_heif
import pytest
from PIL import Image as Pillow

from live_nst.conversion.video.codecs import CONTAINERS
from live_nst.errors import UsageError
from live_nst.files.formats import (
    IMAGE_FORMATS,
    IMAGE_SUFFIXES,
    OUTPUT_VIDEO_SUFFIXES,
    PLAYABLE_SUFFIXES,
    VIDEO_SUFFIXES,
    image_format_for,
)


def test_suffixes_of_videos_and_images_are_told_apart() -> None:
    assert not VIDEO_SUFFIXES & IMAGE_SUFFIXES
    assert set(OUTPUT_VIDEO_SUFFIXES) - {".webp"} <= PLAYABLE_SUFFIXES
    assert set(IMAGE_FORMATS) <= IMAGE_SUFFIXES


def test_output_video_suffixes_are_those_of_the_containers() -> None:
    assert set(OUTPUT_VIDEO_SUFFIXES) == set(CONTAINERS)


def test_image_formats_are_pillows() -> None:
    Pillow.init()
    for suffix, image_format in IMAGE_FORMATS.items():
        assert Pillow.registered_extensions()[suffix] == image_format.name


def test_image_suffixes_are_pillows() -> None:
    Pillow.init()
    pillow_heif.register_heif_opener()
    assert set(Pillow.registered_extensions()) >= IMAGE_SUFFIXES


@pytest.mark.parametrize("suffix", [".asf", ".vob", ".dv", ".mxf", ".mjpeg", ".m2ts"])
def test_video_suffixes(suffix: str) -> None:
    assert suffix in VIDEO_SUFFIXES


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".j2k", ".avif"])
def test_image_suffixes(suffix: str) -> None:
    assert suffix in IMAGE_SUFFIXES


def test_image_format_for() -> None:
    assert image_format_for("a.JPG").name == "JPEG"
    for name in ("a.gif", "a", "a.mp4"):
        with pytest.raises(UsageError, match="cannot write an image") as caught:
            image_format_for(name)
        assert ".png" in caught.value.hint
