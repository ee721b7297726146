"""A preset written from a running session starts another one that is set in the same way."""

from pathlib import Path
from typing import Any

from live_nst.live.options import LiveOptions
from live_nst.live.session import LiveSession
from live_nst.live.settings import SettingsChange
from live_nst.presets.files import apply_preset, write_session
from live_nst.presets.show import current_options
from live_nst.styles.spec import as_spec, parse_style
from tests.live.test_session import SessionHarness, live_options


def labels(styles: Any) -> list[str]:
    return [as_spec(style).label for style in styles]


def test_session_that_was_changed(harness: SessionHarness, tmp_path: Path) -> None:
    options = live_options(
        window=False, styles=("starry", "wave", "ink"), folder=tmp_path, source="demo", frames=3
    )
    with LiveSession(options, harness.messages.append) as session:
        session.control.change(
            SettingsChange(
                style=parse_style("ink"),
                strength=0.4,
                detail=0.5,
                stroke=1.4,
                size=512,
                mirror=True,
            )
        )
        path = write_session(session)
    assert path.parent == tmp_path and path.name.startswith("live-nst-")
    again = apply_preset(LiveOptions(), path)
    assert labels(again.stylizer.styles) == ["ink", "starry", "wave"]
    assert labels(again.keys) == ["starry", "wave", "ink"]
    look = again.stylizer.look
    assert (look.strength, look.detail, look.only) == (0.4, 0.5, "everywhere")
    assert (again.stylizer.stroke, again.stylizer.size, again.mirror) == (1.4, 512, True)
    assert (again.source, again.window, again.frames) == ("demo", False, None)
    with LiveSession(again, harness.messages.append) as session:
        assert session.control.settings.style == parse_style("ink")
        assert [style.label for style in session.control.styles] == ["starry", "wave", "ink"]


def test_session_as_it_started(harness: SessionHarness) -> None:
    options = live_options(window=False)
    with LiveSession(options, harness.messages.append) as session:
        session.control.change(SettingsChange(size="auto"))
        now = current_options(session)
    assert labels(now.stylizer.styles) == ["starry"]
    assert now.keys == ()
    assert now.stylizer.size is None


def test_mix_of_built_in_styles(harness: SessionHarness) -> None:
    with LiveSession(live_options(window=False), harness.messages.append) as session:
        session.control.change(SettingsChange(style=parse_style("ink:0.25+wave:0.75")))
        now = current_options(session)
    assert labels(now.stylizer.styles) == ["ink 25% + wave 75%"]
