import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image as Pillow

from live_nst.engines.openvino import OpenVINOEngine
from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.errors import DeviceError, ModelError, StyleError, UsageError
from live_nst.files.cache import CACHE_VARIABLE
from live_nst.runtime import tensorflow as runtime
from live_nst.sources.demo_video import DemoVideo
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import read_style_image
from live_nst.stylizer.compositing import compose
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions
from live_nst.stylizer.sizes import check_size, check_stroke, network_size
from live_nst.types import Image
from tests.models import tiny_models as modules

SIZE = 64


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that loads and runs very fast."""
    return modules.save(modules.plain, tmp_path_factory.mktemp("small") / "module")


@pytest.fixture(scope="module")
def mobile() -> Iterator[StylizerCore]:
    """The packaged model; tests leave it in starry, at full strength and SIZE."""
    with StylizerCore(
        StylizerOptions(model="mobile", styles=("starry", "wave"), size=SIZE, device="cpu")
    ) as stylizer:
        yield stylizer


@pytest.fixture
def stylizer(mobile: StylizerCore) -> Iterator[StylizerCore]:
    yield mobile
    mobile.select("starry")
    mobile.look = Look()
    mobile.resize(SIZE)


@pytest.fixture
def own(small_folder: Path) -> Iterator[StylizerCore]:
    """A small model in a stylizer for one test."""
    with StylizerCore(
        StylizerOptions(model=str(small_folder), styles=("starry",), size=SIZE, device="cpu")
    ) as stylizer:
        yield stylizer


def scene(width: int = 96, height: int = 64) -> Image:
    return DemoVideo(width, height).image_at(1.0)


def noise(width: int, height: int) -> Image:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def picture_file(path: Path, color: tuple[int, int, int]) -> Path:
    path.parent.mkdir(exist_ok=True)
    Pillow.new("RGB", (32, 32), color).save(path)
    return path


# Frames


@pytest.mark.parametrize(
    "size",
    [(96, 64), (64, 96), (97, 61), (101, 33), (1, 1), (1, 90), (90, 1), (7, 200), (40, 30), (2, 3)],
)
def test_call_keeps_any_frame_size(stylizer: StylizerCore, size: tuple[int, int]) -> None:
    frame = noise(*size)

    painted = stylizer(frame)

    assert painted.shape == frame.shape
    assert painted.dtype == np.uint8
    assert not np.shares_memory(painted, frame)
    assert max(stylizer.infer(frame).stylized.shape) <= SIZE


def test_call_stylizes(stylizer: StylizerCore) -> None:
    """The result differs from the frame, but the scene is still recognizable."""
    frame = scene(192, 128)
    before = frame.copy()

    painted = stylizer(frame)

    np.testing.assert_array_equal(frame, before)
    assert np.abs(painted.astype(int) - frame).mean() > 10
    assert np.abs(painted.astype(int) - stylizer(noise(192, 128))).mean() > 10
    edges = [cv2.Canny(cv2.GaussianBlur(each, (9, 9), 0), 20, 60) > 0 for each in (frame, painted)]
    near = cv2.dilate(edges[1].astype(np.uint8), np.ones((7, 7))) > 0
    assert near[edges[0]].mean() > 0.6


def test_call_is_deterministic(stylizer: StylizerCore) -> None:
    np.testing.assert_array_equal(stylizer(scene()), stylizer(scene()))


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
@pytest.mark.parametrize(
    "view",
    [
        lambda frame: frame[:, ::-1],
        lambda frame: frame[::2, ::2],
        lambda frame: frame[..., ::-1],
        np.asfortranarray,
        lambda frame: frame[10:50, 20:80],
    ],
    ids=["mirrored", "every other", "other colors", "by columns", "cut out"],
)
def test_call_any_memory_layout(stylizer: StylizerCore, view: Any, strength: float) -> None:
    stylizer.look = Look(strength=strength)
    frame = view(scene())
    np.testing.assert_array_equal(stylizer(frame), stylizer(np.ascontiguousarray(frame)))


def test_call_read_only_frame(stylizer: StylizerCore) -> None:
    frame = scene()
    frame.flags.writeable = False
    assert stylizer(frame).shape == frame.shape


@pytest.mark.parametrize("thing", [None, "picture.jpg", [[[0, 0, 0]]], np.zeros((4, 4, 3))])
def test_call_refuses_other_types(stylizer: StylizerCore, thing: Any) -> None:
    with pytest.raises(TypeError, match="expected"):
        stylizer(thing)


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (1, 4, 4, 3), (0, 4, 3), (4, 0, 3)])
def test_call_refuses_other_shapes(stylizer: StylizerCore, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\[height, width, 3\]"):
        stylizer(np.zeros(shape, np.uint8))


# Strength


def test_look_strength_0_is_the_frame(stylizer: StylizerCore) -> None:
    stylizer.look = Look(strength=0.0)
    np.testing.assert_array_equal(stylizer(scene(97, 61)), scene(97, 61))


def test_look_strength_blends_frame_and_style(stylizer: StylizerCore) -> None:
    frame = scene(97, 61)
    full = stylizer(frame).astype(float)
    np.testing.assert_array_equal(full, compose(frame, stylizer.infer(frame), Look()))

    stylizer.look = Look(strength=0.5)

    assert np.abs(stylizer(frame) - (full + frame) / 2).max() <= 1


def test_look_replaces_later_changes(stylizer: StylizerCore) -> None:
    stylizer.change_look(Look(strength=0.3), time=20.0)
    stylizer.look = Look(strength=0.0, detail=0.5)
    assert stylizer.look == Look(strength=0.0, detail=0.5)
    stylizer.look = Look(strength=0.5)
    assert stylizer.look == Look(strength=0.5)


def test_change_look_in_advance(stylizer: StylizerCore) -> None:
    frame = scene()
    full = stylizer(frame)
    stylizer.change_look(Look(strength=0.0), time=10.0)
    stylizer.change_look(Look(strength=1.0), fade=2.0, time=20.0)
    for time, strength in ((25.0, 1.0), (15.0, 0.0), (21.0, 0.5), (9.9, 1.0)):  # in any order
        expected = strength * full.astype(float) + (1 - strength) * frame
        assert np.abs(stylizer(frame, time) - expected).max() <= 1, time


def test_look_keep_colors_changes_brightness_only(stylizer: StylizerCore) -> None:
    frame = scene()
    stylizer.look = Look(keep_colors=1.0)
    painted = stylizer(frame)
    shift = painted.astype(int) - frame
    assert (shift == shift[..., :1]).all()
    assert np.abs(shift).mean() > 5


def test_look_blend_styles_goes_from_content_style_to_style(
    stylizer: StylizerCore,
) -> None:
    frame = scene(192, 128)
    painted = {}
    for style in ("wave", "starry"):
        stylizer.look = Look()
        stylizer.select(style)
        full = stylizer(frame)
        for strength in (0.0, 0.5, 1.0):
            stylizer.look = Look(strength=strength, blend="styles")
            painted[style, strength] = stylizer(frame).astype(int)
        np.testing.assert_array_equal(painted[style, 1.0], full)
    np.testing.assert_array_equal(painted["wave", 0.0], painted["starry", 0.0])
    away = [np.abs(painted["starry", strength] - full).mean() for strength in (0.0, 0.5, 1.0)]
    assert away[0] > away[1] + 3 > 3 + away[2]
    assert np.abs(painted["starry", 0.0] - frame).mean() < np.abs(full.astype(int) - frame).mean()


def test_look_blend_styles_needs_no_other_frame(stylizer: StylizerCore) -> None:
    stylizer.look = Look(strength=0.5, blend="styles")
    first = stylizer(scene())
    stylizer(noise(96, 64))
    np.testing.assert_array_equal(stylizer(scene()), first)
    assert stylizer(noise(2, 3)).shape == (3, 2, 3)


# Strokes


def test_select_stroke(stylizer: StylizerCore) -> None:
    frame = scene()
    before = stylizer(frame)

    stylizer.select("starry", stroke=2.0)
    broad = stylizer(frame)
    assert (stylizer.style, stylizer.stroke) == ("starry", 2.0)
    stylizer.select("wave")
    assert stylizer.stroke == 2.0
    stylizer.select("starry")
    np.testing.assert_array_equal(stylizer(frame), broad)
    stylizer.select("starry", stroke=1.0)

    np.testing.assert_array_equal(stylizer(frame), before)
    assert np.abs(broad.astype(int) - before).mean() > 3


def test_select_stroke_of_image_in_memory(own: StylizerCore) -> None:
    picture = noise(64, 48)
    own.select(picture)
    label, before = own.style, own(scene())
    picture[:] = 0  # it is the caller's again

    own.select(label, stroke=0.5)

    assert own.style == label
    assert (own(scene()) != before).any()
    own.select(label, stroke=1.0)
    np.testing.assert_array_equal(own(scene()), before)


def test_select_invalid_stroke_changes_nothing(stylizer: StylizerCore) -> None:
    with pytest.raises(UsageError, match="stroke"):
        stylizer.select("wave", stroke=9.0)
    assert (stylizer.style, stylizer.stroke) == ("starry", 1.0)


# Styles


def test_select_by_name(stylizer: StylizerCore) -> None:
    assert stylizer.styles[:2] == ("starry", "wave")
    assert stylizer.style == "starry"
    starry = stylizer(scene())

    stylizer.select("wave")
    wave = stylizer(scene())
    assert stylizer.style == "wave"
    assert np.abs(wave.astype(int) - starry).mean() > 5

    stylizer.select("starry")
    np.testing.assert_array_equal(stylizer(scene()), starry)


def test_select_computes_a_new_style_once(own: StylizerCore) -> None:
    before = own(scene())
    assert own.style_computations == 1

    for _ in range(2):
        own.select("candy")
        assert own.style == "candy"
        assert own.styles == ("starry", "candy")
        assert own.style_computations == 2
    assert (own(scene()) != before).any()


def test_load_does_not_select(own: StylizerCore) -> None:
    before = own(scene())

    own.load("candy")

    assert own.style == "starry"
    assert own.styles == ("starry", "candy")
    np.testing.assert_array_equal(own(scene()), before)
    own.select("candy")
    assert own.style_computations == 2


def test_select_mix_lies_between_its_styles(stylizer: StylizerCore) -> None:
    painted = {}
    for style in ("starry", "starry:1+wave:0", "starry+wave", "starry:0+wave:1", "wave"):
        stylizer.select(style)
        painted[style] = stylizer(scene()).astype(int)

    np.testing.assert_array_equal(painted["starry"], painted["starry:1+wave:0"])
    np.testing.assert_array_equal(painted["wave"], painted["starry:0+wave:1"])
    whole_way = np.abs(painted["starry"] - painted["wave"]).mean()
    for end in ("starry", "wave"):
        assert 1 < np.abs(painted["starry+wave"] - painted[end]).mean() < whole_way
    assert "starry 50% + wave 50%" in stylizer.styles


@pytest.mark.parametrize(
    "style", ["stary", "missing.jpg", "starry:-1+wave:1", "starry+", "", Path("none.png")]
)
def test_select_invalid_style_changes_nothing(stylizer: StylizerCore, style: Any) -> None:
    stylizer.select("wave")
    before, styles = stylizer(scene()), stylizer.styles

    with pytest.raises(StyleError):
        stylizer.select(style)

    assert stylizer.style == "wave"
    assert stylizer.styles == styles
    np.testing.assert_array_equal(stylizer(scene()), before)


def test_select_arrays_and_files(own: StylizerCore, tmp_path: Path) -> None:
    array = read_style_image(builtin_image_path("ink"))
    copy = tmp_path / "my ink.jpg"
    copy.write_bytes(builtin_image_path("ink").read_bytes())

    painted = []
    for style in ("ink", array, copy, str(copy)):
        own.select(style)
        painted.append(own(scene()))

    assert own.styles == ("starry", "ink", "picture 3", "my ink.jpg")
    assert own.style_computations == 2  # it is one picture
    for each in painted[1:]:
        np.testing.assert_array_equal(each, painted[0])


def test_select_refuses_arrays_that_are_no_images(own: StylizerCore) -> None:
    with pytest.raises(TypeError):
        own.select(np.zeros((8, 8, 3)))
    with pytest.raises(ValueError, match="shape"):
        own.select(np.zeros((8, 8), np.uint8))
    assert own.style == "starry"


def test_styles_with_two_files_of_one_name(small_folder: Path, tmp_path: Path) -> None:
    one = picture_file(tmp_path / "one" / "my.png", (250, 10, 10))
    other = picture_file(tmp_path / "other" / "my.png", (10, 10, 250))

    with StylizerCore(
        StylizerOptions(model=str(small_folder), styles=(one, other), size=SIZE, device="cpu")
    ) as stylizer:
        assert stylizer.styles == ("my.png", "my.png (2)")
        first = stylizer(scene())
        stylizer.select(other)
        assert stylizer.style == "my.png (2)"
        second = stylizer(scene())
        assert (first != second).any()
        stylizer.select(one)
        assert stylizer.style == "my.png"
        np.testing.assert_array_equal(stylizer(scene()), first)
        stylizer.select("my.png (2)")
        np.testing.assert_array_equal(stylizer(scene()), second)
        assert stylizer.styles == ("my.png", "my.png (2)")


def test_styles_with_several_arrays(small_folder: Path) -> None:
    arrays = [noise(32, 32), 255 - noise(32, 32), noise(32, 32) // 2]
    styles = ["starry", "starry", arrays[0]]
    with StylizerCore(
        StylizerOptions(model=str(small_folder), styles=tuple(styles), size=SIZE, device="cpu")
    ) as stylizer:
        for array in arrays[1:]:
            stylizer.select(array)
        assert len(stylizer.styles) == 4
        assert len(set(stylizer.styles)) == 4


def test_select_fade_follows_frame_times(own: StylizerCore) -> None:
    own.load("ember")
    start = own.infer(scene(), time=10.0).stylized.astype(int)

    own.select("ember", fade=2.0, time=10.0)

    shown = {
        t: own.infer(scene(), time=t).stylized.astype(int) for t in (9.0, 10.0, 11.0, 12.0, 99.0)
    }
    np.testing.assert_array_equal(shown[9.0], start)
    np.testing.assert_array_equal(shown[10.0], start)
    np.testing.assert_array_equal(shown[12.0], shown[99.0])
    assert (shown[11.0] != shown[10.0]).any()
    assert (shown[11.0] != shown[12.0]).any()


def test_select_in_advance(own: StylizerCore) -> None:
    """A frame is then stylized the same whatever was stylized before it."""
    starry = own(scene())
    own.select("ember", time=100.0)
    own.select("starry", fade=1.0, time=200.0)
    seen = {t: own(scene(), t) for t in (5.0, 100.0, 200.5, 300.0)}
    np.testing.assert_array_equal(seen[5.0], starry)
    np.testing.assert_array_equal(seen[300.0], starry)
    assert (seen[100.0] != starry).any()
    for moment in (200.5, 100.0):
        np.testing.assert_array_equal(own(scene(), moment), seen[moment])


# The cache


def test_second_start_computes_no_style(small_folder: Path, own_cache: Path) -> None:
    styles = ["starry", "wave:0.5+ink:0.5", noise(30, 40)]
    painted = []
    for computations in (4, 0):
        with StylizerCore(
            StylizerOptions(model=str(small_folder), styles=tuple(styles), size=SIZE, device="cpu")
        ) as stylizer:
            assert stylizer.style_computations == computations
            painted.append(stylizer(scene()))
    np.testing.assert_array_equal(*painted)
    assert len(list(own_cache.rglob("*.npy"))) == 4


def test_other_model_computes_its_own_styles(small_folder: Path, tmp_path: Path) -> None:
    other = modules.save(modules.two_paths, tmp_path / "module")
    for folder in (small_folder, other):
        with StylizerCore(
            StylizerOptions(model=str(folder), styles=("starry",), size=SIZE, device="cpu")
        ) as stylizer:
            assert stylizer.style_computations == 1


def test_unwritable_cache_is_ignored(
    small_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "file"))
    for _ in range(2):
        with StylizerCore(
            StylizerOptions(model=str(small_folder), styles=("starry",), size=SIZE, device="cpu")
        ) as stylizer:
            assert stylizer.style_computations == 1
            assert stylizer(scene()).shape == (64, 96, 3)


# Sizes


def test_resize_changes_the_network_size(stylizer: StylizerCore) -> None:
    frame = scene(256, 192)
    assert stylizer.infer(frame).stylized.shape == (48, 64, 3)

    stylizer.resize(128)

    assert stylizer.size == 128
    assert stylizer.infer(frame).stylized.shape == (96, 128, 3)
    assert stylizer(frame).shape == frame.shape


def record_compilations(engine: type[Any], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A list of what engines of this class compile from now on."""
    compiled: list[Any] = []
    compile_ = engine.compile

    def record(self: Any, camera: Any, size: Any) -> Any:
        compiled.append((camera, size))
        return compile_(self, camera, size)

    monkeypatch.setattr(engine, "compile", record)
    return compiled


def test_prepare_runs_beside_frames(own: StylizerCore, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = scene(256, 192)
    own(frame)
    compiled = record_compilations(OpenVINOEngine, monkeypatch)
    worker = threading.Thread(target=own.prepare, args=((256, 192), 128))
    worker.start()
    while worker.is_alive():
        assert own(frame).shape == frame.shape
    worker.join()
    assert compiled == [((256, 192), (128, 96))]
    assert own.infer(frame).stylized.shape == (48, 64, 3)

    own.resize(128)

    assert own.infer(frame).stylized.shape == (96, 128, 3)
    assert compiled == [((256, 192), (128, 96))]


def test_known_frames_styles_and_sizes_compile_nothing(
    own: StylizerCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.load("wave")
    for size in ((96, 64), (64, 96)):
        own(scene(*size))
    compiled = record_compilations(OpenVINOEngine, monkeypatch)

    for style in ("starry", "wave", "starry+wave"):
        own.select(style)
        for size in ((96, 64), (64, 96)):
            own(scene(*size))

    assert not compiled


def test_compiled_programs_are_limited(own: StylizerCore) -> None:
    widths = range(40, 40 + 4 * 10, 4)
    for width in widths:
        own(noise(width, 40))
    assert sum(own.is_compiled((width, 40), own.size) for width in widths) <= 6


def test_is_compiled_after_prepare(own: StylizerCore) -> None:
    assert not own.is_compiled((96, 64), 64)
    own.prepare((96, 64), 64)
    assert own.is_compiled((96, 64), 64)
    assert not own.is_compiled((96, 64), 80) and not own.is_compiled((64, 96), 64)
    used = noise(64, 48)
    for width in range(40, 40 + 4 * 6, 4):  # what is used stays, what is not goes
        own(used)
        own(noise(width, 40))
    assert own.is_compiled((64, 48), own.size)
    assert not own.is_compiled((96, 64), 64)


def test_is_compiled_false_during_prepare(
    own: StylizerCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    compile_, seen = OpenVINOEngine.compile, []

    def observe(self: OpenVINOEngine, camera: Any, size: Any) -> Any:
        seen.append(own.is_compiled(camera, 64))
        return compile_(self, camera, size)

    monkeypatch.setattr(OpenVINOEngine, "compile", observe)
    own.prepare((96, 64), 64)
    assert seen == [False]
    assert own.is_compiled((96, 64), 64)


@pytest.mark.parametrize("size", [0, -1, 63, 4097, 10**9])
def test_invalid_sizes(stylizer: StylizerCore, size: int) -> None:
    with pytest.raises(UsageError, match="Invalid size") as caught:
        stylizer.resize(size)
    assert "64 to 4096" in caught.value.hint
    with pytest.raises(UsageError):
        stylizer.prepare((96, 64), size)
    with pytest.raises(UsageError):
        StylizerCore(StylizerOptions(model="mobile", size=size, device="cpu"))
    assert stylizer.size == SIZE


def test_check_size_and_check_stroke_return_valid_values() -> None:
    assert [check_size(size) for size in (64, 384, 4096)] == [64, 384, 4096]
    assert [check_stroke(stroke) for stroke in (0.3, 1, 3)] == [0.3, 1, 3]


@pytest.mark.parametrize("stroke", [-1, 0, 0.29, 3.01, float("nan"), float("inf")])
def test_invalid_strokes(stroke: float) -> None:
    with pytest.raises(UsageError, match="stroke") as caught:
        StylizerCore(StylizerOptions(model="mobile", stroke=stroke, device="cpu"))
    assert "0.3 to 3" in caught.value.hint


CAMERA = st.integers(16, 4096)


@given(st.tuples(CAMERA, CAMERA), st.integers(64, 4096))
@example((1280, 720), 384)
@example((640, 480), 4096)
def test_network_size_properties(camera: tuple[int, int], long_side: int) -> None:
    size = network_size(camera, long_side)

    assert all(side % 4 == 0 and side >= 16 for side in size)
    # Multiples of 4 are at most 2 from what is asked for, and nothing is enlarged by more.
    assert abs(max(size) - min(long_side, max(camera))) <= 2
    assert all(side <= seen + 2 for side, seen in zip(size, camera, strict=True))
    scale = min(1.0, long_side / max(camera))
    for side, seen in zip(size, camera, strict=True):
        assert abs(side - max(16, seen * scale)) <= 4


def test_network_size_of_common_cameras() -> None:
    assert network_size((1280, 720), 384) == (384, 216)
    assert network_size((720, 1280), 384) == (216, 384)
    assert network_size((640, 480), 384) == (384, 288)
    assert network_size((320, 240), 384) == (320, 240)
    assert network_size((1, 720), 384) == (16, 384)


# As an object


def test_properties(stylizer: StylizerCore) -> None:
    assert stylizer.model_name == "mobile"
    assert stylizer.device == "cpu"
    assert stylizer.engine.startswith("openvino ")
    assert stylizer.precision in ("float32", "bfloat16")
    assert stylizer.size == SIZE


def test_default_size_on_a_cpu(small_folder: Path) -> None:
    with StylizerCore(StylizerOptions(model=str(small_folder), device="cpu")) as stylizer:
        assert stylizer.size == 384
        assert stylizer.styles == ("starry",)


def test_notify_names_the_model(small_folder: Path) -> None:
    said: list[str] = []
    with StylizerCore(
        StylizerOptions(model="auto", styles=("starry",), device="cpu"), notify=said.append
    ) as stylizer:
        ran = f"{stylizer.engine} in {stylizer.precision}"
    assert said == [
        "Model mobile: the CPU was asked for.",
        f"Engine {ran}: it is the fastest on a CPU.",
    ]


def test_close_twice(small_folder: Path) -> None:
    stylizer = StylizerCore(StylizerOptions(model=str(small_folder), size=SIZE, device="cpu"))
    with stylizer as same:
        assert same is stylizer
        stylizer(scene())
    stylizer.close()
    stylizer.close()


def test_errors_in_the_with_block_propagate(small_folder: Path) -> None:
    with (
        pytest.raises(ZeroDivisionError),
        StylizerCore(StylizerOptions(model=str(small_folder), size=SIZE, device="cpu")),
    ):
        raise ZeroDivisionError


def test_no_style() -> None:
    with pytest.raises(UsageError, match="No style"):
        StylizerCore(StylizerOptions(model="mobile", styles=(), device="cpu"))


def test_unknown_style_at_the_start(small_folder: Path) -> None:
    with pytest.raises(StyleError):
        StylizerCore(
            StylizerOptions(model=str(small_folder), styles=("starry", "stary"), device="cpu")
        )


def test_invalid_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        StylizerCore(StylizerOptions(model=str(tmp_path), device="cpu"))


@pytest.mark.parametrize(("device", "error"), [("gpu", DeviceError), ("cuda", UsageError)])
def test_invalid_device(
    small_folder: Path, monkeypatch: pytest.MonkeyPatch, device: str, error: type[Exception]
) -> None:
    monkeypatch.setattr(runtime, "gpu_names", list)
    with pytest.raises(error):
        StylizerCore(StylizerOptions(model=str(small_folder), device=device))


def test_model_whose_style_size_is_not_square(tmp_path: Path) -> None:
    folder = modules.save(modules.plain, tmp_path / "module", style=(None, 48, 96, 3))
    with StylizerCore(
        StylizerOptions(model=str(folder), styles=("starry",), size=SIZE, device="cpu")
    ) as stylizer:
        assert stylizer(scene()).shape == (64, 96, 3)


@pytest.mark.parametrize("kind", [TensorFlowEngine, OpenVINOEngine])
def test_infer_from_several_threads(
    small_folder: Path, kind: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = "tensorflow" if kind is TensorFlowEngine else "openvino"
    frames = [DemoVideo(96, 64).image_at(float(moment)) for moment in range(8)]
    with StylizerCore(
        StylizerOptions(model=str(small_folder), size=64, device="cpu", engine=engine)
    ) as alone:
        expected = [alone.infer(frame).stylized for frame in frames]
    compiled = record_compilations(kind, monkeypatch)
    with (
        StylizerCore(
            StylizerOptions(
                model=str(small_folder), size=64, device="cpu", engine=engine, concurrency=3
            )
        ) as stylizer,
        ThreadPoolExecutor(4) as pool,
    ):
        painted = [made.stylized for made in pool.map(stylizer.infer, frames)]
    assert len(compiled) == 1
    assert np.abs(np.subtract(painted, expected, dtype=int)).max() <= 1


def test_missing_gpu_is_refused_before_a_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("live_nst.runtime.tensorflow.gpu_names", list)
    said: list[str] = []
    with pytest.raises(DeviceError, match="no GPU"):
        StylizerCore(StylizerOptions(model="auto", device="gpu"), notify=said.append)
    assert said == []
