"""People are found in the demo scene, whose person we draw, and in real footage."""

import hashlib
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.errors import DeviceError
from live_nst.masks.person import MODEL_PATH, PersonMaskProvider, smooth_probabilities
from live_nst.sources.demo_video import DemoVideo
from live_nst.types import Image

pytest.importorskip("openvino", reason="no OpenVINO for this machine")

SHA256 = "a77d03f4659b9f6b6c1f5106947bf40e99d7655094b6527f214ea7d451106edd"
SIZE = (1280, 720)


@pytest.fixture(scope="module")
def _loaded() -> PersonMaskProvider:
    return PersonMaskProvider()


@pytest.fixture
def people(_loaded: PersonMaskProvider) -> PersonMaskProvider:
    _loaded.reset()
    return _loaded


def small(image: Image) -> Image:
    return cv2.resize(image, (384, 216), interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


@pytest.fixture(scope="module")
def scene() -> Image:
    return DemoVideo(*SIZE).image_at(1.0)


def test_model_file_is_the_published_one() -> None:
    assert hashlib.sha256(MODEL_PATH.read_bytes()).hexdigest() == SHA256


def test_person_is_found(people: PersonMaskProvider, scene: Image) -> None:
    mask = people(small(scene), SIZE)
    assert mask.shape == (720, 1280) and mask.dtype == np.uint8
    for x, y in ((640, 330), (600, 420), (640, 650), (560, 260)):  # face, chin, chest, hair
        assert mask[y, x] > 250, (x, y)
    for x, y in ((100, 350), (900, 150), (1150, 300), (300, 100), (1100, 650)):
        assert mask[y, x] < 5, (x, y)
    assert 0.15 < mask.mean() / 255 < 0.35


def test_background_is_the_complement(people: PersonMaskProvider, scene: Image) -> None:
    mask = people(small(scene), SIZE).astype(int)
    background = PersonMaskProvider(background=True)(small(scene), SIZE)
    assert np.abs(mask + background - 255).max() <= 1


def test_edge_is_soft(people: PersonMaskProvider, scene: Image) -> None:
    mask = people(small(scene), SIZE).astype(int)
    soft = (mask > 0) & (mask < 255)
    assert 0.003 < soft.mean() < 0.1
    assert np.abs(np.diff(mask, axis=1)).max() < 120


def test_opencv_agrees(people: PersonMaskProvider, scene: Image) -> None:
    """An independent implementation of the network, the foreign operation included."""
    network = cv2.dnn.readNetFromTFLite(str(MODEL_PATH))
    seen: Image = cv2.resize(scene, (256, 144), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    network.setInput(cv2.dnn.blobFromImage(seen, 1 / 255, swapRB=True))
    expected = network.forward()[0, 0]
    found = people(seen, (256, 144)).astype(float)
    assert np.abs(found - np.clip((expected - 0.25) * 510, 0, 255)).max() < 1.5


def test_empty_scene_has_no_person(people: PersonMaskProvider) -> None:
    gray = np.full((216, 384, 3), 128, np.uint8)
    assert people(gray, SIZE).mean() < 20


def test_smoothing_reduces_flicker_of_the_edge(people: PersonMaskProvider, scene: Image) -> None:
    random = np.random.default_rng(0)
    frames = [
        np.clip(scene + random.normal(0, 6, scene.shape), 0, 255).astype(np.uint8) for _ in range(8)
    ]
    steady = np.stack([people(small(frame), SIZE) for frame in frames])[3:].astype(float)
    single = []
    for frame in frames[3:]:
        people.reset()
        single.append(people(small(frame), SIZE).astype(float))
    assert steady.std(axis=0).mean() < 0.75 * np.stack(single).std(axis=0).mean()


def test_reset_forgets_all_frames(people: PersonMaskProvider, scene: Image) -> None:
    first = people(small(scene), SIZE).copy()
    people(small(scene[:, ::-1]), SIZE)
    people.reset()
    np.testing.assert_array_equal(people(small(scene), SIZE), first)


PROBABILITIES = st.floats(0, 1, width=32)


@given(PROBABILITIES, PROBABILITIES)
def test_smooth_probabilities_never_overshoot_and_follow_changes(before: float, now: float) -> None:
    planes = [np.full((1, 1), value, np.float32) for value in (before, now)]
    after = float(smooth_probabilities(*planes)[0, 0])
    assert min(before, now) - 1e-6 <= after <= max(before, now) + 1e-6
    if abs(now - before) > 0.25:
        assert after == pytest.approx(now, abs=1e-6)


def test_missing_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    from live_nst.runtime.openvino import import_openvino

    import_openvino.cache_clear()
    monkeypatch.setitem(sys.modules, "openvino", None)
    try:
        with pytest.raises(DeviceError, match="needs OpenVINO") as caught:
            PersonMaskProvider()
    finally:
        import_openvino.cache_clear()
    assert "pip install openvino" in caught.value.hint


def test_man_in_a_car(people: PersonMaskProvider, clips: dict[str, Path]) -> None:
    """Real footage, 176x144: he fills the middle, looks about, and the window is behind him."""
    with av.open(str(clips["carphone_pristine"])) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)][:40]
    masks = np.stack([people(frame, (176, 144)) for frame in frames]).astype(float)
    assert masks[:, 60:140, 70:100].mean() > 250  # from his forehead to his chest
    assert masks[:, :20].mean() < 10  # the roof
    assert masks[:, 20:60, 150:].mean() < 10  # the window
    assert np.abs(np.diff(masks, axis=0)).mean() < 4
