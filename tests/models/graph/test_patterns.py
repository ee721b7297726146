"""Instance normalizations: what is taken for one, and what it computes, against NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from live_nst.models.graph.graph_def import InferredGraph
from live_nst.models.graph.patterns import InstanceNorm, match_instance_norm
from live_nst.models.graph.rewrite import apply_instance_norm
from live_nst.models.program import Program
from tests.models.graph.test_space_to_depth import to_blocks

_SCALE, _OFFSET = np.float32([1.5, -2, 0.5]), np.float32([0.1, 0.2, -0.3])
Body = Callable[[Any], Any]


def found(body: Body) -> list[InstanceNorm]:
    """All normalizations in the graph of `body`, a function of a frame."""
    shape = (1, None, None, 3)
    with tf.Graph().as_default() as graph:
        frame = tf.compat.v1.placeholder(tf.float32, shape, "frame")
        tf.identity(body(frame), "y")
    text = graph.as_graph_def().SerializeToString()
    inferred = InferredGraph(
        Program(text, ("frame",), ("y:0",), (shape,), ("float32",), (shape,)), 4
    )
    each = [match_instance_norm(op, inferred) for op in inferred.operations]
    return [one for one in each if one is not None]


def by_moments(x: Any, axes: tuple[int, ...] = (1, 2)) -> Any:
    mean, variance = tf.nn.moments(x, axes, keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, _OFFSET, _SCALE, 1e-3)


def the_other_way_round(x: Any) -> Any:
    mean = tf.reduce_mean(x, [2, 1], keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(mean, x), [1, 2], keepdims=True)
    factor = _SCALE * tf.math.rsqrt(1e-3 + variance)
    return (_OFFSET - factor * mean) + factor * x


@pytest.mark.parametrize("body", [by_moments, the_other_way_round])
def test_match_instance_norm(body: Body) -> None:
    (one,) = found(body)
    assert one.subject.op.name == "frame"
    assert one.epsilon == pytest.approx(1e-3)
    assert [t.shape for t in (one.scale, one.offset)] == [[3], [3]]


def two_in_a_row(x: Any) -> Any:
    return by_moments(tf.nn.relu(by_moments(x)))


def test_match_two_instance_norms() -> None:
    one, other = found(two_in_a_row)
    assert one.subject.op.name == "frame"
    assert other.subject.op.type == "Relu"


def over_channels(x: Any) -> Any:
    return by_moments(x, (1, 2, 3))


def of_another_picture(x: Any) -> Any:
    mean, variance = tf.nn.moments(2 * x, [1, 2], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, _OFFSET, _SCALE, 1e-3)


def variance_of_another(x: Any) -> Any:
    mean = tf.reduce_mean(x, [1, 2], keepdims=True)
    variance = tf.reduce_mean(tf.math.squared_difference(x, 2 * mean), [1, 2], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, _OFFSET, _SCALE, 1e-3)


def epsilon_of_the_picture(x: Any) -> Any:
    mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, _OFFSET, _SCALE, tf.reduce_max(x))


def another_factor_for_the_mean(x: Any) -> Any:
    mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
    factor, other = (_SCALE * tf.math.rsqrt(variance + e) for e in (1e-3, 1e-2))
    return x * factor + (_OFFSET - mean * other)


@pytest.mark.parametrize(
    "body",
    [
        over_channels,
        of_another_picture,
        variance_of_another,
        epsilon_of_the_picture,
        another_factor_for_the_mean,
    ],
)
def test_no_match(body: Body) -> None:
    assert found(body) == []


def test_no_match_in_batches() -> None:
    assert found(lambda x: by_moments(tf.concat([x, 2 * x], 0))) == []


def reference(x: Any, scale: Any, offset: Any, epsilon: float) -> Any:
    x = x.astype(np.float64)
    mean, variance = x.mean((0, 1)), x.var((0, 1))
    return (x - mean) / np.sqrt(variance + epsilon) * scale + offset


@pytest.mark.parametrize("channels", [3, 8, 33])
@pytest.mark.parametrize("in_blocks", [False, True])
def test_apply_instance_norm(channels: int, in_blocks: bool) -> None:
    random = np.random.default_rng(channels)
    scale, offset = random.normal(size=(2, channels)).astype(np.float32)
    x = random.normal(5, [0.1, *[3] * (channels - 1)], (12, 16, channels)).astype(np.float32)
    shaped: Callable[[Any], Any] = to_blocks if in_blocks else np.asarray
    given = [tf.constant(each) for each in (shaped(x)[None], scale, offset)]
    result = apply_instance_norm(*given, 1e-5)
    expected = shaped(reference(x, scale, offset, 1e-5))
    assert result.shape == (1, *expected.shape)
    np.testing.assert_allclose(result[0], expected, rtol=0, atol=5e-5)
