import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from live_nst.engines.tile_windows import TileWindow, cut_tiles


@settings(deadline=None)  # machines may be busy
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 100), st.sampled_from([1, 2, 4, 8]))
def test_cut_tiles_covers_image_once(across: int, down: int, longest: int, multiple: int) -> None:
    size = (across * multiple, down * multiple)
    covered = np.zeros((size[1], size[0]), int)
    for window in cut_tiles(size, longest, multiple):
        window.of(covered)[:] += 1
        assert all(side % multiple == 0 for side in window)
        assert max(window.bottom - window.top, window.right - window.left) <= max(longest, multiple)
    assert (covered == 1).all()


def test_cut_tiles_of_nearly_equal_size() -> None:
    heights = [w.bottom - w.top for w in cut_tiles((512, 1028), 512, 4)]
    assert max(heights) - min(heights) <= 4


def test_window_surroundings_stop_at_edges() -> None:
    inner = TileWindow(100, 200, 0, 50)
    outer = inner.surroundings(16, (60, 132), (60, 400))
    assert outer == (84, 216, 0, 60)
    assert inner.inside(outer) == (16, 116, 0, 50)
    assert TileWindow(300, 400, 0, 50).surroundings(16, (60, 132), (60, 400)) == (268, 400, 0, 60)


@settings(deadline=None)  # machines may be busy
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 60), st.sampled_from([0, 4, 16]))
def test_window_surroundings_hold_margin(across: int, down: int, longest: int, margin: int) -> None:
    size = (across * 4, down * 4)
    windows = list(cut_tiles(size, longest, 4))
    width = min(size[0], max(w.right - w.left for w in windows) + 2 * margin)
    height = min(size[1], max(w.bottom - w.top for w in windows) + 2 * margin)
    for window in windows:
        outer = window.surroundings(margin, (width, height), size)
        assert (outer.right - outer.left, outer.bottom - outer.top) == (width, height)
        assert 0 <= outer.left <= max(0, window.left - margin)
        assert 0 <= outer.top <= max(0, window.top - margin)
        assert min(size[0], window.right + margin) <= outer.right <= size[0]
        assert min(size[1], window.bottom + margin) <= outer.bottom <= size[1]


def test_window_of_downscaled_image_is_a_view() -> None:
    image = np.zeros((100, 80, 3))
    TileWindow(40, 80, 8, 16).of(image, 4)[:] = 1
    assert image.sum() == 10 * 2 * 3
    assert (image[10:20, 2:4] == 1).all()
