import numpy as np
import pytest

from live_nst.sinks.card import draw_card
from live_nst.types import check_image


@pytest.mark.parametrize("size", [(1280, 720), (64, 48), (480, 640)])
def test_text_is_in_the_middle(size: tuple[int, int]) -> None:
    image = check_image(draw_card(size, ("live-nst", "the camera starts")))
    assert image.shape == (size[1], size[0], 3)
    rows, columns = np.nonzero((image != image[0, 0]).any(axis=2))
    assert rows.size
    for places, length in ((rows, size[1]), (columns, size[0])):
        assert places.min() > 0.05 * length and places.max() < 0.95 * length
        assert abs((places.min() + places.max()) / 2 - length / 2) < 0.1 * length
