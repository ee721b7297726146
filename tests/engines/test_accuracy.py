"""Lower precisions against float32, with several images and all built-in styles."""

import numpy as np
import pytest

from benchmarks.speed.difference import MEAN_LIMIT, Difference, measure_difference
from live_nst.engines.base import StylizedFrame
from live_nst.engines.openvino import OpenVINOEngine
from live_nst.engines.openvino_devices import cpu_device
from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.models.graph.split import build_split_model
from live_nst.models.program import SplitModel
from live_nst.sources.demo_video import DemoVideo
from live_nst.styles.builtin import builtin_image_path, builtin_styles
from live_nst.styles.image import center_crop, read_style_image
from tests.conftest import PACKAGED

PHOTOS = [DemoVideo(192, 108).image_at(moment) for moment in (1.0, 10.6)]


@pytest.fixture(scope="module")
def model() -> SplitModel:
    return build_split_model(PACKAGED)


@pytest.fixture(scope="module")
def exact(model: SplitModel) -> OpenVINOEngine:
    return OpenVINOEngine(model, "float32")


@pytest.fixture(scope="module")
def styles(exact: OpenVINOEngine) -> list[np.ndarray]:
    images = [read_style_image(builtin_image_path(name)) for name in builtin_styles()]
    return [exact.encode(center_crop(image, (256, 256))) for image in images]


def test_measure_difference() -> None:
    class Fake:
        def __init__(self, level: int) -> None:
            self.level = level

        def expand(self, bottleneck: np.ndarray) -> np.ndarray:
            return bottleneck

        def compile(self, camera: object, size: tuple[int, int]) -> object:
            def run(image: np.ndarray, style: np.ndarray) -> StylizedFrame:
                image = np.zeros((size[1], size[0], 3), np.uint8)
                image[0] = self.level * int(style[0])
                return StylizedFrame(image, image)

            return run

    styles = [np.array([1.0], np.float32), np.array([2.0], np.float32)]
    photo = np.zeros((2, 4, 3), np.uint8)
    found = measure_difference(Fake(51), Fake(0), [photo], styles, (4, 2))  # type: ignore[arg-type]
    assert found == Difference(pytest.approx(0.15), pytest.approx(0.2), pytest.approx(0.4))


def test_engines_agree_in_float32(
    model: SplitModel, exact: OpenVINOEngine, styles: list[np.ndarray]
) -> None:
    found = measure_difference(TensorFlowEngine(model, "cpu"), exact, PHOTOS, styles, (192, 108))
    assert found.mean < 1e-4
    assert found.maximum <= 1 / 255 + 1e-9


@pytest.mark.skipif("bfloat16" not in cpu_device().precisions, reason="no bfloat16 here")
def test_bfloat16_may_be_the_default(
    model: SplitModel, exact: OpenVINOEngine, styles: list[np.ndarray]
) -> None:
    half = OpenVINOEngine(model, "bfloat16")
    found = measure_difference(half, exact, PHOTOS, styles, (192, 108))
    assert 1e-5 < found.mean < MEAN_LIMIT


def test_float16_may_be_the_default_on_a_gpu(model: SplitModel, styles: list[np.ndarray]) -> None:
    exact, half = (TensorFlowEngine(model, "cpu", precision=p) for p in ("float32", "float16"))
    found = measure_difference(half, exact, PHOTOS, styles, (192, 108))
    assert 1e-5 < found.mean < 0.0005 < MEAN_LIMIT
    assert found.maximum < 0.05
