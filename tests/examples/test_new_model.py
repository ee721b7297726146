"""Example: a new model. It needs no code: a SavedModel folder is enough.

A model is a function of two RGB images, content and style, float32 0..1
`[batch, height, width, 3]`, that returns the stylized one. Part of it must depend on the style
alone. To give a model a name, as "mobile" and "hub" have, add it to `live_nst/models/handles.py`.
"""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import live_nst


class WeightedColors(tf.Module):
    """Scale each channel of the content by the style's mean of that channel."""

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, None, 3], tf.float32, "content"),
            tf.TensorSpec([None, None, None, 3], tf.float32, "style"),
        ]
    )
    def __call__(self, content: tf.Tensor, style: tf.Tensor) -> list[tf.Tensor]:
        """Return the stylized content, in a list, as TF Hub's module does."""
        gain = tf.reduce_mean(style, [1, 2], keepdims=True)  # depends on the style alone
        return [tf.clip_by_value(content * gain * 2, 0.0, 1.0)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    module = WeightedColors()
    tf.saved_model.save(module, str(folder), signatures=module.__call__)
    return folder


@pytest.mark.parametrize("engine", ["tensorflow", "openvino"])
def test_stylizer_runs_the_model(model: Path, engine: str) -> None:
    style = np.zeros((64, 64, 3), np.uint8)
    style[..., 2] = 255  # red, in BGR
    frame = np.full((64, 96, 3), 100, np.uint8)

    with live_nst.Stylizer(
        model=str(model), styles=["starry"], size=96, engine=engine, precision="float32"
    ) as stylizer:
        stylizer.select("starry:0.5+wave:0.5")
        stylized = stylizer(frame)

    assert stylized.shape == frame.shape
    assert stylized.std(axis=(0, 1)).max() <= 1
    assert (stylized != frame).any()
