"""Static scene detection, in spite of the noise of a camera."""

from collections.abc import Iterable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.stabilizer.static_scene import (
    REFRESH_INTERVAL,
    SETTLED_FRAMES,
    StaticScene,
    update_static_scene,
)
from live_nst.types import Image
from tests.stabilizer.scenes import texture, view

WIDTH, HEIGHT = 640, 360
ROOM = np.clip(texture(WIDTH, HEIGHT), 30, 220)


def noisy(picture: Image, seed: int, sigma: float = 4.0) -> Image:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def see(frames: Iterable[Image], before: StaticScene | None = None) -> list[StaticScene]:
    seen = []
    for frame in frames:
        before = update_static_scene(before, frame)
        seen.append(before)
    return seen


@pytest.fixture(scope="module")
def still() -> StaticScene:
    """The state of a room that has been static for long."""
    last = see(noisy(ROOM, seed) for seed in range(SETTLED_FRAMES + 1))[-1]
    assert last.settled and not last.can_reuse
    return last


@pytest.mark.parametrize("sigma", [0.0, 1.0, 2.0, 4.0, 8.0])
def test_noise_is_static(sigma: float) -> None:
    seen = see(
        noisy(ROOM, seed, sigma) for seed in range(1 + SETTLED_FRAMES + 2 * REFRESH_INTERVAL)
    )
    assert not any(one.can_reuse for one in seen[: 1 + SETTLED_FRAMES])
    rest = [one.can_reuse for one in seen[1 + SETTLED_FRAMES :]]
    assert rest == 2 * ([True] * (REFRESH_INTERVAL - 1) + [False])


def test_strong_noise_is_not_static() -> None:
    assert not any(one.settled for one in see(noisy(ROOM, seed, 40.0) for seed in range(50)))


def test_noise_is_measured(still: StaticScene) -> None:
    alone = cv2.resize(noisy(ROOM, 99), still.cells.shape[1::-1], interpolation=cv2.INTER_AREA)
    cells = cv2.resize(ROOM, still.cells.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert 0.7 < still.noise / np.std(alone.astype(float) - cells) < 2.0


@pytest.mark.parametrize("step", [0.2, 1.0, 5.0])
def test_pan_is_never_static(step: float) -> None:
    frames = [noisy(view(step * t, 0, WIDTH, HEIGHT), t) for t in range(60)]
    assert not any(one.settled for one in see(frames))


@given(
    x=st.integers(0, WIDTH - 12),
    y=st.integers(0, HEIGHT - 12),
    levels=st.sampled_from([-60, -30, 30]),
)
def test_small_object_is_noticed_in_its_first_frame(
    still: StaticScene, x: int, y: int, levels: int
) -> None:
    changed = ROOM.astype(np.int16)
    changed[y : y + 12, x : x + 12] += levels
    now = update_static_scene(still, noisy(changed.astype(np.uint8), 1000))
    assert not now.can_reuse and not now.settled


def test_weak_change_of_a_large_area_is_noticed(still: StaticScene) -> None:
    changed = ROOM.copy()
    changed[:200, :200] += 2
    assert not update_static_scene(still, noisy(changed, 1000)).settled


def test_slow_change_of_light_is_noticed(still: StaticScene) -> None:
    frames = [noisy(np.asarray(cv2.add(ROOM, (t / 30,) * 4)), t) for t in range(60)]
    assert any(not one.settled for one in see(frames, still))


def test_scene_settles_again_after_a_change(still: StaticScene) -> None:
    other = 255 - ROOM
    seen = see((noisy(other, seed) for seed in range(SETTLED_FRAMES + 2)), still)
    assert [one.can_reuse for one in seen] == [False] * (SETTLED_FRAMES + 1) + [True]


def test_other_size_begins_again(still: StaticScene) -> None:
    assert not update_static_scene(still, np.zeros((480, 640, 3), np.uint8)).settled


@given(height=st.integers(1, 40), width=st.integers(1, 40))
def test_any_size(height: int, width: int) -> None:
    frame = np.full((height, width, 3), 77, np.uint8)
    assert see([frame] * (SETTLED_FRAMES + 2))[-1].can_reuse


def test_arguments_are_not_modified(still: StaticScene) -> None:
    cells = still.cells.copy()
    update_static_scene(still, ROOM)
    update_static_scene(still, 255 - ROOM)
    np.testing.assert_array_equal(still.cells, cells)
