"""`live_nst.Stylizer`, the surface that programs use."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from live_nst.errors import UsageError
from live_nst.sources.demo_video import DemoVideo
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions
from live_nst.stylizer.stylizer import Stylizer, core_of
from tests.models import tiny_models

FRAME = DemoVideo(96, 64).image_at(1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save(tiny_models.plain, tmp_path_factory.mktemp("small") / "module")


@pytest.fixture
def stylizer(folder: Path) -> Iterator[Stylizer]:
    with Stylizer(str(folder), ["starry", "wave"], size=64, device="cpu") as one:
        yield one


def test_public_members() -> None:
    members = {name for name in dir(Stylizer) if not name.startswith("_")}
    assert members == {
        *("still", "load", "select", "change_look", "reset", "close"),
        *("look", "size", "style", "styles"),
    }


def test_call_and_still_equal_the_core(stylizer: Stylizer, folder: Path) -> None:
    options = StylizerOptions(model=str(folder), styles=("starry", "wave"), size=64, device="cpu")
    with StylizerCore(options) as core:
        np.testing.assert_array_equal(stylizer(FRAME), core(FRAME))
        np.testing.assert_array_equal(stylizer.still(FRAME), core.still(FRAME))
        small = stylizer.still(FRAME, size=64)
        np.testing.assert_array_equal(small, core.still(FRAME, size=64))


def test_select_and_load(stylizer: Stylizer) -> None:
    assert (stylizer.style, stylizer.styles) == ("starry", ("starry", "wave"))
    stylizer.load("candy")
    assert stylizer.styles == ("starry", "wave", "candy")
    before = stylizer(FRAME)
    stylizer.select("candy", stroke=2.0, fade=1.0, time=10.0)
    assert stylizer.style == "candy"
    np.testing.assert_array_equal(stylizer(FRAME, 10.0), before)
    assert (stylizer(FRAME, 11.0) != before).any()


def test_look(stylizer: Stylizer) -> None:
    stylizer.look = Look(strength=0.0)
    assert stylizer.look == Look(strength=0.0)
    np.testing.assert_array_equal(stylizer(FRAME), FRAME)
    stylizer.change_look(Look(), fade=1.0, time=5.0)
    np.testing.assert_array_equal(stylizer(FRAME, 5.0), FRAME)
    assert (stylizer(FRAME, 6.0) != FRAME).any()


def test_size(stylizer: Stylizer) -> None:
    stylizer.size = 96
    assert stylizer.size == 96
    with pytest.raises(UsageError):
        stylizer.size = 99999
    assert stylizer.size == 96


def test_reset_begins_another_video(folder: Path) -> None:
    with Stylizer(str(folder), size=96, device="cpu", stabilize="fast") as stylizer:
        first = stylizer(FRAME)
        stylizer(np.roll(FRAME, 1, axis=1))
        stylizer.reset()
        np.testing.assert_array_equal(stylizer(FRAME), first)


def test_core_of(stylizer: Stylizer) -> None:
    core = core_of(stylizer)
    assert isinstance(core, StylizerCore)
    assert core_of(core) is core
