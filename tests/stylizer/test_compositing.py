from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.engines.base import StylizedFrame
from live_nst.stylizer.compositing import compose, draw_split_view, required_images
from live_nst.stylizer.look import Look

random = np.random.default_rng(0)
CONTENT = random.integers(0, 256, (45, 81, 3), np.uint8)
STYLIZED = random.integers(0, 256, (24, 40, 3), np.uint8)
SEEN = cv2.resize(CONTENT, (40, 24), interpolation=cv2.INTER_AREA)
PAINTED = StylizedFrame(SEEN, STYLIZED)  # type: ignore[arg-type]

SHARES = st.floats(0, 1)
LOOKS = st.builds(Look, strength=SHARES, keep_colors=SHARES, detail=SHARES)


def full() -> np.ndarray:
    return cv2.resize(STYLIZED, (81, 45), interpolation=cv2.INTER_CUBIC)


def luma(image: np.ndarray) -> np.ndarray:
    """Y' of BT.601, in float64."""
    return image @ np.array([0.114, 0.587, 0.299])


def pictures(seed: int, size: tuple[int, int], small: tuple[int, int]) -> tuple[Any, StylizedFrame]:
    """A frame of saturated and gray, bright and dark pixels, and a possible stylized image."""
    rng = np.random.default_rng(seed)
    content = rng.integers(0, 256, (*size[::-1], 3), np.uint8)
    content[rng.random(size[::-1]) < 0.2] = rng.choice([0, 255], 3)
    seen = cv2.resize(content, small, interpolation=cv2.INTER_AREA)
    stylized = rng.integers(0, 256, (*small[::-1], 3), np.uint8)
    return content, StylizedFrame(seen, stylized)  # type: ignore[arg-type]


def test_compose_default_look() -> None:
    np.testing.assert_array_equal(compose(CONTENT, PAINTED, Look()), full())


@given(LOOKS)
def test_compose_blend_of_styles_ignores_strength(look: Look) -> None:
    result = compose(CONTENT, PAINTED, replace(look, blend="styles"))
    np.testing.assert_array_equal(result, compose(CONTENT, PAINTED, replace(look, strength=1.0)))


def test_compose_at_one_size_resamples_nothing() -> None:
    other = CONTENT[::-1].copy()
    result = compose(CONTENT, StylizedFrame(CONTENT, other), Look())
    np.testing.assert_array_equal(result, other)


@given(LOOKS)
def test_compose_strength_0_is_the_content(look: Look) -> None:
    result = compose(CONTENT, PAINTED, replace(look, strength=0.0))
    np.testing.assert_array_equal(result, CONTENT)
    assert not np.shares_memory(result, CONTENT)


@given(st.floats(0.01, 0.99))
def test_compose_strength_is_a_linear_blend(strength: float) -> None:
    result = compose(CONTENT, PAINTED, Look(strength=strength))
    expected = strength * full().astype(float) + (1 - strength) * CONTENT
    assert np.abs(result - expected).max() <= 1


@given(LOOKS, SHARES, SHARES)
def test_compose_strength_is_monotonic(look: Look, one: float, other: float) -> None:
    """In every pixel, up to rounding: so whatever grows with that distance is monotonic, too."""
    weak, strong = sorted((one, other))
    painted = compose(CONTENT, PAINTED, replace(look, strength=1.0)).astype(int)
    far, near = (
        np.abs(compose(CONTENT, PAINTED, replace(look, strength=strength)) - painted)
        for strength in (weak, strong)
    )
    assert (near <= far + 1).all()


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 20), st.integers(1, 20), LOOKS)
def test_compose_any_size(
    width: int, height: int, small_width: int, small_height: int, look: Look
) -> None:
    content = np.full((height, width, 3), 10, np.uint8)
    seen = np.full((small_height, small_width, 3), 10, np.uint8)
    stylized = np.full((small_height, small_width, 3), (50, 100, 200), np.uint8)
    mask = np.full((height, width), 255, np.uint8)

    plain = compose(content, StylizedFrame(seen, stylized), Look())

    assert (plain == (50, 100, 200)).all()
    for each in (None, mask):
        result = compose(content, StylizedFrame(seen, stylized), look, each)
        assert result.shape == content.shape
        assert result.dtype == np.uint8


# Colors


def assert_same_chroma(result: np.ndarray, content: np.ndarray) -> None:
    before, after = (
        cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb).astype(int) for image in (content, result)
    )
    assert np.abs(after - before)[..., 1:].max() <= 2


@given(st.integers(0, 10_000), SHARES, SHARES)
def test_compose_keep_colors_keeps_chroma(seed: int, strength: float, detail: float) -> None:
    content, painted = pictures(seed, (33, 21), (12, 8))
    result = compose(content, painted, Look(strength=1.0, keep_colors=1.0, detail=detail))
    assert_same_chroma(result, content)
    assert_same_chroma(compose(content, painted, Look(strength, 1.0, detail)), content)


@given(st.integers(0, 10_000))
def test_compose_keep_colors_takes_stylized_brightness(seed: int) -> None:
    content, painted = pictures(seed, (33, 21), (33, 21))
    result = compose(content, painted, Look(keep_colors=1.0))
    wanted, given_luma = luma(painted.stylized), luma(content)
    lowest = given_luma - content.min(axis=2)
    highest = given_luma + 255 - content.max(axis=2)
    assert np.abs(luma(result) - np.clip(wanted, lowest, highest)).max() <= 1.5


def test_compose_keep_colors_of_gray_content() -> None:
    content = np.full((24, 40, 3), 77, np.uint8)
    result = compose(content, StylizedFrame(content, STYLIZED), Look(keep_colors=1.0))
    assert (result == result[..., :1]).all()
    assert np.abs(result[..., 0] - luma(STYLIZED)).max() <= 1


def test_compose_keep_colors_half() -> None:
    style, own = (compose(CONTENT, PAINTED, Look(keep_colors=share)) for share in (0.0, 1.0))
    result = compose(CONTENT, PAINTED, Look(keep_colors=0.5))
    assert np.abs(result - (style.astype(float) + own) / 2).max() <= 1


# Detail


def test_compose_detail() -> None:
    """A fine grid over a plain: gone at the network's size, and added back in full."""
    content = np.full((48, 80, 3), 100, np.uint8)
    content[::4] += 20
    seen = cv2.resize(content, (20, 12), interpolation=cv2.INTER_AREA)
    stylized = np.full((12, 20, 3), (40, 120, 200), np.uint8)
    painted = StylizedFrame(seen, stylized)  # type: ignore[arg-type]

    none, half, whole = (
        compose(content, painted, Look(detail=share)).astype(int) for share in (0.0, 0.5, 1.0)
    )

    assert (none == (40, 120, 200)).all()
    contrasts = [(image[4] - image[6])[40] for image in (half, whole)]
    np.testing.assert_allclose(contrasts, [[7] * 3, [14] * 3], atol=1)  # 20 less 3 of noise, twice


def test_compose_detail_ignores_noise() -> None:
    content = np.full((48, 80, 3), 100, np.uint8)
    content += random.integers(0, 4, (48, 80, 1), np.uint8)
    seen = cv2.resize(content, (20, 12), interpolation=cv2.INTER_AREA)
    painted = StylizedFrame(seen, np.full((12, 20, 3), 50, np.uint8))  # type: ignore[arg-type]
    assert (compose(content, painted, Look(detail=1.0)) == 50).all()


@given(SHARES)
def test_compose_detail_at_the_networks_size_adds_nothing(detail: float) -> None:
    painted = StylizedFrame(CONTENT, CONTENT[::-1].copy())
    np.testing.assert_array_equal(compose(CONTENT, painted, Look(detail=detail)), painted.stylized)


# Masks


@given(LOOKS)
def test_compose_mask_white_and_black(look: Look) -> None:
    white, black = np.full((45, 81), 255, np.uint8), np.zeros((45, 81), np.uint8)
    without = compose(CONTENT, PAINTED, look).astype(int)
    assert np.abs(compose(CONTENT, PAINTED, look, white) - without).max() <= 2
    np.testing.assert_array_equal(compose(CONTENT, PAINTED, look, black), CONTENT)


@given(st.integers(0, 10_000), LOOKS)
def test_compose_mask_blends_every_pixel(seed: int, look: Look) -> None:
    mask = np.random.default_rng(seed).integers(0, 256, (45, 81), np.uint8)
    painted = compose(CONTENT, PAINTED, replace(look, strength=1.0))
    share = look.strength * mask[..., None] / 255
    expected = share * painted + (1 - share) * CONTENT
    result = compose(CONTENT, PAINTED, look, mask)
    assert np.abs(result - expected).max() <= 2


# Pictures on a device


class Far:
    """An image on a device that records when it is fetched."""

    def __init__(self, name: str, image: np.ndarray, fetched: list[str]) -> None:
        self._name, self._image, self._fetched = name, image, fetched
        self.shape = image.shape

    def numpy(self) -> np.ndarray:
        self._fetched.append(self._name)
        return self._image


def far(fetched: list[str], large: np.ndarray) -> StylizedFrame:
    pictures = {"content": SEEN, "stylized": STYLIZED, "upscaled": large}
    return StylizedFrame(*(Far(name, image, fetched) for name, image in pictures.items()))


@pytest.mark.parametrize("keep_colors", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("detail", [0.0, 0.8])
def test_required_images_are_exactly_what_compose_fetches(
    strength: float, keep_colors: float, detail: float
) -> None:
    look = Look(strength, keep_colors=keep_colors, detail=detail)
    fetched: list[str] = []
    result = compose(CONTENT, far(fetched, full()), look)
    assert sorted(fetched) == sorted(required_images(look))
    np.testing.assert_array_equal(result, compose(CONTENT, PAINTED, look))


def test_required_images_with_a_mask() -> None:
    assert set(required_images(Look(only="person"))) == {"content", "upscaled"}
    assert required_images(Look()) == ("upscaled",)


def test_compose_ignores_upscaled_image_of_another_size() -> None:
    fetched: list[str] = []
    result = compose(CONTENT, far(fetched, np.zeros((90, 162, 3), np.uint8)), Look())
    assert fetched == ["stylized"]
    np.testing.assert_array_equal(result, full())


# Views and memory


def test_draw_split_view() -> None:
    result = full().copy()
    draw_split_view(CONTENT, result)

    np.testing.assert_array_equal(result[:, :39], CONTENT[:, :39])
    np.testing.assert_array_equal(result[:, 41:], full()[:, 41:])
    assert (result[:, 39:41] == 255).all()


def test_draw_split_view_line_width() -> None:
    content = np.zeros((4, 1280, 3), np.uint8)
    result = content.copy()
    draw_split_view(content, result)
    assert np.flatnonzero(result[0, :, 0]).tolist() == [638, 639, 640, 641]


EVERY_KIND = [Look(), Look(0.5), Look(0.0), Look(1.0, 1.0), Look(0.7, 0.4, 0.8)]


@pytest.mark.parametrize("look", EVERY_KIND, ids=str)
@pytest.mark.parametrize(
    "content", [CONTENT[:, ::-1], CONTENT[::2, ::3], np.asfortranarray(CONTENT), CONTENT[..., ::-1]]
)
def test_compose_content_in_any_memory_layout(content: np.ndarray, look: Look) -> None:
    expected = compose(np.ascontiguousarray(content), PAINTED, look)
    np.testing.assert_array_equal(compose(content, PAINTED, look), expected)


@pytest.mark.parametrize("look", EVERY_KIND, ids=str)
def test_compose_modifies_no_argument(look: Look) -> None:
    content, seen, stylized = CONTENT.copy(), CONTENT.copy(), CONTENT.copy()
    mask = np.full((45, 81), 99, np.uint8)
    for each in (None, mask):
        compose(content, StylizedFrame(seen, stylized), look, each)[:] = 0
    for image in (content, seen, stylized):
        np.testing.assert_array_equal(image, CONTENT)
    assert (mask == 99).all()
