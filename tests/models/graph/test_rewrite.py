"""Rewritten frame programs against the originals, as OpenVINO and TensorFlow compute them."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import tensorflow as tf

from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.rewrite import rewrite
from live_nst.models.graph.split import build_split_model, pack_style_tensors, split_model
from live_nst.models.program import SIZE_MULTIPLE, FrameVariant, Program, SplitModel
from tests.models import tiny_models as modules

VARIANTS: tuple[FrameVariant, ...] = get_args(FrameVariant)
SIZES = [(64, 64), (64, 96), (68, 132), (100, 64), (216, 384), (360, 640)]
"""Height and width."""
ODD_SIZES = [(65, 66), (67, 97), (90, 121), (183, 254)]


def kinds(program: Program) -> list[str]:
    return [node.op for node in program.graph_def.node]


def inputs(program: Program, size: tuple[int, int], seed: int = 0) -> list[Any]:
    """A frame that is neither flat nor noise alone, and style tensors."""
    random = np.random.default_rng(seed)
    height, width = size
    y, x = np.mgrid[:height, :width] / 40
    waves = np.stack([np.sin(x + y), np.cos(2 * x), np.sin(y * x / 9)], -1) / 2 + 0.5
    frame = np.clip(waves + random.normal(0, 0.1, waves.shape), 0, 1)[None].astype(np.float32)
    return [frame, *(random.normal(0, 1, s).astype(np.float32) for s in program.input_shapes[1:])]


@pytest.fixture(scope="module")
def mobile(mobile_programs: SplitModel) -> SplitModel:
    return pack_style_tensors(mobile_programs)


@pytest.fixture(scope="module", params=VARIANTS)
def rewritten(request: pytest.FixtureRequest, mobile: SplitModel) -> Program:
    return rewrite(mobile.frame, request.param)


# The packaged network


@pytest.mark.parametrize("size", SIZES)
def test_mobile_computes_the_same(
    rewritten: Program, mobile: SplitModel, size: tuple[int, int]
) -> None:
    given = inputs(mobile.frame, size)
    (expected,) = modules.run_program(mobile.frame, *given)
    (painted,) = modules.run_program(rewritten, *given)
    assert painted.shape == expected.shape == (1, *size, 3)
    assert expected.std() > 0.05
    np.testing.assert_allclose(painted, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", ODD_SIZES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_frame_at(mobile: SplitModel, variant: FrameVariant, size: tuple[int, int]) -> None:
    assert any(side % SIZE_MULTIPLE for side in size)
    fast = Program(b"", (), (), (), (), ())
    model = SplitModel(mobile.encode, mobile.expand, mobile.frame, {variant: fast})
    assert model.frame_at(size[::-1], variant) is mobile.frame
    assert model.frame_at((64, 96), variant) is fast
    assert mobile.frame_at((64, 96), variant) is mobile.frame


@pytest.mark.parametrize("variant", VARIANTS)
def test_operations_that_are_removed(mobile: SplitModel, variant: FrameVariant) -> None:
    """Nothing runs at full resolution that need not, and nothing pads or crops by nothing."""
    before, after = kinds(mobile.frame), kinds(rewrite(mobile.frame, variant))
    assert before.count("ResizeNearestNeighbor") == 2
    assert "ResizeNearestNeighbor" not in after
    assert "FloorMod" not in after
    # One pads by nothing; on a processor the last convolution's is done on blocks.
    assert after.count("MirrorPad") == before.count("MirrorPad") - (1 if variant == "blocks" else 2)
    moves = {kind: after.count(kind) for kind in ("SpaceToDepth", "DepthToSpace", "Transpose")}
    assert (
        list(moves.values())
        == {
            "blocks": [2, 3, 0],  # both 9x9 convolutions, and both enlargings
            "transposed": [1, 1, 0],  # the frame itself, and what comes out
            "fused": [0, 0, 3],  # these two, and the first enlarging
        }[variant]
    )
    assert after.count("Conv2D") + after.count("Conv2DBackpropInput") == before.count("Conv2D")


def test_fused_instance_norms(mobile: SplitModel) -> None:
    after = rewrite(mobile.frame, "fused").graph_def.node
    fused = [node for node in after if node.op == "FusedBatchNormV3"]
    assert [node.attr["is_training"].b for node in fused] == [True] * 12 + [False]
    # The last one has few channels and is given its statistics, taken of many pixels at once.
    assert [node.op for node in after].count("SquaredDifference") == 1
    assert "Rsqrt" not in [node.op for node in after]


def test_pack_style_tensors(mobile_programs: SplitModel, mobile: SplitModel) -> None:
    assert mobile.frame.input_shapes[1:] == ((1, 1, 1, 2 * (10 * 32 + 16 + 8 + 3)),)
    assert mobile.expand.output_shapes == mobile.frame.input_shapes[1:]
    code = np.random.default_rng(2).normal(0, 1, (1, 1, 1, 100)).astype(np.float32)
    frame, _ = inputs(mobile.frame, (64, 64))

    parts = modules.run_program(mobile_programs.expand, code)
    (packed,) = modules.run_program(mobile.expand, code)

    np.testing.assert_array_equal(packed.ravel(), np.concatenate([p.ravel() for p in parts]))
    np.testing.assert_allclose(
        modules.run_program(mobile.frame, frame, packed),
        modules.run_program(mobile_programs.frame, frame, *parts),
        rtol=0,
        atol=1e-6,
    )


@pytest.mark.slow
def test_hub_computes_the_same(hub_folder: Path) -> None:
    model = pack_style_tensors(split_model(freeze_saved_model(hub_folder)))
    given = inputs(model.frame, (64, 68))
    (expected,) = modules.run_program(model.frame, *given)
    for variant in VARIANTS:
        fast = rewrite(model.frame, variant)
        assert "ResizeNearestNeighbor" not in kinds(fast)
        moved = kinds(fast).count("SpaceToDepth") + kinds(fast).count("Transpose")
        assert moved == {"blocks": 2, "transposed": 2, "fused": 5}[variant]
        (painted,) = modules.run_program(fast, *given)
        np.testing.assert_allclose(painted, expected, rtol=0, atol=1e-4)


# Other networks


_random = np.random.default_rng(11)


def weights(*shape: int) -> Any:
    return _random.normal(0, 0.3, shape).astype(np.float32)


_FIRST, _SECOND, _THIRD, _LAST = (
    weights(9, 9, 3, 8),
    weights(3, 3, 8, 8),
    weights(3, 3, 8, 8),
    weights(7, 7, 8, 3),
)


def reflect(x: Any, border: int) -> Any:
    return tf.pad(x, [[0, 0], [border, border], [border, border], [0, 0]], "REFLECT")


def twice(x: Any, **how: Any) -> Any:
    shape = tf.shape(x)
    return tf.raw_ops.ResizeNearestNeighbor(images=x, size=[2 * shape[1], 2 * shape[2]], **how)


def _with(body: Any) -> modules.Paint:
    """A module whose content part is `body(content, shift)`."""

    def paint(content: Any, style: Any) -> Any:
        shift = tf.reduce_mean(modules.features(style), [1, 2, 3], keepdims=True)
        return tf.sigmoid(body(content, shift))

    return paint


def _stem(x: Any, act: Any = tf.nn.relu) -> Any:
    return act(tf.nn.conv2d(reflect(x, 4), _FIRST, 1, "VALID"))


OTHERS = {
    "no strided convolution": _with(
        lambda x, s: tf.nn.conv2d(reflect(_stem(x), 3), _LAST, 1, "VALID") + s
    ),
    "other activations": _with(
        lambda x, s: tf.nn.conv2d(reflect(tf.nn.elu(_stem(x, tf.tanh)) * s, 3), _LAST, 1, "VALID")
    ),
    "strided, enlarged": _with(
        lambda x, s: tf.nn.conv2d(
            reflect(twice(tf.nn.conv2d(reflect(_stem(x), 1), _SECOND, 2, "VALID")), 1),
            _THIRD, 1, "VALID",
        )[..., :3] + s
    ),
    "two ways out of the blocks": _with(
        lambda x, s: tf.nn.conv2d(reflect(_stem(x), 3), _LAST, 1, "VALID")
        + tf.nn.conv2d(_stem(x), _SECOND, 1, "SAME")[..., :3] * s
    ),
    "added to what is no block": _with(
        lambda x, s: tf.nn.conv2d(reflect(_stem(x), 3), _LAST, 1, "VALID") + x * s
    ),
    "a mean over all": _with(
        lambda x, s: _stem(x)[..., :3] - tf.reduce_mean(_stem(x), [1, 2, 3], keepdims=True) + s
    ),
    "a fixed normalization": _with(
        lambda x, s: tf.compat.v1.nn.fused_batch_norm(
            _stem(x), weights(8), weights(8), weights(8), abs(weights(8)), is_training=False
        )[0][..., :3] + s
    ),
    "a kernel that the style makes": _with(
        lambda x, s: tf.nn.conv2d(_stem(x), s * _THIRD[:1, :1, :, :3], 1, "VALID")
    ),
    "corners aligned": _with(
        lambda x, s: tf.nn.conv2d(
            reflect(twice(x, align_corners=True), 1), _SECOND[:, :, :3], 1, "VALID"
        )[:, ::2, ::2, :3] + s
    ),
    "zeros around": _with(lambda x, s: tf.nn.conv2d(x, _FIRST, 1, "SAME")[..., :3] + s),
    "other borders": _with(
        lambda x, s: tf.nn.conv2d(reflect(x, 5), _FIRST, 1, "VALID")[:, 1:-1, 1:-1, :3] + s
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_other_networks_compute_the_same(name: str, variant: FrameVariant, tmp_path: Path) -> None:
    model = pack_style_tensors(
        split_model(freeze_saved_model(modules.save(OTHERS[name], tmp_path / "module")))
    )
    given = inputs(model.frame, (32, 44))
    (expected,) = modules.run_program(model.frame, *given)
    (painted,) = modules.run_program(rewrite(model.frame, variant), *given)
    assert expected.std() > 1e-3
    np.testing.assert_allclose(painted, expected, rtol=0, atol=1e-4)


def test_conditions_and_loops(tmp_path: Path) -> None:
    folder = modules.save(modules.branching, tmp_path / "module", style=(1, 256, 256, 3))
    model = build_split_model(folder)
    given = inputs(model.frame, (16, 24))
    (expected,) = modules.run_program(model.frame, *given)
    for variant in VARIANTS:
        (painted,) = modules.run_program(model.variants[variant], *given)
        np.testing.assert_allclose(painted, expected, rtol=0, atol=1e-4)


def in_float64(program: Program) -> Program:
    """The same computation in double precision."""
    single, double = tf.float32.as_datatype_enum, tf.float64.as_datatype_enum
    graph = tf.compat.v1.GraphDef.FromString(program.graph)
    for attribute in (value for node in graph.node for value in node.attr.values()):
        if attribute.type == single:
            attribute.type = double
        if attribute.HasField("tensor") and attribute.tensor.dtype == single:
            numbers = tf.make_ndarray(attribute.tensor).astype(np.float64)
            attribute.tensor.CopyFrom(tf.make_tensor_proto(numbers))
    return replace(program, graph=graph.SerializeToString())


@pytest.mark.slow
@pytest.mark.parametrize("size", [(720, 1280), (1280, 720), (64, 1280), (960, 1276), (480, 852)])
def test_large_sizes(mobile: SplitModel, size: tuple[int, int]) -> None:
    """Against the original in float64: at such sizes TensorFlow's own float32 means are off."""
    given = inputs(mobile.frame, size)
    exactly = [each.astype(np.float64) for each in given]
    (expected,) = modules.run_program(in_float64(mobile.frame), *exactly)
    for variant in VARIANTS:
        fast = rewrite(mobile.frame, variant)
        if variant != "fused":  # FusedBatchNorm has no double precision
            (same,) = modules.run_program(in_float64(fast), *exactly)
            np.testing.assert_allclose(same, expected, rtol=0, atol=2e-6)  # constants' rounding
        (painted,) = modules.run_program(fast, *given)
        np.testing.assert_allclose(painted, expected, rtol=0, atol=1e-4)
