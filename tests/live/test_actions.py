"""What the keys do."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from live_nst.errors import DeviceError, LiveNstError, ModelError, StyleError
from live_nst.live.actions import ActionHandler
from live_nst.live.keys import KEY_ACTIONS, Action, ViewState
from live_nst.sinks.recorder import Recorder
from live_nst.styles.spec import StyleSpec
from live_nst.stylizer.look import Look
from tests.live.fakes import FakeStylizer, frame, picture

STYLES = ("starry", "wave", "mosaic", "ink")


class FakePainter:
    """Writes down what is asked of it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.repaints = 0
        self.sizing = FakeSizing()
        self.error: LiveNstError | None = None

    def select(
        self,
        style: StyleSpec,
        failed: Callable[[LiveNstError], None],
        *,
        stroke: float | None = None,
    ) -> None:
        self.calls.append(("select", style.label))
        if stroke is not None:
            self.calls.append(("stroke", stroke))
        if self.error is not None:
            failed(self.error)

    def paint_only(self, only: str, failed: Callable[[LiveNstError], None]) -> None:
        self.calls.append(("only", only))
        if self.error is not None:
            failed(self.error)

    def look_changed(self) -> None:
        self.repaints += 1


class FakeSizing:
    """Writes down which sizes are asked for."""

    def __init__(self) -> None:
        self.automatic = False
        self.sizes: list[int] = []
        self.error: LiveNstError | None = None

    def use(self, size: int, failed: Callable[[LiveNstError], None]) -> None:
        self.automatic = False
        self.sizes.append(size)
        if self.error is not None:
            failed(self.error)

    def automate(self) -> None:
        self.automatic = True


class Desk:
    """Commands with fakes around them."""

    def __init__(
        self, folder: Path, recorder: Recorder | None = None, look: Look | None = None
    ) -> None:
        self.painter = FakePainter()
        self.view = ViewState()
        self.said: list[str] = []
        self.sinks: list[Any] = [recorder] if recorder else []
        self.stopped = False
        self.pipeline = SimpleNamespace(
            view=self.view,
            painter=self.painter,
            newest=None,
            stop=lambda: setattr(self, "stopped", True),
            add_sink=self.sinks.append,
            remove_sink=self.sinks.remove,
        )
        self.stylizer: Any = FakeStylizer(STYLES)
        self.stylizer.look = look or Look()
        pipeline: Any = self.pipeline
        self.commands = ActionHandler(
            pipeline, self.stylizer, STYLES, self.said.append, folder=folder, recorder=recorder
        )

    def press(self, *keys: str) -> None:
        for key in keys:
            self.commands.perform(KEY_ACTIONS[key], key)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def selected(desk: Desk) -> list[str]:
    return [value for name, value in desk.painter.calls if name == "select"]


@pytest.mark.parametrize("key", ["q", "escape"])
def test_quit(desk: Desk, key: str) -> None:
    desk.press(key)
    assert desk.stopped


def test_next_and_previous_go_round_in_a_circle(desk: Desk) -> None:
    desk.press("n", "n", "right", "n", "n")
    assert selected(desk) == ["wave", "mosaic", "ink", "starry", "wave"]
    desk.press("p", "left", "p")
    assert selected(desk)[5:] == ["starry", "ink", "mosaic"]
    assert desk.said[0] == "style wave"


def test_numbers_choose_and_next_goes_on_from_there(desk: Desk) -> None:
    desk.press("3", "1", "4", "n")
    assert selected(desk) == ["mosaic", "starry", "ink", "starry"]


def test_a_number_without_a_style_does_nothing(desk: Desk) -> None:
    desk.press("5", "9")
    assert selected(desk) == []
    assert desk.said == []


def test_a_style_that_cannot_be_used_is_said(desk: Desk) -> None:
    desk.painter.error = StyleError("There is no style picture wave.", "check the path")
    desk.press("n")
    assert desk.said == ["style wave", "There is no style picture wave."]


def test_strength(desk: Desk) -> None:
    desk.press("down", "-", "up", "+", "=")
    assert desk.said == [f"strength {s}%" for s in (90, 80, 90, 100, 100)]
    assert desk.stylizer.strength == 1.0
    assert desk.painter.repaints == 5


def test_mixing_goes_from_style_to_style_and_back(desk: Desk) -> None:
    desk.press("l", "l", "k", "k", "k")
    assert selected(desk) == [
        "starry 80% + wave 20%",
        "starry 60% + wave 40%",
        "starry 80% + wave 20%",
        "starry",
        "ink 20% + starry 80%",
    ]
    desk.press("l", *"lllll", "n")
    assert selected(desk)[-2:] == ["wave", "mosaic"]


def test_next_leaves_a_mix(desk: Desk) -> None:
    desk.press("l", "n", "l")
    assert selected(desk)[1:] == ["wave", "wave 80% + mosaic 20%"]


def test_strokes_go_by_steps_and_keep_the_style(desk: Desk) -> None:
    desk.press("l", ".", ".", *",,,,,,,")
    strokes = [value for name, value in desk.painter.calls if name == "stroke"]
    assert strokes == [1.4, 2.0, 1.4, 1.0, 0.7, 0.5, 0.35]
    assert set(selected(desk)) == {"starry 80% + wave 20%"}
    assert desk.said[1] == "strokes 140%"


def test_colors_and_detail(desk: Desk) -> None:
    desk.press("c", "d")
    assert desk.stylizer.look == Look(keep_colors=1.0, detail=0.5)
    desk.press("down", "c", "d", "d")
    assert desk.stylizer.look == Look(strength=0.9)
    assert desk.said[:2] == ["the camera's colors", "detail 50%"]
    assert desk.said[-1] == "no detail added"
    assert desk.painter.repaints == 6


def test_what_strength_blends(desk: Desk) -> None:
    desk.press("t", "down", "t")
    assert desk.said == ["strength blends styles", "strength 90%", "strength blends pictures"]
    assert desk.stylizer.look == Look(strength=0.9)


def test_where_is_painted_goes_round_in_a_circle(desk: Desk) -> None:
    desk.press("b", "b", "b", "b")
    assert [value for name, value in desk.painter.calls if name == "only"] == [
        "person", "background", "everywhere", "person",
    ]  # fmt: skip
    assert desk.said == [
        f"painting {what}"
        for what in ("people only", "the background only", "everything", "people only")
    ]


@pytest.mark.parametrize(
    ("only", "following"),
    [("background", ["everywhere", "person", "background"]),
     ("folder/mask.png", ["everywhere", "person", "background", "folder/mask.png"])],
)  # fmt: skip
def test_the_circle_begins_with_what_the_options_ask_for(
    tmp_path: Path, only: str, following: list[str]
) -> None:
    desk = Desk(tmp_path, look=Look(only=only))
    desk.press(*"b" * len(following))
    assert [value for name, value in desk.painter.calls if name == "only"] == following
    assert desk.said[-1] in ("painting the background only", "painting within mask.png only")


def test_a_mask_that_cannot_be_used_is_said(desk: Desk) -> None:
    desk.painter.error = DeviceError("Finding people needs OpenVINO.", "install it")
    desk.press("b")
    assert desk.said == ["painting people only", "Finding people needs OpenVINO."]


@pytest.mark.parametrize(("key", "name"), [("m", "mirror"), ("v", "split"), ("space", "frozen")])
def test_switches_go_on_and_off(desk: Desk, key: str, name: str) -> None:
    desk.press(key)
    assert getattr(desk.view, name)
    assert desk.painter.repaints == 1
    desk.press(key)
    assert not getattr(desk.view, name)


def test_sizes_go_by_steps_from_where_it_began(desk: Desk) -> None:
    desk.press("]", "]", "[", "[", "[")
    assert desk.painter.sizing.sizes == [448, 512, 448, 384, 320]
    assert desk.said[0] == "size 448"


def test_at_the_largest_size_nothing_is_asked(desk: Desk) -> None:
    desk.press(*"]" * 20)
    sizes = desk.painter.sizing.sizes
    assert sizes[-1] == 1280
    assert len(sizes) == len(set(sizes))


def test_sizes_by_hand_go_on_from_the_one_that_was_chosen_by_speed(desk: Desk) -> None:
    desk.press("[", "a")
    assert desk.painter.sizing.automatic
    desk.stylizer.size = 640
    desk.press("]", "]")
    assert desk.painter.sizing.sizes == [320, 768, 960]
    assert not desk.painter.sizing.automatic
    assert desk.said == ["size 320", "size chosen by speed", "size 768", "size 960"]


def test_a_size_that_cannot_be_used_is_said(desk: Desk) -> None:
    desk.painter.sizing.error = ModelError("The model cannot run at 448x252.")
    desk.press("]")
    assert desk.said == ["size 448", "The model cannot run at 448x252."]


@pytest.mark.parametrize("action", [Action.OVERLAY, Action.FULLSCREEN, Action.HELP])
def test_what_the_screen_does_itself_is_left_to_it(desk: Desk, action: Action) -> None:
    desk.commands.perform(action, "o")
    assert desk.painter.calls == [] and desk.said == [] and not desk.stopped


def test_a_snapshot_is_the_painted_picture_as_png(desk: Desk, tmp_path: Path) -> None:
    image = picture(300)
    image[10:20, 10:20] = (7, 90, 200)
    desk.pipeline.newest = image
    desk.press("s")
    (path,) = tmp_path.iterdir()
    assert path.suffix == ".png"
    np.testing.assert_array_equal(cv2.imread(str(path)), image)
    assert desk.said == [f"saved {path.name}"]


def test_a_snapshot_before_the_first_picture_does_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.press("s")
    assert list(tmp_path.iterdir()) == []


def test_a_snapshot_that_cannot_be_saved_is_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "missing")
    desk.pipeline.newest = picture(1)
    desk.press("s")
    assert desk.said == ["the picture cannot be saved: No such file or directory"]


def test_recording_goes_on_and_off(desk: Desk, tmp_path: Path) -> None:
    desk.press("r")
    (recorder,) = desk.sinks
    assert recorder.path.parent == tmp_path and recorder.path.suffix == ".mp4"
    assert desk.said == [f"recording {recorder.path.name}"]
    recorder.write(frame(0))
    desk.press("r")
    assert desk.sinks == []
    assert desk.said[1] == f"recorded {recorder.path.name}"
    recorder.close()
    desk.press("r")
    assert len(desk.sinks) == 1


def test_the_recording_of_the_start_can_be_ended_by_key(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4")
    desk = Desk(tmp_path, recorder)
    desk.press("r")
    assert desk.sinks == []
    assert desk.said == ["recorded out.mp4"]


def test_a_recording_that_cannot_begin_is_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "missing")
    desk.press("r")
    assert desk.sinks == []
    assert len(desk.said) == 1 and "no folder" in desk.said[0]
    desk.press("r")  # it tries again, and does not take itself to be recording
    assert desk.said[1] == desk.said[0]
