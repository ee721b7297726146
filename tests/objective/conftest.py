"""Random networks, small pictures, and VGG16's real weights where they can be had."""

from pathlib import Path

import numpy as np
import pytest

from live_nst.objective.vgg import Vgg
from live_nst.types import Image
from tests.objective.reference import random_vgg


@pytest.fixture(scope="session")
def vgg16() -> Vgg:
    return random_vgg("vgg16")


@pytest.fixture(scope="session")
def vgg19() -> Vgg:
    return random_vgg("vgg19")


def picture(height: int, width: int, seed: int) -> Image:
    """Smooth random colors: BGR uint8."""
    import cv2

    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


@pytest.fixture(scope="session")
def real_vgg16(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG16's ImageNet weights, in the form of Keras' file; slow tests only."""
    from tests.objective.real_vgg16 import write_keras_file

    return write_keras_file(tmp_path_factory.mktemp("vgg16"))
