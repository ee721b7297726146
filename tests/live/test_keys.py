"""The keys of a live session."""

from live_nst.live.keys import HELP_KEYS, KEY_ACTIONS, Action


def test_every_action_has_a_key_and_help() -> None:
    assert set(KEY_ACTIONS.values()) == set(Action)
    words = {word for keys, _ in HELP_KEYS for word in keys.split()}
    for word in words - {"1-9"}:
        assert word in KEY_ACTIONS
    shown = {KEY_ACTIONS[word] for word in words - {"1-9"}} | {KEY_ACTIONS["1"]}
    assert shown == set(Action)
