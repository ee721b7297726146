from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.engines import tiles
from live_nst.engines.tiles import RunningMoments, TileWindow, cut_tiles, room
from live_nst.errors import ModelError


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 100), st.sampled_from([1, 2, 4, 8]))
def test_windows_cover_the_picture_once(
    across: int, down: int, longest: int, multiple: int
) -> None:
    size = (across * multiple, down * multiple)
    covered = np.zeros((size[1], size[0]), int)
    for window in cut_tiles(size, longest, multiple):
        window.of(covered)[:] += 1
        assert all(side % multiple == 0 for side in window)
        assert max(window.bottom - window.top, window.right - window.left) <= max(longest, multiple)
        assert window.pixels == (window.bottom - window.top) * (window.right - window.left)
    assert (covered == 1).all()


def test_the_last_window_is_no_sliver() -> None:
    heights = [w.bottom - w.top for w in cut_tiles((512, 1028), 512, 4)]
    assert min(heights) > 300


def test_a_window_grows_up_to_the_edges() -> None:
    inner = TileWindow(100, 200, 0, 50)
    outer = inner.grown(16, (60, 400))
    assert outer == (84, 216, 0, 60)
    assert inner.inside(outer) == (16, 116, 0, 50)


def test_a_window_of_a_reduced_picture_is_a_view() -> None:
    picture = np.zeros((100, 80, 3))
    TileWindow(40, 80, 8, 16).of(picture, 4)[:] = 1
    assert picture.sum() == 10 * 2 * 3
    assert (picture[10:20, 2:4] == 1).all()


@given(st.lists(st.integers(1, 50), min_size=1, max_size=8), st.floats(-1e3, 1e3))
def test_moments_of_pieces_are_those_of_the_whole(counts: list[int], offset: float) -> None:
    random = np.random.default_rng(sum(counts))
    pieces = [random.normal(offset, 1, (count, 3)) for count in counts]
    moments = RunningMoments()
    for piece in pieces:
        moments.add(len(piece), piece.mean(0), piece.var(0))
    whole = np.concatenate(pieces)
    np.testing.assert_allclose(moments.mean, whole.mean(0), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(moments.variance, whole.var(0), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("on_disk", [False, True])
def test_room_is_there_and_leaves_nothing(
    on_disk: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles.tempfile, "tempdir", str(tmp_path))
    array = room((5, 7, 3), on_disk=on_disk)
    array[:] = 2.5
    assert array.shape == (5, 7, 3)
    assert array.dtype == np.float32
    assert float(array.sum()) == 2.5 * 105
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_before_anything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tiles.os, "posix_fallocate", full, raising=False)
    with pytest.raises(ModelError, match=r"needs 4\.0 GB") as caught:
        room((1000, 1000, 1000), on_disk=True)
    assert "TMPDIR" in caught.value.hint


def test_more_than_the_memory_is_told() -> None:
    with pytest.raises(ModelError, match="in memory"):
        room((10**6, 10**6, 1000), on_disk=False)
