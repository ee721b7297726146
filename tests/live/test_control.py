"""Reading and changing a session from programs."""

import threading
from pathlib import Path

import pytest

from live_nst.errors import RecordingError, UsageError
from live_nst.live.settings import SettingsChange
from live_nst.styles.spec import parse_style
from live_nst.stylizer.look import Look
from tests.live.fakes import picture
from tests.live.test_actions import ActionHarness


@pytest.fixture
def harness(tmp_path: Path) -> ActionHarness:
    return ActionHarness(tmp_path)


def test_settings_at_first(harness: ActionHarness) -> None:
    settings = harness.control.settings
    assert settings.style.label == "starry"
    assert (settings.strength, settings.only, settings.split_at) == (1.0, "everywhere", 0.5)
    assert not settings.automatic_size


def test_change_several_settings(harness: ActionHarness) -> None:
    change = SettingsChange(
        style=parse_style("wave"), stroke=1.4, strength=0.6, only="person", size=512,
        mirror=True, split=True, split_at=0.25,
    )  # fmt: skip
    harness.control.change(change)
    settings = harness.control.settings
    assert (settings.style.label, settings.stroke, settings.strength) == ("wave", 1.4, 0.6)
    assert (settings.only, settings.size) == ("person", 512)
    assert (settings.mirror, settings.split, settings.split_at) == (True, True, 0.25)
    assert harness.stylizer.look == Look(strength=0.6)  # the mask comes when it is loaded
    assert harness.worker.calls == [
        ("select", "wave"), ("stroke", 1.4), ("only", "person"), ("size", 512),
    ]  # fmt: skip
    assert harness.worker.redraws == 1
    harness.control.change(SettingsChange(size="auto"))
    assert harness.control.settings.automatic_size


@pytest.mark.parametrize(
    "bad",
    [{"strength": 1.5}, {"detail": float("nan")}, {"stroke": 9.0}, {"size": 1}, {"blend": "x"},
     {"split_at": -0.1}],
)  # fmt: skip
def test_invalid_change_changes_nothing(harness: ActionHarness, bad: dict[str, float]) -> None:
    before = harness.control.settings
    with pytest.raises(UsageError):
        harness.control.change(SettingsChange(style=parse_style("ink"), mirror=True, **bad))
    assert harness.control.settings == before
    assert harness.worker.calls == [] and harness.messages == []


def test_keys_go_on_from_what_a_program_chose(harness: ActionHarness) -> None:
    harness.control.change(SettingsChange(style=parse_style("mosaic")))
    harness.press("n")
    assert harness.control.settings.style.label == "ink"
    harness.control.change(SettingsChange(strength=0.35))
    harness.press("up")
    assert harness.control.settings.strength == 0.45


def test_styles_can_be_added_and_removed(harness: ActionHarness) -> None:
    harness.control.add_style(parse_style("wave"))
    assert len(harness.control.styles) == 4
    harness.control.add_style(parse_style("candy"))
    harness.press("p")
    assert harness.control.settings.style.label == "candy"
    harness.control.remove_style("candy")
    assert [style.label for style in harness.control.styles] == ["starry", "wave", "mosaic", "ink"]
    harness.press("n")
    assert harness.control.settings.style.label == "wave"


def test_no_change_is_lost_between_threads(harness: ActionHarness) -> None:
    def change(name: str) -> None:
        for step in range(200):
            harness.control.change(SettingsChange(**{name: step / 200}))

    threads = [threading.Thread(target=change, args=(n,)) for n in ("strength", "detail")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    look = harness.stylizer.look
    assert (look.strength, look.detail) == (199 / 200, 199 / 200)


def test_recording(harness: ActionHarness, tmp_path: Path) -> None:
    path = harness.control.start_recording()
    assert harness.control.start_recording() == path
    assert len(harness.sinks) == 1 and path.parent == tmp_path
    assert harness.control.stop_recording() == path
    assert harness.control.stop_recording() is None
    assert harness.sinks == []


def test_snapshot(harness: ActionHarness, tmp_path: Path) -> None:
    assert harness.control.save_snapshot() is None
    harness.pipeline.newest = picture(1)
    path = harness.control.save_snapshot()
    assert path is not None and path.exists()


def test_snapshot_error(tmp_path: Path) -> None:
    harness = ActionHarness(tmp_path / "missing")
    harness.pipeline.newest = picture(1)
    with pytest.raises(RecordingError, match="cannot save"):
        harness.control.save_snapshot()
