"""Small stand-ins that tests of the training share: networks with random weights, pictures."""

from pathlib import Path

import cv2
import numpy as np

from tools.train_model.onnx_weights import VGG_BLOCKS, Weights

VGG_CHANNELS = (64, 128, 256, 512, 512)


def random_vgg(seed: int = 0) -> Weights:
    """Weights of VGG16's shape that keep the activations' scale."""
    rng = np.random.default_rng(seed)
    weights: Weights = {}
    before = 3
    for block, (count, channels) in enumerate(zip(VGG_BLOCKS, VGG_CHANNELS, strict=True), 1):
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            kernel = rng.standard_normal((3, 3, before, channels)) * np.sqrt(2 / (9 * before))
            weights[f"{name}/weights"] = kernel.astype(np.float32)
            weights[f"{name}/bias"] = rng.standard_normal(channels).astype(np.float32)
            before = channels
    return weights


def random_picture(seed: int, height: int = 96, width: int = 96) -> np.ndarray:
    """A smooth picture with some noise, RGB uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (6, 6, 3), np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    return np.clip(image + rng.integers(-9, 10, image.shape), 0, 255).astype(np.uint8)


def write_pictures(folder: Path, count: int, seed: int) -> None:
    """Write PNG files `0.png`, `1.png`, ..."""
    folder.mkdir()
    for number in range(count):
        image = random_picture(seed + number)
        assert cv2.imwrite(str(folder / f"{number}.png"), image[..., ::-1])
