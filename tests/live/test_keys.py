import pytest

from live_nst.live.keys import HELP_KEYS, KEY_ACTIONS, SIZE_STEPS, Action, next_size, next_strength


def test_strength_goes_by_tenths_and_stays_within_its_range() -> None:
    strength, seen = 1.0, []
    for _ in range(12):
        strength = next_strength(strength, -1)
        seen.append(strength)
    assert seen == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0, 0.0, 0.0]
    for _ in range(12):
        strength = next_strength(strength, 1)
    assert strength == 1.0


def test_a_strength_between_the_tenths_moves_by_a_tenth() -> None:
    assert next_strength(0.95, 1) == 1.0
    assert next_strength(0.25, -1) == 0.15


@pytest.mark.parametrize(
    ("size", "steps", "wanted"),
    [(384, 1, 448), (384, -1, 320), (1280, 1, 1280), (128, -1, 128), (400, 1, 448), (400, -1, 384),
     (64, 1, 128), (64, -1, 64), (4000, -1, 1280), (4000, 1, 4000)],
)  # fmt: skip
def test_sizes_go_by_steps_and_end_at_the_ends(size: int, steps: int, wanted: int) -> None:
    assert next_size(size, steps) == wanted


def test_all_sizes_can_be_reached_and_are_multiples_of_four() -> None:
    size, seen = SIZE_STEPS[0], [SIZE_STEPS[0]]
    while (larger := next_size(size, 1)) != size:
        size = larger
        seen.append(size)
    assert tuple(seen) == SIZE_STEPS
    assert all(size % 4 == 0 for size in SIZE_STEPS)


def test_every_action_has_a_key_and_the_help_names_only_keys_that_exist() -> None:
    assert set(KEY_ACTIONS.values()) == set(Action)
    words = {word for keys, _ in HELP_KEYS for word in keys.split()}
    for word in words - {"1-9"}:
        assert word in KEY_ACTIONS
    shown = {KEY_ACTIONS[word] for word in words - {"1-9"}} | {KEY_ACTIONS["1"]}
    assert shown == set(Action)
