import numpy as np
import pytest

from live_nst.sources.demo_video import DemoVideo
from live_nst.stylizer.content_style import ContentStyle
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Image


class Encoder:
    """A bottleneck that is the frame's first value; it counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, image: Image, time: float) -> np.ndarray:
        self.calls += 1
        return np.array([image[0, 0, 0]], np.float32)


def frame(value: int) -> Image:
    return np.full((2, 2, 3), value, np.uint8)


def test_seconds_0_encodes_every_frame_in_any_order() -> None:
    own = ContentStyle(Encoder(), 0.0)
    assert [own(frame(v), t)[0] for v, t in ((1, 5.0), (9, 1.0), (4, 5.0))] == [1, 9, 4]


def test_seconds_encodes_rarely_and_changes_smoothly() -> None:
    encoder = Encoder()
    own = ContentStyle(encoder, 0.5)
    times = np.arange(0, 4, 1 / 30)
    found = np.array([own(frame(0 if t < 1 else 200), t)[0] for t in times])
    assert encoder.calls == pytest.approx(8, abs=1)
    assert found[times < 1].max() == 0
    assert found[times > 2.1].min() == 200  # at most so long after the change, and then a fade
    assert 0 < np.diff(found).max() < 200 * 1.5 / 15 + 1  # a fade over half a second is smooth
    assert np.diff(found).min() >= 0


def test_reset_and_time_going_back_encode_again() -> None:
    own = ContentStyle(Encoder(), 0.5)
    own(frame(10), 7.0)
    assert own(frame(99), 7.2)[0] == 10
    assert own(frame(50), 1.0)[0] == 50  # the time went back
    own.reset()
    assert own(frame(70), 1.1)[0] == 70


def test_stylizer_of_a_static_scene_is_unchanged_by_seconds() -> None:
    image = DemoVideo(96, 64).image_at(1.0)
    kwargs = {"size": 64, "device": "cpu", "look": Look(strength=0.5, blend="styles")}
    with (
        StylizerCore(StylizerOptions(model="mobile", content_style_seconds=0.5, **kwargs)) as held,
        StylizerCore(StylizerOptions(model="mobile", **kwargs)) as plain,
    ):  # type: ignore[arg-type]
        expected = plain(image)
        for time in (0.0, 0.3, 0.6, 1.2):
            np.testing.assert_array_equal(held(image, time), expected)
        other = DemoVideo(96, 64).image_at(9.0)
        assert (held(other, 1.3) != plain(other)).any()
        held.reset()
        np.testing.assert_array_equal(held(other, 1.3), plain(other))
