"""The temporal filter, on images whose truth is known."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_nst.stabilizer.filter import (
    STATE_FORMAT,
    ScratchBuffers,
    StabilizerState,
    stabilize_frame,
)
from live_nst.stabilizer.innovation import GRID_SPACING
from live_nst.stabilizer.motion import SAMPLE_POINTS, DisFlowEstimator, Flow
from live_nst.types import Image
from tests.stabilizer.scenes import HEIGHT, WIDTH, error, flicker, paint, texture, view


def exact(x: float) -> Flow:
    """A flow estimator for which everything moved by `x` pixels."""
    return lambda now, then, guess: np.full((*now.shape, 2), (x, 0), np.float32)  # type: ignore[return-value]


def run(contents: list[Image], painted: list[Image], motion=None) -> list[Image]:  # type: ignore[no-untyped-def]
    motion, scratch = motion or DisFlowEstimator(), ScratchBuffers()
    state: StabilizerState | None = None
    result = []
    for content, stylized in zip(contents, painted, strict=True):
        state, stabilized = stabilize_frame(state, content, stylized, motion, scratch=scratch)
        result.append(stabilized)
    return result


def test_first_frame_is_unchanged() -> None:
    content = view(0)
    _, stabilized = stabilize_frame(None, content, paint(content), DisFlowEstimator())
    np.testing.assert_array_equal(stabilized, paint(content))


def test_stabilize_frame_is_a_pure_function() -> None:
    frames = [flicker(view(t), t, 3) for t in range(4)]
    state: StabilizerState | None = None
    for t, frame in enumerate(frames):
        kept = None if state is None else [array.copy() for array in state]
        given = frame.copy(), paint(frame)
        after, once = stabilize_frame(state, frame, paint(frame), DisFlowEstimator())
        again, twice = stabilize_frame(state, *given, DisFlowEstimator(), scratch=ScratchBuffers())
        np.testing.assert_array_equal(once, twice)
        for one, other in zip(after, again, strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(frame, given[0])
        if state is not None and kept is not None:
            for one, other in zip(state, kept, strict=True):
                np.testing.assert_array_equal(one, other, f"state before frame {t}")
        state = after


def test_static_scene_loses_flicker() -> None:
    contents = [flicker(view(0), 100 + t, 3) for t in range(40)]
    truth = paint(view(0))
    painted = [flicker(truth, t) for t in range(40)]

    stabilized = run(contents, painted)

    spread = np.std(stabilized[15:], axis=0).mean() / np.std(painted[15:], axis=0).mean()
    assert spread < 0.2
    assert error(stabilized[-1], truth) < 0.3 * error(painted[-1], truth)


def test_moving_scene_loses_flicker_without_lag() -> None:
    contents = [flicker(view(1.3 * t), 100 + t, 2) for t in range(24)]
    truth = [paint(view(1.3 * t)) for t in range(24)]
    painted = [flicker(picture, t) for t, picture in enumerate(truth)]

    stabilized = run(contents, painted)

    inner = np.s_[8:-8, 8:-8]
    before = np.mean([error(painted[t][inner], truth[t][inner]) for t in range(8, 24)])
    after = np.mean([error(stabilized[t][inner], truth[t][inner]) for t in range(8, 24)])
    assert after < 0.7 * before


def test_slow_change_before_a_static_camera_is_followed() -> None:
    """The network restyles a wall as somebody walks by; the average must not lag behind."""
    contents = [flicker(view(0), 100 + t, 2) for t in range(50)]
    truth = [np.clip(paint(view(0)) * (0.5 + 0.01 * t), 0, 255).astype(np.uint8) for t in range(50)]

    stabilized = run(contents, [flicker(picture, t, 3) for t, picture in enumerate(truth)])

    lags = [error(stabilized[49], truth[49 - lag]) for lag in range(8)]
    assert np.argmin(lags) <= 3  # an average over all frames would be 24 behind


def test_known_motion_is_averaged_by_the_formula() -> None:
    """Against an average over frames in float64, away from the borders."""
    step = 2  # whole pixels: no interpolation
    wide = texture(WIDTH + 40, HEIGHT)
    contents = [np.ascontiguousarray(wide[:, step * t : step * t + WIDTH]) for t in range(6)]
    painted = [flicker(paint(c), t, 4) for t, c in enumerate(contents)]

    stabilized = run(contents, painted, exact(step))

    expected, age = painted[0].astype(float), 1.0
    for t in range(1, 6):
        moved = np.roll(expected, -step, 1)
        frames = min(age + 0.7, 5.5)
        expected = (frames * moved + painted[t]) / (frames + 1)
        age = frames + 1
    inner = np.s_[10:-10, 10 : -10 - 5 * step]
    np.testing.assert_allclose(stabilized[5][inner], expected[inner], atol=0.6)


def test_slow_pan_is_not_static() -> None:
    """0.12 pixels a frame: less than the flow's error at any one point."""
    width, height = 3 * WIDTH, 3 * HEIGHT
    contents = [flicker(view(0.12 * t, 0, width, height), t, 2) for t in range(60)]
    truth = paint(view(0.12 * 59, 0, width, height))
    old = paint(view(0.12 * 45, 0, width, height))

    last = run(contents, [flicker(paint(c), t, 4) for t, c in enumerate(contents)])[-1]

    assert error(last, truth) < 0.5 * error(last, old)


def test_newly_visible_content_comes_from_the_new_frame() -> None:
    contents, painted = [], []
    for t in range(10):
        content = flicker(view(0), t, 2)
        x = 6 + 6 * t
        content[16:48, x : x + 20] = (20, 20, 230)
        contents.append(content)
        painted.append(paint(content))

    stabilized = run(contents, painted)

    for t in range(1, 10):
        x = 6 + 6 * (t - 1)
        uncovered = np.s_[20:44, x : x + 4]
        assert error(stabilized[t][uncovered], painted[t][uncovered]) < 6


@pytest.mark.parametrize("size", [3, 6])
@pytest.mark.parametrize("levels", [40, 120])
def test_change_of_a_small_spot_shows_at_once(size: int, levels: int) -> None:
    """An eye that blinks is a few pixels, on strokes of high contrast."""
    spot = np.s_[30 : 30 + size, 40 : 40 + size]
    contents = [view(0).copy() for _ in range(26)]
    for content in contents[24:]:
        content[spot] = np.clip(content[spot].astype(int) - levels, 0, 255)
    painted = [paint(c) for c in contents]
    seen = [flicker(c, t, 2) for t, c in enumerate(contents)]

    stabilized = run(seen, [flicker(p, 99 + t, 8) for t, p in enumerate(painted)])

    assert error(stabilized[24][spot], painted[24][spot]) < 10  # the flicker of one frame is 6


def test_cut_leaves_no_ghost() -> None:
    contents = [flicker(view(0, seed=1), t, 2) for t in range(6)]
    contents += [flicker(view(0, seed=2), t, 2) for t in range(6, 8)]
    painted = [paint(c) for c in contents]

    stabilized = run(contents, painted)

    np.testing.assert_array_equal(stabilized[6], painted[6])


@pytest.mark.parametrize("kind", ["flash", "darker", "brighter", "frozen"])
def test_disturbances_leave_no_ghost(kind: str) -> None:
    """Two frames later the image is as close to the truth as without them."""
    contents = [flicker(view(0), t, 2) for t in range(14)]
    if kind == "flash":
        contents[7] = np.full_like(contents[7], 250)
    elif kind == "frozen":
        contents = [flicker(view(2 * t), t, 2) for t in range(14)]
        contents[6] = contents[7] = contents[5].copy()
    else:
        gain = 0.7 if kind == "darker" else 1.25
        contents[7:] = [np.clip(c * gain, 0, 255).astype(np.uint8) for c in contents[7:]]
    painted = [paint(c) for c in contents]

    stabilized = run(contents, painted)

    for t in (9, 10, 13):
        assert error(stabilized[t], painted[t]) < 4  # a ghost would differ by tens of levels


def test_style_change_shows_at_once() -> None:
    content = view(0)
    state, motion = None, DisFlowEstimator()
    for _ in range(20):
        state, _ = stabilize_frame(state, content, paint(content), motion)
    other = content.copy()

    _, stabilized = stabilize_frame(state, content, other, motion, style_change=1.0)

    assert error(stabilized, other) < 0.06 * error(paint(content), other)


def test_new_size_keeps_the_state() -> None:
    truth = paint(view(0))
    state, motion, scratch = None, DisFlowEstimator(), ScratchBuffers()
    for t in range(20):
        state, _ = stabilize_frame(state, view(0), flicker(truth, t), motion, scratch=scratch)
    large = view(0, width=2 * WIDTH, height=2 * HEIGHT)
    large = cv2.resize(view(0), (2 * WIDTH, 2 * HEIGHT), interpolation=cv2.INTER_LINEAR)
    painted = flicker(paint(large), 99)

    state, stabilized = stabilize_frame(state, large, painted, motion, scratch=scratch)

    assert stabilized.shape == large.shape
    assert error(stabilized, paint(large)) < 0.6 * error(painted, paint(large))


def test_flow_is_the_next_guess_unless_confidence_is_low() -> None:
    guesses: list[Flow | None] = []

    def motion(now, then, guess):  # type: ignore[no-untyped-def]
        guesses.append(guess)
        return np.zeros((*now.shape, 2), np.float32)

    changed = view(0)
    changed[:, WIDTH // 4 :] = texture(WIDTH, HEIGHT, 9)[:, WIDTH // 4 :]
    frames = [view(0), view(0), view(0), changed, changed]
    run(frames, [paint(frame) for frame in frames], motion)
    assert [guess is None for guess in guesses] == [True, False, False, True]


def test_new_aspect_ratio_resets_the_state() -> None:
    state, _ = stabilize_frame(None, view(0), paint(view(0)), DisFlowEstimator())
    tall = texture(HEIGHT, WIDTH, 3)
    _, stabilized = stabilize_frame(state, tall, paint(tall), DisFlowEstimator())
    np.testing.assert_array_equal(stabilized, paint(tall))


sizes = st.tuples(st.integers(1, 48), st.integers(1, 48))
contents = st.sampled_from(["noise", "flat"])
motions = st.sampled_from(["none", "small", "wild", "not a number"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(sizes, contents, motions, st.floats(0, 2)), min_size=2, max_size=5),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_any_input_gives_a_finite_image(
    steps: list[tuple[tuple[int, int], str, str, float]], one_size: bool, seed: int
) -> None:
    """Random frames, random and absurd motion, changing sizes: no NaN, no divergence."""
    random, state, scratch = np.random.default_rng(seed), None, ScratchBuffers()

    def find(kind: str, shape: tuple[int, ...]) -> Flow:
        reach = {"none": 0, "small": 2, "wild": 1e5, "not a number": 3}[kind]
        flow = random.uniform(-reach, reach, (*shape, 2)).astype(np.float32)
        if kind == "not a number":
            flow[random.random(shape) < 0.3] = random.choice([np.nan, np.inf, -np.inf])
        return flow

    for size, kind, motion, change in steps:
        width, height = steps[0][0] if one_size else size
        shape = (height, width, 3)
        content = np.full(shape, 90, np.uint8)
        if kind == "noise":
            content = random.integers(0, 256, shape, np.uint8)
        stylized = random.integers(0, 256, shape, np.uint8)
        state, stabilized = stabilize_frame(
            state,
            content,
            stylized,
            lambda now, then, guess, kind=motion: find(kind, now.shape),
            style_change=change,
            scratch=scratch,
        )
        assert stabilized.shape == shape and stabilized.dtype == np.uint8
        assert (
            np.isfinite(state.frame_counts).all()
            and 1 <= state.frame_counts.min() <= state.frame_counts.max() <= 62
        )
        assert np.isfinite(state.average).all()
        assert state.average.min() >= 0 and state.average.max() <= 400


@settings(max_examples=15, deadline=None)
@given(sizes, st.integers(0, 1000))
def test_noise_gives_a_finite_image(size: tuple[int, int], seed: int) -> None:
    random, motion, state = np.random.default_rng(seed), DisFlowEstimator(), None
    for _ in range(3):
        content = random.integers(0, 256, (size[1], size[0], 3), np.uint8)
        state, _ = stabilize_frame(state, content, paint(content), motion)
        assert np.isfinite(state.average).all()


def test_state_format() -> None:
    """If this fails, raise `STATE_FORMAT`: unfinished conversions may contain such a state."""
    state, _ = stabilize_frame(None, view(0), paint(view(0)), DisFlowEstimator())
    state, _ = stabilize_frame(state, view(1), paint(view(1)), DisFlowEstimator())
    half, points = (HEIGHT // 2, WIDTH // 2), (HEIGHT // GRID_SPACING, WIDTH // GRID_SPACING)
    assert (STATE_FORMAT, {name: array.shape for name, array in state._asdict().items()}) == (
        4,
        {
            "gray": half,
            "half": (*half, 4),
            "average": (HEIGHT, WIDTH, 4),
            "frame_counts": points,
            "flow": (*half, 2),
            "mean_motion": (SAMPLE_POINTS, 2),
            "innovation": points,
            "covariance": points,
            "variance": points,
        },
    )
