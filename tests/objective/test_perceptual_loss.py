"""The loss and its gradient against the reference, and what must hold of any loss."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from live_nst.errors import StyleError, UsageError
from live_nst.objective.image_pyramid import StyleTarget, mask_at_layer
from live_nst.objective.loss_functions import (
    LOSS_CONFIGS,
    LossConfig,
    gatys,
    gram_sum,
    magenta,
    total_variation,
)
from live_nst.objective.perceptual_loss import PerceptualLoss
from live_nst.objective.tiling import split_into_tiles
from live_nst.objective.vgg import Vgg, block_ends, preprocess, receptive_margin
from tests.objective import reference
from tests.objective.conftest import picture

HEIGHT, WIDTH = 34, 38


def relative(found: Any, wanted: Any) -> float:
    difference = np.abs(np.asarray(found) - np.asarray(wanted)).max()
    return float(difference / np.abs(np.asarray(wanted)).max())


def check(vgg: Vgg, config: LossConfig, styles: list[StyleTarget]) -> None:
    content, painted = picture(HEIGHT, WIDTH, 1), preprocess(picture(HEIGHT, WIDTH, 2))
    objective = PerceptualLoss(vgg, content, styles, config, dtype="float64")
    losses, gradient = objective(painted)
    given_styles = [
        (
            preprocess(style.image).astype(np.float64),
            style.weight,
            None
            if style.mask is None
            else {
                layer: mask_at_layer(style.mask, layer).astype(float)
                for layer in config.style_layers
            },
        )
        for style in styles
    ]
    total, contents, style_terms, slope = reference.loss(
        vgg,
        painted.astype(np.float64),
        preprocess(content).astype(np.float64),
        given_styles,
        dataclasses.replace(config, gamma=0.0),
    )
    variation, variation_slope = total_variation(painted.astype(np.float64))
    assert relative(losses.total, total + config.gamma * variation) < 1e-6
    for layer, value in contents.items():
        assert relative(losses.content[layer], value) < 1e-6
    for layer, value in style_terms.items():
        assert relative(losses.style[layer], value) < 1e-6
    assert relative(gradient, slope + config.gamma * variation_slope) < 1e-6


@pytest.mark.parametrize("config", LOSS_CONFIGS)
def test_published_losses_equal_the_reference(vgg16: Vgg, config: str) -> None:
    check(vgg16, LOSS_CONFIGS[config]("vgg16"), [StyleTarget(picture(32, 36, 3))])


def test_regions_and_variation_equal_the_reference(vgg19: Vgg) -> None:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[:, :17] = 1
    styles = [
        StyleTarget(picture(33, 39, 3), 0.7, mask),
        StyleTarget(picture(32, 32, 4), 0.3, 1 - mask),
    ]
    config = dataclasses.replace(
        gatys("vgg19"), content_layers={"block4_conv2": 0.5, "block3_conv4": 2.0}, gamma=3.0
    )
    check(vgg19, config, styles)


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_extract_features_shapes(name: str) -> None:
    from live_nst.objective.vgg import extract_features
    from live_nst.runtime.tensorflow import import_tensorflow

    tf = import_tensorflow()
    vgg = reference.random_vgg(name)
    ends = block_ends(name)
    run = tf.function(lambda values: extract_features(vgg, values, ends), autograph=False)
    traced = run.get_concrete_function(tf.TensorSpec([224, 224, 3], tf.float32))
    shapes = {layer: tuple(spec.shape) for layer, spec in traced.structured_outputs.items()}
    expected = [(224, 224, 64), (112, 112, 128), (56, 56, 256), (28, 28, 512), (14, 14, 512)]
    assert shapes == dict(zip(ends, expected, strict=True))


@pytest.mark.parametrize(("height", "width"), [(90, 123), (40, 140)])
def test_tiles_give_the_same_loss_and_gradient(vgg16: Vgg, height: int, width: int) -> None:
    content, painted = picture(height, width, 1), preprocess(picture(height, width, 2))
    mask = np.linspace(0, 1, width, dtype=np.float32) * np.ones((height, 1), np.float32)
    styles = [StyleTarget(picture(50, 70, 3), 0.6, mask), StyleTarget(picture(24, 24, 4), 0.4)]
    # The deepest layers reach so far that tiles would need a huge picture; see the slow test.
    config = dataclasses.replace(
        gatys("vgg16"),
        content_layers={"block2_conv1": 1.0},
        style_layers={"block1_conv2": 0.5, "block2_conv2": 0.5},
        gamma=2.0,
    )
    whole = PerceptualLoss(vgg16, content, styles, config, dtype="float64")
    tiled = PerceptualLoss(vgg16, content, styles, config, dtype="float64", tile=32)
    assert tiled.tile_count > 1 == whole.tile_count
    (one, slope), (two, tiled_slope) = whole(painted), tiled(painted)
    assert relative(two.total, one.total) < 1e-9
    assert relative(tiled_slope, slope) < 1e-9
    assert relative(tiled.terms(painted).total, one.total) < 1e-9
    assert relative(whole.terms(painted).total, one.total) < 1e-9


@pytest.mark.slow
def test_tiles_of_all_blocks_give_the_same_gradient(vgg19: Vgg) -> None:
    content, painted = picture(410, 500, 1), preprocess(picture(410, 500, 2))
    styles = [StyleTarget(picture(90, 140, 3))]
    whole = PerceptualLoss(vgg19, content, styles, gatys("vgg19"), dtype="float64")
    tiled = PerceptualLoss(vgg19, content, styles, gatys("vgg19"), dtype="float64", tile=128)
    (one, slope), (two, tiled_slope) = whole(painted), tiled(painted)
    assert relative(two.total, one.total) < 1e-9
    assert relative(tiled_slope, slope) < 1e-9


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_receptive_margin(name: str) -> None:
    """The receptive field, added up from the last layer to the first."""
    for layer in reference.layer_shapes(name):
        field = 1
        names = list(reference.layer_shapes(name))
        for before in reversed(names[: names.index(layer) + 1]):
            field += 2
            if before.endswith("conv1") and before != "block1_conv1":
                field *= 2
        assert receptive_margin(name, [layer]) >= field / 2, layer


@settings(deadline=None, max_examples=40)
@given(
    height=st.integers(16, 700),
    width=st.integers(16, 700),
    side=st.integers(16, 400),
    margin=st.sampled_from([16, 48, 96]),
    stride=st.sampled_from([1, 2, 4, 8, 16]),
)
def test_split_into_tiles_covers_every_position_once(
    height: int, width: int, side: int, margin: int, stride: int
) -> None:
    seen = np.zeros((height // stride, width // stride), int)
    for tile in split_into_tiles(height, width, side, margin):
        rows, columns = tile.rows.place(stride), tile.columns.place(stride)
        seen[rows, columns] += 1
        for span in (tile.rows, tile.columns):
            inner, place = span.core(stride), span.place(stride)
            assert inner.stop - inner.start == place.stop - place.start > 0
            assert span.outer_start // stride + inner.start == place.start
    assert (seen == 1).all()


@settings(deadline=None, max_examples=25)
@given(
    features=hnp.arrays(np.float64, (4, 5, 3), elements=st.floats(-10, 10)),
    order=st.permutations(range(20)),
)
def test_gram_sum_is_independent_of_positions(features: Any, order: list[int]) -> None:
    moved = features.reshape(20, 3)[order].reshape(4, 5, 3)
    whole = np.asarray(gram_sum(features, None))
    np.testing.assert_allclose(np.asarray(gram_sum(moved, None)), whole, atol=1e-9)
    flat = features.reshape(20, 3)
    np.testing.assert_allclose(whole, np.einsum("ki,kj->ij", flat, flat), atol=1e-9)


@pytest.fixture(scope="module")
def shallow(vgg16: Vgg) -> Any:
    """Objectives that are quick to build, by their weights."""

    def build(content: Any, style: Any, **weights: float) -> PerceptualLoss:
        config = LossConfig("vgg16", {"block2_conv1": 1.0}, {"block1_conv2": 1.0}, **weights)
        return PerceptualLoss(vgg16, content, [StyleTarget(style)], config, dtype="float64")

    return build


@settings(deadline=None, max_examples=5, phases=[Phase.generate])
@given(seed=st.integers(0, 999), height=st.integers(16, 24), width=st.integers(16, 24))
def test_loss_is_zero_for_equal_images(shallow: Any, seed: int, height: int, width: int) -> None:
    one, two = picture(height, width, seed), picture(height, width, seed + 1)
    against_one, against_both = shallow(one, one), shallow(one, two)
    different = against_one.terms(preprocess(two))
    assert different.content_total > 0 and different.style_total > 0
    rounding = 1e-25  # of a square, in float64
    same, gradient = against_one(preprocess(one))
    assert same.content_total == 0
    assert same.style_total <= rounding * different.style_total
    _, steep = against_one(preprocess(two))
    assert np.abs(gradient).max() <= 1e-12 * np.abs(steep).max()
    assert against_both.terms(preprocess(one)).content_total == 0
    style = against_both.terms(preprocess(two)).style_total
    assert style <= rounding * different.style_total


@pytest.fixture(scope="module")
def parts(shallow: Any) -> Any:
    """The picture, and its loss and gradient with one weight of one and two of zero."""
    content, style = picture(16, 20, 1), picture(18, 17, 2)
    painted = preprocess(picture(16, 20, 3))
    names = ("alpha", "beta", "gamma")
    weights = [{name: float(name == one) for name in names} for one in names]
    return content, style, painted, [shallow(content, style, **w)(painted) for w in weights]


@settings(deadline=None, max_examples=6, phases=[Phase.generate])
@given(alpha=st.floats(0, 100), beta=st.floats(0, 1e6), gamma=st.floats(0, 100))
def test_loss_is_linear_in_its_weights(
    shallow: Any, parts: Any, alpha: float, beta: float, gamma: float
) -> None:
    content, style, painted, single = parts
    losses, gradient = shallow(content, style, alpha=alpha, beta=beta, gamma=gamma)(painted)
    weights = (alpha, beta, gamma)
    expected = sum(w * part.total for w, (part, _) in zip(weights, single, strict=True))
    assert losses.total == pytest.approx(expected, rel=1e-9)
    slope = sum(w * part for w, (_, part) in zip(weights, single, strict=True))
    np.testing.assert_allclose(gradient, slope, rtol=1e-7, atol=1e-9 * (1 + np.abs(slope).max()))


def test_total_variation() -> None:
    values = np.random.default_rng(0).normal(0, 50, (6, 7, 3))
    by_hand = 0.0
    for y in range(6):
        for x in range(7):
            for c in range(3):
                by_hand += (values[y + 1, x, c] - values[y, x, c]) ** 2 if y < 5 else 0
                by_hand += (values[y, x + 1, c] - values[y, x, c]) ** 2 if x < 6 else 0
    value, slope = total_variation(values)
    assert value == pytest.approx(by_hand / 42)
    step = np.zeros_like(values)
    step[2, 3, 1] = 1e-4
    change = total_variation(values + step)[0] - total_variation(values - step)[0]
    assert slope[2, 3, 1] == pytest.approx(change / 2e-4, rel=1e-6)


def test_magenta_pools_by_the_mean() -> None:
    assert magenta().pooling == "avg"


def test_invalid_images_and_masks(vgg16: Vgg) -> None:
    good = picture(32, 32, 0)
    with pytest.raises(StyleError, match="1x1 pixels"):
        PerceptualLoss(vgg16, good, [StyleTarget(good[:1, :1])], gatys("vgg16"))
    with pytest.raises(UsageError, match="content image: 32x8"):
        PerceptualLoss(vgg16, good[:8], [StyleTarget(good)], gatys("vgg16"))
    with pytest.raises(UsageError, match="mask size 3x3"):
        PerceptualLoss(
            vgg16, good, [StyleTarget(good, 1, np.ones((3, 3), np.float32))], gatys("vgg16")
        )
    with pytest.raises(UsageError, match="black"):
        PerceptualLoss(
            vgg16, good, [StyleTarget(good, 1, np.zeros((32, 32), np.float32))], gatys("vgg16")
        )
    with pytest.raises(UsageError, match="No style"):
        PerceptualLoss(vgg16, good, [], gatys("vgg16"))


@pytest.mark.parametrize(
    "change",
    [
        {"alpha": -1.0},
        {"beta": float("nan")},
        {"content_layers": {"block9_conv1": 1.0}},
        {"style_layers": {"block1_conv1": float("inf")}},
    ],
)
def test_invalid_loss_config(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        dataclasses.replace(gatys("vgg16"), **change)
