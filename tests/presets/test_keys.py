from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer

from live_nst.cli.app import app
from live_nst.errors import UsageError
from live_nst.live.options import LiveOptions
from live_nst.presets.keys import apply_table, preset_keys
from live_nst.presets.show import NOT_SAVED, make_table
from live_nst.stylizer.look import Look

NOT_IN_PRESETS = {"preset", "stats", "version", "help", "install-completion", "show-completion"}


def command_line() -> dict[str, Any]:
    """The options of `live-nst`: their defaults by name."""
    command = typer.main.get_command(app)
    return {option.opts[0].removeprefix("--"): option.default for option in command.params}


def test_every_option_of_the_command_line_is_a_key() -> None:
    assert set(command_line()) - NOT_IN_PRESETS <= set(preset_keys())
    assert set(preset_keys()) - set(command_line()) == {"keys", "folder"}


def test_the_defaults_of_the_command_line_are_those_of_the_options() -> None:
    options = LiveOptions()
    for name, default in command_line().items():
        if name in NOT_IN_PRESETS - {"preset"}:
            continue
        if name == "style":  # the help says starry
            assert default is None and options.stylizer.styles == ("starry",)
        elif name == "camera-size":
            assert default == f"{options.request.width}x{options.request.height}"
        elif name == "only":
            assert default == "" and options.stylizer.look.only == "everywhere"
        elif name == "stream":
            assert default is None and options.streams == ()
        elif name != "preset":
            assert preset_keys()[name].get(options) == default, name


def test_values() -> None:
    options = apply_table(
        LiveOptions(),
        {
            "style": "wave",
            "keys": ["ink", "wave"],
            "strength": 1,
            "keep-colors": 0.25,
            "size": 256,
            "camera-size": "640x360",
            "fps": 20,
            "source": 1,
            "mirror": True,
            "record": "a.mp4",
            "virtual-camera": True,
            "duration": 5,
        },
    )
    assert options.stylizer.styles == ("wave",)
    assert options.keys == ("ink", "wave")
    assert options.stylizer.look == Look(strength=1.0, keep_colors=0.25)
    assert options.stylizer.size == 256
    assert options.stylizer.stabilize == "fast"  # the others stay
    assert (options.request.width, options.request.height, options.request.fps) == (640, 360, 20)
    assert (options.source, options.mirror) == ("1", True)
    assert (options.record, options.virtual_camera) == (Path("a.mp4"), "")
    assert options.duration == 5.0


def test_values_that_are_taken_back() -> None:
    before = apply_table(LiveOptions(), {"size": 256, "virtual-camera": "/dev/video3", "frames": 9})
    after = apply_table(before, {"size": "auto", "virtual-camera": False, "frames": False})
    assert after == LiveOptions()


@pytest.mark.parametrize(
    ("key", "value", "message", "hint"),
    [
        ("strenght", 1, "no option called 'strenght'", "did you mean strength?"),
        ("keep_colours", 1, "no option called 'keep_colours'", "did you mean keep-colors?"),
        ("concurrency", 2, "no option called 'concurrency'", ""),
        ("zzz", 1, "no option called 'zzz'", "style"),
        ("strength", "much", "Invalid strength 'much'", "a number"),
        ("strength", True, "Invalid strength True", "a number"),
        ("strength", 2, "Invalid strength 2", "0 to 1"),
        ("size", 1.5, "Invalid size 1.5", 'a whole number or "auto"'),
        ("mirror", 1, "Invalid mirror 1", "true or false"),
        ("style", 1.5, "Invalid style 1.5", "list"),
        ("style", [], "No style", "starry"),
        ("style", {"a": 1}, "Invalid style", "list"),
        ("record", 5, "Invalid record 5", "a path in quotes or false"),
        ("camera-size", "big", "Invalid size 'big'", "1280x720"),
        ("virtual-camera", 1.5, "Invalid virtual-camera 1.5", "a text in quotes or false"),
        ("stabilize", "some", "Invalid stabilizer mode", "fast"),
    ],
)
def test_bad_values(key: str, value: Any, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        apply_table(LiveOptions(), {key: value})
    assert hint in caught.value.hint


def test_a_table_gives_back_the_options() -> None:
    options = apply_table(
        LiveOptions(),
        {
            "style": ["wave", "ink:0.5+starry:0.5"],
            "keys": ["ink", "wave"],
            "strength": 0.3,
            "only": "person",
            "virtual-camera": True,
            "size": 320,
            "camera-size": "640x480",
        },
    )
    for some in (options, LiveOptions()):
        table = make_table(some)
        assert not set(NOT_SAVED) & set(table)
        again = apply_table(apply_table(LiveOptions(), {"size": 999, "strength": 0}), table)
        assert make_table(again) == table
        for field in fields(LiveOptions):
            if field.name not in ("stylizer", "keys"):
                assert getattr(again, field.name) == getattr(some, field.name)
        assert again.stylizer.size == some.stylizer.size
        assert again.stylizer.look == some.stylizer.look
