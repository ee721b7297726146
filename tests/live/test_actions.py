"""What the keys do."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from live_nst.errors import DeviceError, LiveNstError, ModelError, RecordingError, StyleError
from live_nst.live.actions import ActionHandler, next_size, next_strength
from live_nst.live.control import SessionControl
from live_nst.live.keys import KEY_ACTIONS, Action
from live_nst.live.options import ViewState
from live_nst.live.settings import SettingsChange
from live_nst.live.size_controller import SIZE_STEPS
from live_nst.sinks.recorder import Recorder
from live_nst.styles.spec import StyleSpec, parse_style
from live_nst.stylizer.look import Look
from tests.live.fakes import FakeStylizer, frame, picture

STYLES = ("starry", "wave", "mosaic", "ink")


class FakeWorker:
    """Keeps what it is asked for.

    Attributes:
        calls: The changes of the style, the strokes and the mask.
        sizes: The sizes that were chosen by hand.
        error: Raised by every change.
    """

    def __init__(self) -> None:
        self.style_changer = self.size_controller = self
        self.calls: list[tuple[str, Any]] = []
        self.sizes: list[int] = []
        self.redraws = 0
        self.automatic = False
        self.error: LiveNstError | None = None

    def select(
        self,
        style: StyleSpec,
        on_error: Callable[[LiveNstError], None],
        *,
        stroke: float | None = None,
    ) -> None:
        self._call("select", style.label, on_error)
        if stroke is not None:
            self.calls.append(("stroke", stroke))

    def select_mask(self, only: str, on_error: Callable[[LiveNstError], None]) -> None:
        self._call("only", only, on_error)

    def use(self, size: int, on_error: Callable[[LiveNstError], None]) -> None:
        self.automatic = False
        self.sizes.append(size)
        self._call("size", size, on_error)

    def use_automatic(self) -> None:
        self.automatic = True

    def look_changed(self) -> None:
        self.redraws += 1

    def _call(self, name: str, value: Any, on_error: Callable[[LiveNstError], None]) -> None:
        self.calls.append((name, value))
        if self.error is not None:
            on_error(self.error)


class ActionHarness:
    """An action handler with fakes around it."""

    def __init__(
        self, folder: Path, recorder: Recorder | None = None, look: Look | None = None
    ) -> None:
        self.worker = FakeWorker()
        self.view = ViewState()
        self.messages: list[str] = []
        self.sinks: list[Any] = [recorder] if recorder else []
        self.stopped = False
        self.pipeline = SimpleNamespace(
            view=self.view,
            worker=self.worker,
            newest=None,
            stop=lambda: setattr(self, "stopped", True),
            add_sink=self.sinks.append,
            remove_sink=self.sinks.remove,
            is_writing=lambda sink: sink in self.sinks,
        )
        self.stylizer: Any = FakeStylizer(STYLES)
        self.stylizer.look = look or Look()
        pipeline: Any = self.pipeline
        self.control = SessionControl(
            pipeline, self.stylizer, STYLES, self.messages.append, folder=folder, recorder=recorder
        )
        self.handler = ActionHandler(self.control)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.handler.perform(KEY_ACTIONS[key], key)


@pytest.fixture
def harness(tmp_path: Path) -> ActionHarness:
    return ActionHarness(tmp_path)


def selected(harness: ActionHarness) -> list[str]:
    return [value for name, value in harness.worker.calls if name == "select"]


@pytest.mark.parametrize("key", ["q", "escape"])
def test_quit(harness: ActionHarness, key: str) -> None:
    harness.press(key)
    assert harness.stopped


def test_next_and_previous_style(harness: ActionHarness) -> None:
    harness.press("n", "n", "right", "n", "n")
    assert selected(harness) == ["wave", "mosaic", "ink", "starry", "wave"]
    harness.press("p", "left", "p")
    assert selected(harness)[5:] == ["starry", "ink", "mosaic"]
    assert harness.messages[0] == "style wave"


def test_choose_style(harness: ActionHarness) -> None:
    harness.press("3", "1", "4", "n")
    assert selected(harness) == ["mosaic", "starry", "ink", "starry"]


def test_choose_style_without_a_style(harness: ActionHarness) -> None:
    harness.press("5", "9")
    assert selected(harness) == []
    assert harness.messages == []


def test_style_error(harness: ActionHarness) -> None:
    harness.worker.error = StyleError("There is no style picture wave.", "check the path")
    harness.press("n")
    assert harness.messages == ["style wave", "There is no style picture wave."]


def test_strength(harness: ActionHarness) -> None:
    harness.press("down", "-", "up", "+", "=")
    assert harness.messages == [f"strength {s}%" for s in (90, 80, 90, 100, 100)]
    assert harness.stylizer.look.strength == 1.0
    assert harness.worker.redraws == 5


def test_mix(harness: ActionHarness) -> None:
    harness.press("l", "l", "k", "k", "k")
    assert selected(harness) == [
        "starry 80% + wave 20%",
        "starry 60% + wave 40%",
        "starry 80% + wave 20%",
        "starry",
        "ink 20% + starry 80%",
    ]
    harness.press("l", *"lllll", "n")
    assert selected(harness)[-2:] == ["wave", "mosaic"]


def test_next_style_after_a_mix(harness: ActionHarness) -> None:
    harness.press("l", "n", "l")
    assert selected(harness)[1:] == ["wave", "wave 80% + mosaic 20%"]


def test_strokes(harness: ActionHarness) -> None:
    harness.press("l", ".", ".", *",,,,,,,")
    strokes = [value for name, value in harness.worker.calls if name == "stroke"]
    assert strokes == [1.4, 2.0, 1.4, 1.0, 0.7, 0.5, 0.35]
    assert set(selected(harness)) == {"starry 80% + wave 20%"}
    assert harness.messages[1] == "strokes 140%"


def test_colors_and_detail(harness: ActionHarness) -> None:
    harness.press("c", "d")
    assert harness.stylizer.look == Look(keep_colors=1.0, detail=0.5)
    harness.press("down", "c", "d", "d")
    assert harness.stylizer.look == Look(strength=0.9)
    assert harness.messages[:2] == ["the camera's colors", "detail 50%"]
    assert harness.messages[-1] == "no detail added"
    assert harness.worker.redraws == 6


def test_toggle_blend(harness: ActionHarness) -> None:
    harness.press("t", "down", "t")
    assert harness.messages == [
        "strength blends styles",
        "strength 90%",
        "strength blends pictures",
    ]
    assert harness.stylizer.look == Look(strength=0.9)


def test_next_mask(harness: ActionHarness) -> None:
    harness.press("b", "b", "b", "b")
    assert [value for name, value in harness.worker.calls if name == "only"] == [
        "person", "background", "everywhere", "person",
    ]  # fmt: skip
    assert harness.messages == [
        f"stylizing {what}"
        for what in ("people only", "the background only", "everything", "people only")
    ]


@pytest.mark.parametrize(
    ("only", "following"),
    [("background", ["everywhere", "person", "background"]),
     ("folder/mask.png", ["everywhere", "person", "background", "folder/mask.png"])],
)  # fmt: skip
def test_next_mask_after_that_of_the_options(
    tmp_path: Path, only: str, following: list[str]
) -> None:
    harness = ActionHarness(tmp_path, look=Look(only=only))
    harness.press(*"b" * len(following))
    assert [value for name, value in harness.worker.calls if name == "only"] == following
    assert harness.messages[-1] in (
        "stylizing the background only",
        "stylizing within mask.png only",
    )


def test_mask_error(harness: ActionHarness) -> None:
    harness.worker.error = DeviceError("Finding people needs OpenVINO.", "install it")
    harness.press("b")
    assert harness.messages == ["stylizing people only", "Finding people needs OpenVINO."]


@pytest.mark.parametrize(("key", "name"), [("m", "mirror"), ("v", "split"), ("space", "frozen")])
def test_view_switches(harness: ActionHarness, key: str, name: str) -> None:
    harness.press(key)
    assert getattr(harness.view, name)
    assert harness.worker.redraws == 1
    harness.press(key)
    assert not getattr(harness.view, name)


def test_size_steps(harness: ActionHarness) -> None:
    harness.press("]", "]", "[", "[", "[")
    assert harness.worker.sizes == [448, 512, 448, 384, 320]
    assert harness.messages[0] == "size 448"


def test_size_steps_end(harness: ActionHarness) -> None:
    harness.press(*"]" * 20)
    sizes = harness.worker.sizes
    assert sizes[-1] == 1280
    assert len(sizes) == len(set(sizes))


def test_size_by_hand_after_automatic(harness: ActionHarness) -> None:
    harness.press("[", "a")
    assert harness.worker.automatic
    harness.stylizer.size = 640
    harness.press("]", "]")
    assert harness.worker.sizes == [320, 768, 960]
    assert not harness.worker.automatic
    assert harness.messages == ["size 320", "size chosen by speed", "size 768", "size 960"]


def test_size_error(harness: ActionHarness) -> None:
    harness.worker.error = ModelError("The model cannot run at 448x252.")
    harness.press("]")
    assert harness.messages == ["size 448", "The model cannot run at 448x252."]


@pytest.mark.parametrize("action", [Action.OVERLAY, Action.FULLSCREEN, Action.HELP])
def test_actions_of_the_display_are_ignored(harness: ActionHarness, action: Action) -> None:
    harness.handler.perform(action, "o")
    assert harness.worker.calls == [] and harness.messages == [] and not harness.stopped


def test_snapshot(harness: ActionHarness, tmp_path: Path) -> None:
    image = picture(300)
    image[10:20, 10:20] = (7, 90, 200)
    harness.pipeline.newest = image
    harness.press("s")
    (path,) = tmp_path.iterdir()
    assert path.suffix == ".png"
    np.testing.assert_array_equal(cv2.imread(str(path)), image)
    assert harness.messages == [f"saved {path.name}"]


def test_snapshot_before_the_first_frame(harness: ActionHarness, tmp_path: Path) -> None:
    harness.press("s")
    assert list(tmp_path.iterdir()) == []


def test_snapshot_error(tmp_path: Path) -> None:
    harness = ActionHarness(tmp_path / "missing")
    harness.pipeline.newest = picture(1)
    harness.press("s")
    assert harness.messages == ["cannot save the picture: No such file or directory"]


def test_record(harness: ActionHarness, tmp_path: Path) -> None:
    harness.press("r")
    (recorder,) = harness.sinks
    assert recorder.path.parent == tmp_path and recorder.path.suffix == ".mp4"
    assert harness.messages == [f"recording {recorder.path.name}"]
    recorder.write(frame(0))
    harness.press("r")
    assert harness.sinks == []
    assert harness.messages[1] == f"recorded {recorder.path.name}"
    recorder.close()
    harness.press("r")
    assert len(harness.sinks) == 1


def test_record_ends_that_of_the_start(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "out.mp4")
    harness = ActionHarness(tmp_path, recorder)
    harness.press("r")
    assert harness.sinks == []
    assert harness.messages == ["recorded out.mp4"]


def test_record_error(tmp_path: Path) -> None:
    harness = ActionHarness(tmp_path / "missing")
    harness.press("r")
    assert harness.sinks == []
    assert len(harness.messages) == 1 and "folder" in harness.messages[0]
    harness.press("r")  # it tries again, and does not take itself to be recording
    assert harness.messages[1] == harness.messages[0]


def test_next_strength() -> None:
    strength, seen = 1.0, []
    for _ in range(12):
        strength = next_strength(strength, -1)
        seen.append(strength)
    assert seen == [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0, 0.0, 0.0]
    for _ in range(12):
        strength = next_strength(strength, 1)
    assert strength == 1.0


def test_next_strength_between_steps() -> None:
    assert next_strength(0.95, 1) == 1.0
    assert next_strength(0.25, -1) == 0.15


@pytest.mark.parametrize(
    ("size", "steps", "wanted"),
    [(384, 1, 448), (384, -1, 320), (1280, 1, 1280), (128, -1, 128), (400, 1, 448), (400, -1, 384),
     (64, 1, 128), (64, -1, 64), (4000, -1, 1280), (4000, 1, 4000)],
)  # fmt: skip
def test_next_size(size: int, steps: int, wanted: int) -> None:
    assert next_size(size, steps) == wanted


def test_next_size_reaches_all_steps() -> None:
    size, seen = SIZE_STEPS[0], [SIZE_STEPS[0]]
    while (larger := next_size(size, 1)) != size:
        size = larger
        seen.append(size)
    assert tuple(seen) == SIZE_STEPS
    assert all(size % 4 == 0 for size in SIZE_STEPS)


def test_write_a_preset(tmp_path: Path) -> None:
    harness = ActionHarness(tmp_path)
    harness.press("w")
    assert harness.messages == ["presets cannot be written here"]
    handler = ActionHandler(harness.control, lambda: tmp_path / "show.toml")
    handler.perform(Action.SAVE_PRESET, "w")
    assert harness.messages[-1] == "saved show.toml"

    def fail() -> Path:
        raise RecordingError("The disk is full")

    ActionHandler(harness.control, fail).perform(Action.SAVE_PRESET, "w")
    assert harness.messages[-1] == "The disk is full"


def test_keys_begin_with_the_style_in_use(tmp_path: Path) -> None:
    harness = ActionHarness(tmp_path)
    harness.control.change(SettingsChange(style=parse_style("wave")))
    ActionHandler(harness.control).perform(Action.NEXT_STYLE, "n")
    assert harness.control.settings.style.label == "mosaic"
