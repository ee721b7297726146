import numpy as np
import pytest

from live_nst.sinks.overlay import draw_keys, draw_lines, draw_notice, draw_overlay
from live_nst.types import Image
from tests.sinks.conftest import plain

LINES = ["24.3 fps  latency 48 ms", "mobile, TensorFlow, CPU"]
KEYS = [("q", "quit"), ("n / p", "next / previous style"), ("space", "freeze")]
SIZES = [(1280, 720), (320, 240), (64, 48), (8, 6), (1, 1), (300, 1280)]


def changed(image: Image, before: Image) -> tuple[slice, slice]:
    """The smallest rectangle that holds all changes."""
    rows, columns = np.nonzero((image != before).any(axis=2))
    return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def contrast(image: Image, area: tuple[slice, slice]) -> float:
    """WCAG's contrast ratio of the brightest and the median pixel of an area."""
    linear = (image[area].astype(float) / 255) ** 2.2 @ (0.0722, 0.7152, 0.2126)
    return float((linear.max() + 0.05) / (np.median(linear) + 0.05))


@pytest.mark.parametrize("background", [(255, 255, 255), (0, 0, 0), (128, 128, 128), (0, 255, 255)])
def test_text_is_readable_on_any_background(background: tuple[int, int, int]) -> None:
    for draw in (
        lambda image: draw_lines(image, LINES),
        lambda image: draw_notice(image, "camera lost, reconnecting ..."),
        lambda image: draw_keys(image, KEYS),
    ):
        before = plain((640, 360), background)
        image = draw(before.copy())
        area = changed(image, before)
        if background == (0, 0, 0):  # there a panel changes nothing but the text
            area = tuple(slice(max(0, side.start - 3), side.stop + 3) for side in area)
        assert contrast(image, area) > 4.5


def test_draw_lines() -> None:
    before = plain((1280, 720))
    image = draw_lines(before.copy(), LINES)
    rows, columns = changed(image, before)
    assert rows.start < 20
    assert columns.start < 20
    assert rows.stop < 100
    assert columns.stop < 400


def test_draw_notice() -> None:
    before = plain((640, 360))
    rows, columns = changed(draw_notice(before.copy(), "camera lost"), before)
    assert (columns.start, columns.stop) == (0, 640)
    assert abs((rows.start + rows.stop) / 2 - 180) <= 1
    assert rows.stop - rows.start < 60


def test_draw_overlay_keys_replace_figures() -> None:
    before = plain((640, 360))
    with_keys = draw_overlay(before.copy(), LINES, keys=KEYS)
    np.testing.assert_array_equal(with_keys, draw_keys(before.copy(), KEYS))
    _, columns = changed(with_keys, before)
    assert abs((columns.start + columns.stop) / 2 - 320) <= 1


def test_text_size_follows_the_image() -> None:
    def height(size: tuple[int, int]) -> int:
        before = plain(size)
        rows, _ = changed(draw_lines(before.copy(), LINES), before)
        return rows.stop - rows.start

    assert height((2560, 1440)) == pytest.approx(2 * height((1280, 720)), rel=0.1)


def test_panel_does_not_move_with_its_letters() -> None:
    before = plain((640, 360))
    first = changed(draw_lines(before.copy(), ["ace"]), before)
    second = changed(draw_lines(before.copy(), ["gÅj"]), before)
    assert first[0] == second[0]


def test_draw_overlay_without_text() -> None:
    before = plain((64, 48))
    np.testing.assert_array_equal(draw_overlay(before.copy(), [], notice="", keys=()), before)


def test_draw_overlay_in_place() -> None:
    image = plain((320, 240))
    assert draw_overlay(image, LINES, notice="camera lost") is image
    assert (image != plain((320, 240))).any()


@pytest.mark.parametrize("size", SIZES)
def test_draw_overlay_any_size(size: tuple[int, int]) -> None:
    long = ["a line that is much too long for a small picture " * 3] * 40
    keys = [("key", "what it does, explained at length")] * 40
    assert draw_overlay(plain(size), long, notice=long[0]).shape == (size[1], size[0], 3)
    assert draw_overlay(plain(size), long, notice=long[0], keys=keys).dtype == np.uint8


def test_long_text_shrinks() -> None:
    before = plain((640, 360), (255, 255, 255))
    image = draw_notice(before.copy(), "reconnecting to the camera that was lost " * 2)
    assert image[:, :8].max(axis=2)[170:190].max() < 200  # no letter is cut off at the edges
    assert image[:, -8:].max(axis=2)[170:190].max() < 200


def test_accents() -> None:
    np.testing.assert_array_equal(
        draw_lines(plain((320, 240)), ["Bäume é"]), draw_lines(plain((320, 240)), ["Baume e"])
    )
