"""Frame programs with convolutions in half precision: what is half, and what stays float32."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from live_nst.models.graph.graph_def import cast_convolutions
from live_nst.models.program import FrameVariant, Program, SplitModel
from tests.models.graph.test_rewrite import inputs

CONVOLUTIONS = {"Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput"}


def run(program: Program, given: list[Any]) -> Any:
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(program.graph_def, name="")
    with tf.compat.v1.Session(graph=graph) as session:
        feed = {f"{name}:0": value for name, value in zip(program.inputs, given, strict=True)}
        return session.run(program.outputs[0], feed)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@pytest.mark.parametrize("variant", ["blocks", "transposed", "fused"])
def test_cast_convolutions_alone(
    mobile_variants: SplitModel, variant: FrameVariant, precision: Any
) -> None:
    program = mobile_variants.variants[variant]
    half = cast_convolutions(program, precision)

    assert (half.inputs, half.outputs) == (program.inputs, program.outputs)
    wanted = tf.as_dtype(precision).as_datatype_enum
    computing = [n for n in half.graph_def.node if "T" in n.attr and n.op != "Cast"]
    lowered = [node.op for node in computing if node.attr["T"].type == wanted]
    before = [node.op for node in program.graph_def.node if node.op in CONVOLUTIONS]
    assert sorted(lowered) == sorted(before)
    assert len(before) > 10


def test_cast_convolutions_error(mobile_variants: SplitModel) -> None:
    program = mobile_variants.variants["blocks"]
    given = inputs(program, (64, 96))
    exact = run(program, given)

    off = np.abs(run(cast_convolutions(program, "float16"), given) - exact)
    assert 1e-6 < off.mean() < 0.001
    coarse = np.abs(run(cast_convolutions(program, "bfloat16"), given) - exact)
    assert off.mean() < coarse.mean() < 0.01


def test_cast_convolutions_of_every_kind() -> None:
    """Against operands rounded by hand, and means that would not survive in half precision."""
    random = np.random.default_rng(5)
    frame = random.normal(100, 1, (1, 12, 16, 3)).astype(np.float32)
    kernel = random.normal(0, 1, (3, 3, 3, 4)).astype(np.float32)
    depthwise = random.normal(0, 1, (3, 3, 4, 1)).astype(np.float32)
    back = random.normal(0, 1, (4, 4, 5, 4)).astype(np.float32)

    def body(x: Any, half: Any) -> Any:
        x = tf.cast(tf.nn.conv2d(half(x), half(kernel), 1, "SAME"), tf.float32)
        x -= tf.reduce_mean(x, [1, 2], keepdims=True)
        x = tf.nn.depthwise_conv2d(half(x), half(depthwise), [1, 1, 1, 1], "SAME")
        x = tf.cast(x, tf.float32)
        shape = [1, 24, 32, 5]
        x = tf.nn.conv2d_transpose(half(x), half(back), shape, 2, "SAME")
        return tf.cast(x, tf.float32)

    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, frame.shape, "x")
        tf.identity(body(x, lambda value: value), "y")
    shapes = ((1, 12, 16, 3),)
    program = Program(
        graph.as_graph_def().SerializeToString(),
        ("x",),
        ("y:0",),
        shapes,
        ("float32",),
        ((1, 24, 32, 5),),
    )

    expected = body(tf.constant(frame), lambda value: tf.cast(value, tf.float16)).numpy()

    np.testing.assert_allclose(
        run(cast_convolutions(program, "float16"), [frame]), expected, atol=1e-3
    )


@pytest.fixture(scope="module")
def mobile_variants(tmp_path_factory: pytest.TempPathFactory) -> SplitModel:
    from live_nst.models.graph.split import build_split_model
    from tests.conftest import PACKAGED

    return build_split_model(Path(PACKAGED))
