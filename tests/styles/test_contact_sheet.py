import numpy as np
import pytest

from live_nst.styles.contact_sheet import CELL_SIDE, SheetCell, draw_sheet, scale_to_fit
from live_nst.types import Image

SOLID = [(40, 80, 250), (30, 220, 60), (240, 60, 30), (10, 200, 240), (200, 30, 200), (90, 160, 60)]
ORIGINAL = (250, 250, 10)


def solid(color: tuple[int, int, int], width: int = 320, height: int = 180) -> Image:
    return np.full((height, width, 3), color, np.uint8)


def cells(count: int, width: int = 320, height: int = 180) -> list[SheetCell]:
    return [
        SheetCell(solid(SOLID[number], width, height), f"style {number}", "some words about it")
        for number in range(count)
    ]


def area(sheet: Image, color: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Left, top, width and height of what has exactly that color, which is solid."""
    rows, columns = np.nonzero((sheet == color).all(axis=2))
    left, top = int(columns.min()), int(rows.min())
    width, height = int(columns.max()) - left + 1, int(rows.max()) - top + 1
    assert len(rows) == width * height
    return left, top, width, height


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1280, 720), (512, 288)),
        ((720, 1280), (288, 512)),
        ((64, 64), (512, 512)),
        ((1, 9000), (1, 512)),
        ((9000, 1), (512, 1)),
    ],
)
def test_scale_to_fit(size: tuple[int, int], expected: tuple[int, int]) -> None:
    fitted = scale_to_fit(solid((1, 2, 3), *size), (CELL_SIDE, CELL_SIDE))
    assert fitted.shape == (expected[1], expected[0], 3)
    assert (fitted == (1, 2, 3)).all()


def test_draw_sheet_places_the_styles_around_the_original() -> None:
    sheet = draw_sheet(SheetCell(solid(ORIGINAL), "original", ""), cells(6))
    left, top, width, height = area(sheet, ORIGINAL)
    places = [area(sheet, color) for color in SOLID]

    assert all(place[2:] == (320, 180) for place in places)
    assert width > 2 * 320
    assert width / height == pytest.approx(320 / 180, rel=0.01)
    x0, x1, x2, x3 = places[4][0], places[5][0], places[0][0], places[1][0]
    assert left == x0 < x1 < x2 < x3
    assert x1 - x0 == x2 - x1 == x3 - x2
    assert left + width == x1 + 320
    y0, y1, y2 = places[0][1], places[2][1], places[4][1]
    assert top == y0 < y1 < y2
    assert [place[:2] for place in places] == [
        (x2, y0),
        (x3, y0),
        (x2, y1),
        (x3, y1),
        (x0, y2),
        (x1, y2),
    ]
    assert top + height < y1 + 180 < y2


@pytest.mark.parametrize("count", [1, 4, 6])
@pytest.mark.parametrize("size", [(320, 180), (180, 320), (512, 1), (1, 512)])
def test_draw_sheet_writes_names_and_keeps_margins(count: int, size: tuple[int, int]) -> None:
    painted = cells(count, *size)
    original = SheetCell(solid(ORIGINAL, *size), "original", "and in some styles")
    sheet = draw_sheet(original, painted)
    background = sheet[0, 0]

    assert background.max() < 40
    for edge in (sheet[:24], sheet[-24:], sheet[:, :24], sheet[:, -24:]):
        assert (edge == background).all()
    for color in (ORIGINAL, *SOLID[:count]):
        left, top, _, height = area(sheet, color)
        below = sheet[top + height + 1 : top + height + 48, left : left + 180]
        assert below.min(axis=2).max() > 180  # bright, and of no color


def test_draw_sheet_wraps_descriptions() -> None:
    words = "a rather long description that no narrow picture could ever hold on one line"
    narrow = [SheetCell(solid(SOLID[0], 220, 180), "one", words)]
    short = [SheetCell(solid(SOLID[0], 220, 180), "one", "short")]
    original = SheetCell(solid(ORIGINAL, 220, 180), "original", "")
    with_words, without = draw_sheet(original, narrow), draw_sheet(original, short)

    left, *_ = area(with_words, SOLID[0])
    beside = with_words[:, left + 220 + 1 : left + 220 + 20]
    assert (beside == with_words[0, 0]).all()
    assert with_words.shape[0] > without.shape[0] + 40
