"""Nothing moves between the frame and the stylized image.

The frame program is the identity, so that what comes out of a stylizer is the frame itself, seen
at the network's size and upscaled again.
"""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from live_nst.engines.base import Engine
from live_nst.engines.choice import EngineChoice
from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.models.program import SplitModel
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from live_nst.stylizer.sizes import network_size
from live_nst.types import Image
from tests.models import tiny_models as modules

PAIRS = [
    ((1280, 720), 384),
    ((1280, 720), 640),
    ((640, 480), 256),
    ((641, 479), 256),
    ((853, 481), 384),
    ((333, 500), 192),
    ((500, 281), 500),
    ((1921, 1079), 384),
    ((384, 216), 384),
]
"""Camera sizes and long sides of the network; odd ones, and axes that scale differently."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return modules.save(modules.identity, tmp_path_factory.mktemp("identity") / "module")


def as_on_a_gpu(choice: EngineChoice, model: SplitModel, concurrency: int = 1) -> Engine:
    """TensorFlow as it runs on a GPU: by XLA, and the picture is enlarged on the device."""
    return TensorFlowEngine(model, "cpu", xla=True, upscale=True)


@pytest.fixture(scope="module", params=["tensorflow", "openvino", "as on a GPU"])
def copier(folder: Path, request: pytest.FixtureRequest) -> Iterator[StylizerCore]:
    if request.param == "openvino":
        pytest.importorskip("openvino", reason="no OpenVINO for this machine")
    engine = "openvino" if request.param == "openvino" else "tensorflow"
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "as on a GPU":
            patch.setattr(EngineChoice, "make", as_on_a_gpu)
        with StylizerCore(
            StylizerOptions(
                model=str(folder),
                styles=("starry",),
                device="cpu",
                engine=engine,
                precision="float32",
            )
        ) as stylizer:
            yield stylizer


def soft_noise(size: tuple[int, int], cell: float) -> Image:
    """Noise without anything finer than what the network's `cell` (in pixels) can hold."""
    noise = np.random.default_rng(1).normal(0, 1, (size[1], size[0], 3))
    soft = cv2.GaussianBlur(noise, (0, 0), 3 * cell)
    return np.clip(128 + 45 * soft / soft.std(), 0, 255).astype(np.uint8)


def shift(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """By how many pixels (x, y) `after` lies beside `before`, by least squares on the gradient."""
    gradient = [np.gradient(before, axis=axis).ravel() for axis in (1, 0)]
    difference = (before - after).ravel()
    solution, *_ = np.linalg.lstsq(np.stack(gradient, axis=1), difference, rcond=None)
    return np.asarray(solution)


def regions(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    """The corners, the edges and the middle: a third of the frame each way."""
    for y in range(3):
        for x in range(3):
            yield (
                slice(y * height // 3, (y + 1) * height // 3),
                slice(x * width // 3, (x + 1) * width // 3),
            )


@pytest.mark.parametrize(("camera", "long_side"), PAIRS, ids=str)
def test_network_and_upscaling_do_not_shift_the_image(
    copier: StylizerCore, camera: tuple[int, int], long_side: int
) -> None:
    cell = max(camera) / max(network_size(camera, long_side))
    frame = soft_noise(camera, cell)
    copier.resize(long_side)

    result = copier(frame)

    for region in regions(*frame.shape[:2]):
        for channel in range(3):
            moved = shift(*(each[region][..., channel].astype(float) for each in (frame, result)))
            assert np.abs(moved).max() < 0.1, (region, moved)


@pytest.mark.parametrize(("camera", "long_side"), PAIRS, ids=str)
def test_no_border_and_no_seam(
    copier: StylizerCore, camera: tuple[int, int], long_side: int
) -> None:
    """Rows and columns at the edges are as near to the frame's as those inside."""
    frame = soft_noise(camera, max(camera) / max(network_size(camera, long_side)))
    copier.resize(long_side)

    error = np.abs(copier(frame).astype(int) - frame).max(axis=2)

    for axis in (0, 1):
        lines = error.mean(axis=axis)
        assert lines.max() < 6, lines.argmax()


def test_measured_shift_of_half_a_pixel() -> None:
    frame = soft_noise((200, 150), 3)
    moved = cv2.warpAffine(
        frame, np.float32([[1, 0, 0.5], [0, 1, -0.25]]), (200, 150), borderMode=cv2.BORDER_REFLECT
    )
    inside = (slice(10, -10), slice(10, -10))
    measured = shift(frame[inside][..., 0].astype(float), moved[inside][..., 0].astype(float))
    np.testing.assert_allclose(measured, [0.5, -0.25], atol=0.05)
