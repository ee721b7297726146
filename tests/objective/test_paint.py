"""Painting from files to a file, with a random network: what is kept, resumed, refused."""

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from live_nst.errors import LiveNstError, ModelError, SourceError, StyleError, UsageError
from live_nst.objective.checkpoint import checkpoint_path
from live_nst.objective.loss_functions import LossConfig
from live_nst.objective.options import PaintOptions, PaintStep
from live_nst.objective.paint import SAVE_SECONDS, paint
from live_nst.objective.paint_inputs import load_inputs
from live_nst.objective.vgg import ConvWeights, Vgg
from live_nst.styles.builtin import builtin_image_path
from tests.objective.conftest import picture
from tests.objective.real_vgg16 import write_h5

LOSS = LossConfig(
    "vgg16", {"block2_conv2": 1.0}, {"block1_conv2": 0.5, "block2_conv1": 0.5}, beta=100.0
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory, vgg16: Vgg) -> Path:
    path = tmp_path_factory.mktemp("weights") / "vgg16.h5"
    write_h5(path, dict(vgg16.layers))
    return path


@pytest.fixture
def options(tmp_path: Path, weights: Path) -> PaintOptions:
    cv2.imwrite(str(tmp_path / "photo.png"), picture(60, 80, 1))
    cv2.imwrite(str(tmp_path / "style.png"), picture(50, 50, 2))
    return PaintOptions(
        tmp_path / "photo.png",
        tmp_path / "out.png",
        (str(tmp_path / "style.png"),),
        size=48,
        steps=6,
        levels=2,
        start="content",
        loss=LOSS,
        vgg_file=weights,
        device="cpu",
    )


def watched(options: PaintOptions, stop_after: int = 10**6, **rest: Any) -> tuple[Any, list[float]]:
    totals: list[float] = []

    def on_step(step: PaintStep) -> bool:
        totals.append(step.losses.total)
        return len(totals) < stop_after

    return paint(options, on_step=on_step, **rest), totals


def read(path: Path) -> Any:
    return cv2.imread(str(path))


def test_paint_lowers_the_loss_and_writes_the_image(options: PaintOptions) -> None:
    said: list[str] = []
    report = paint(options, said.append)
    assert report.finished and report.evaluations == 12 and report.tiles == 1
    assert report.losses is not None and report.losses.total < report.first
    np.testing.assert_array_equal(read(options.output), report.image)
    assert report.image.shape == (36, 48, 3)
    assert [line for line in said if "24x18" in line] and [line for line in said if "48x36" in line]
    assert [path.name for path in options.output.parent.iterdir() if "out" in path.name] == [
        "out.png"
    ]


@pytest.mark.parametrize("start", ["content", "noise"])
def test_seed(options: PaintOptions, start: str) -> None:
    one = watched(dataclasses.replace(options, start=start, steps=4, levels=1, seed=5))
    again = dataclasses.replace(
        options,
        start=start,
        steps=4,
        levels=1,
        seed=5,
        output=options.output.with_name("again.png"),
    )
    two = watched(again)
    np.testing.assert_allclose(one[1], two[1], rtol=1e-4)
    assert np.abs(one[0].image.astype(int) - two[0].image).max() <= 2
    if start == "noise":
        other = dataclasses.replace(again, seed=6, output=options.output.with_name("other.png"))
        assert abs(watched(other)[1][0] / two[1][0] - 1) > 1e-6


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("after", [3, 9])
def test_resume_ends_with_the_same_loss(options: PaintOptions, optimizer: str, after: int) -> None:
    options = dataclasses.replace(options, optimizer=optimizer)
    stopped, first = watched(options, stop_after=after)
    assert not stopped.finished and len(first) == after
    assert checkpoint_path(options.output).is_file() and options.output.is_file()
    said: list[str] = []
    resumed, second = watched(options, notify=said.append)
    assert resumed.finished and f"evaluation {(after - 1) % 6 + 1} of 6" in said[0]
    assert not checkpoint_path(options.output).exists()
    straight, whole = watched(
        dataclasses.replace(options, output=options.output.with_name("straight.png"))
    )
    assert len(first) + len(second) == len(whole)
    np.testing.assert_allclose(first + second, whole, rtol=1e-3)
    assert np.abs(resumed.image.astype(int) - straight.image).max() <= 3


def test_resume_refuses_other_settings(
    options: PaintOptions,
) -> None:
    watched(options, stop_after=2)
    other = dataclasses.replace(options, loss=dataclasses.replace(LOSS, beta=7.0))
    with pytest.raises(UsageError, match="other settings") as error:
        paint(other)
    assert "--fresh" in error.value.hint
    assert paint(dataclasses.replace(other, fresh=True)).finished
    options.output.unlink()
    watched(options, stop_after=2)
    state = checkpoint_path(options.output)
    state.write_bytes(state.read_bytes()[:100])
    with pytest.raises(UsageError, match="damaged"):
        paint(options)


class Clock:
    """Advances by half the time between saves with every call."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        self.time += SAVE_SECONDS / 2
        return self.time

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing sleeps here")


def test_state_is_saved_from_time_to_time(options: PaintOptions) -> None:
    class Crash(Exception):
        pass

    def on_step(step: PaintStep) -> bool:
        if step.level == 1 and step.evaluation == 4:
            raise Crash
        return True

    with pytest.raises(Crash):
        paint(options, on_step=on_step, clock=Clock())
    resumed, totals = watched(options)
    assert resumed.finished and 1 <= len(totals) <= 5


def test_save_every(options: PaintOptions) -> None:
    paint(dataclasses.replace(options, save_every=4))
    names = sorted(path.name for path in options.output.parent.glob("out*"))
    assert names == ["out-24-0004.png", "out-48-0004.png", "out.png"]
    assert read(options.output.parent / names[0]).shape == (18, 24, 3)


def test_luminance_keeps_the_chroma(options: PaintOptions) -> None:
    report = paint(dataclasses.replace(options, colors="luminance", levels=1))
    photo = load_inputs(options.content, options.styles).at((48, 36))[0]
    difference = cv2.cvtColor(report.image, cv2.COLOR_BGR2YCrCb).astype(int)[..., 1:]
    difference -= cv2.cvtColor(photo, cv2.COLOR_BGR2YCrCb)[..., 1:]
    assert np.median(np.abs(difference)) <= 1


def test_start_from_the_fast_model(options: PaintOptions) -> None:
    said: list[str] = []
    report = paint(
        dataclasses.replace(options, start="fast", model="mobile", size=64, steps=1, levels=1),
        said.append,
    )
    assert report.finished
    assert any("mobile" in line for line in said)
    photo = load_inputs(options.content, options.styles).at((64, 48))[0]
    assert np.abs(report.image.astype(int) - photo).mean() > 5


def test_tiles(options: PaintOptions, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = dataclasses.replace(options, size=80, levels=1, steps=3)
    whole = paint(wide)
    monkeypatch.setattr("live_nst.objective.paint.choose_tile_side", lambda *given: 32)
    tiled = paint(dataclasses.replace(wide, output=wide.output.with_name("tiled.png")))
    assert tiled.tiles == 6 and tiled.losses is not None and whole.losses is not None
    assert tiled.losses.total == pytest.approx(whole.losses.total, rel=1e-3)


def masked(folder: Path, name: str, left: int) -> Path:
    mask = np.zeros((60, 80, 3), np.uint8)
    mask[:, :left] = 255
    cv2.imwrite(str(folder / name), mask)
    return folder / name


def test_masks_and_weights(options: PaintOptions, tmp_path: Path) -> None:
    left = masked(tmp_path, "left.png", 40)
    found = load_inputs(options.content, ("starry:3+wave:1", "ink"), (left,))
    assert [style.weight for style in found.styles] == [0.75, 0.25, 1.0]
    assert found.styles[0].mask is found.styles[1].mask is not found.styles[2].mask
    first, last = found.styles[0].mask, found.styles[2].mask
    assert first is not None and last is not None
    np.testing.assert_allclose(first + last, 1)
    assert first[:, :40].all() and not first[:, 40:].any()
    unmasked = load_inputs(options.content, ("starry:3+wave:1", "ink"))
    assert [style.weight for style in unmasked.styles] == [0.375, 0.125, 0.5]
    content, targets = found.at((40, 30))
    assert content.shape == (30, 40, 3) and targets[0].mask is targets[1].mask
    assert targets[0].mask is not None and targets[0].mask.shape == (30, 40)


def change(options: PaintOptions, **changes: Any) -> PaintOptions:
    return dataclasses.replace(options, **changes)


def test_bad_input(options: PaintOptions, tmp_path: Path, weights: Path) -> None:
    cv2.imwrite(str(tmp_path / "dot.png"), np.zeros((1, 1, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "tall.png"), np.zeros((80, 20, 3), np.uint8))
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "taken.png").write_text("something")
    left = masked(tmp_path, "left.png", 40)
    nothing = masked(tmp_path, "nothing.png", 0)
    two = (str(tmp_path / "style.png"), str(builtin_image_path("ink")))
    cases: list[tuple[type[LiveNstError], str, dict[str, Any]]] = [
        (StyleError, "1x1 pixels", {"styles": (str(tmp_path / "dot.png"),)}),
        (StyleError, "nosuch", {"styles": ("nosuch",)}),
        (UsageError, "No style", {"styles": ()}),
        (SourceError, "missing.png", {"content": tmp_path / "missing.png"}),
        (SourceError, "text.png", {"content": tmp_path / "text.png"}),
        (UsageError, "1x1 pixels", {"content": tmp_path / "dot.png", "size": None}),
        (UsageError, "proportions", {"styles": two, "masks": (tmp_path / "tall.png",)}),
        (UsageError, "Invalid number of masks", {"masks": (left, left)}),
        (UsageError, "black", {"styles": two, "masks": (nothing, left)}),
        (UsageError, "already", {"output": tmp_path / "taken.png"}),
        (UsageError, "out.xyz", {"output": tmp_path / "out.xyz"}),
        (UsageError, "no folder", {"output": tmp_path / "no" / "out.png"}),
        (UsageError, "color mode", {"colors": "mine"}),
        (ModelError, "There is no file", {"vgg_file": tmp_path / "missing.h5"}),
        (ModelError, "not an HDF5 file", {"vgg_file": tmp_path / "text.png"}),
    ]
    for kind, words, changes in cases:
        with pytest.raises(kind, match=words) as error:
            paint(change(options, **changes))
        assert error.value.hint, words
    for changes in ({"steps": 0}, {"size": 0}, {"size": 10**6}, {"levels": 0}, {"save_every": 0},
                    {"optimizer": "sgd"}, {"start": "there"}):  # fmt: skip
        with pytest.raises(UsageError) as error:
            change(options, **changes)
        assert error.value.hint
    assert not list(tmp_path.glob("out*"))


def test_loss_that_is_not_finite(options: PaintOptions, vgg16: Vgg, tmp_path: Path) -> None:
    layers = dict(vgg16.layers)
    first = layers["block1_conv1"]
    layers["block1_conv1"] = ConvWeights(np.asarray(first.kernel) * 1e30, first.bias)
    write_h5(tmp_path / "huge.h5", layers)
    with pytest.raises(ModelError, match="not finite"):
        paint(change(options, vgg_file=tmp_path / "huge.h5"))
