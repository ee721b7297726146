"""Rewritten frame programs against the originals, as OpenVINO and TensorFlow compute them."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import tensorflow as tf

from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.rewrite import rewrite
from live_nst.models.graph.space_to_depth import (
    blocks_to_blocks,
    blocks_to_pixels,
    upsampled_to_aligned_blocks,
    upsampled_to_blocks,
    upsampled_transposed,
)
from live_nst.models.graph.split import build_programs, pack_style_tensors, split_model
from live_nst.models.program import SIZE_MULTIPLE, FrameVariant, Program, SplitModel
from tests.models import tiny_models as modules

FORMS: tuple[FrameVariant, ...] = get_args(FrameVariant)
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


@pytest.fixture(scope="module", params=FORMS)
def rewritten(request: pytest.FixtureRequest, mobile: SplitModel) -> Program:
    return rewrite(mobile.frame, request.param)


# The kernels, against their definition in float64


def convolved(x: Any, kernel: Any, stride: int = 1) -> Any:
    """A convolution without padding, written out: `[height, width, channels]` in and out."""
    side = kernel.shape[0]
    height, width = ((n - side) // stride + 1 for n in x.shape[:2])
    result = np.zeros((height, width, kernel.shape[3]))
    for row in range(height):
        for column in range(width):
            y, c = row * stride, column * stride
            result[row, column] = np.tensordot(x[y : y + side, c : c + side], kernel, 3)
    return result


def to_blocks(x: Any) -> Any:
    height, width, channels = x.shape
    split_up = x.reshape(height // 2, 2, width // 2, 2, channels)
    return split_up.transpose(0, 2, 1, 3, 4).reshape(height // 2, width // 2, 4 * channels)


def reflected(x: Any, border: int) -> Any:
    return np.pad(x, ((border, border), (border, border), (0, 0)), "reflect")


def random_case(side: int, channels: tuple[int, int]) -> tuple[Any, Any]:
    random = np.random.default_rng(side)
    kernel = random.normal(size=(side, side, *channels)).astype(np.float32)
    return random.normal(size=(12, 14, channels[0])), kernel


@pytest.mark.parametrize("side", [3, 5, 7, 9, 11])
def test_a_kernel_on_blocks(side: int) -> None:
    x, kernel = random_case(side, (3, 2))

    blocks, reach = blocks_to_blocks(kernel)
    padded = to_blocks(reflected(x, 2 * reach))

    expected = to_blocks(convolved(reflected(x, side // 2), kernel))
    np.testing.assert_allclose(convolved(padded, blocks), expected, atol=1e-9)


def test_a_kernel_from_blocks_to_pixels() -> None:
    x, kernel = random_case(3, (3, 2))
    padded = np.pad(to_blocks(x), ((1, 0), (1, 0), (0, 0)), "edge")
    expected = convolved(reflected(x, 1), kernel, stride=2)
    np.testing.assert_allclose(convolved(padded, blocks_to_pixels(kernel)), expected, atol=1e-9)


def test_a_kernel_before_enlarging() -> None:
    x, kernel = random_case(3, (3, 2))
    enlarged = x.repeat(2, 0).repeat(2, 1)
    expected = convolved(reflected(enlarged, 1), kernel)
    edged = np.pad(x, ((1, 1), (1, 1), (0, 0)), "edge")

    blocks = convolved(edged, upsampled_to_blocks(kernel))
    height, width, _ = blocks.shape
    pixels = blocks.reshape(height, width, 2, 2, 2).transpose(0, 2, 1, 3, 4)
    cropped = pixels.reshape(2 * height, 2 * width, 2)[1:-1, 1:-1]
    np.testing.assert_allclose(cropped, expected, atol=1e-5)

    aligned = convolved(edged, upsampled_to_aligned_blocks(kernel))
    np.testing.assert_allclose(aligned, to_blocks(expected), atol=1e-5)

    transposed = upsampled_transposed(kernel)
    spread = np.zeros((2 * edged.shape[0] + 2, 2 * edged.shape[1] + 2, 2))
    for row in range(edged.shape[0]):
        for column in range(edged.shape[1]):
            spread[2 * row : 2 * row + 4, 2 * column : 2 * column + 4] += (
                transposed @ edged[row, column]
            )
    np.testing.assert_allclose(spread[3:-3, 3:-3], expected, atol=1e-5)


# The whole network


@pytest.mark.parametrize("size", SIZES)
def test_the_packaged_network_computes_the_same(
    rewritten: Program, mobile: SplitModel, size: tuple[int, int]
) -> None:
    given = inputs(mobile.frame, size)
    (expected,) = modules.run_program(mobile.frame, *given)
    (painted,) = modules.run_program(rewritten, *given)
    assert painted.shape == expected.shape == (1, *size, 3)
    assert expected.std() > 0.05
    np.testing.assert_allclose(painted, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", ODD_SIZES)
@pytest.mark.parametrize("form", FORMS)
def test_at_other_sizes_the_original_runs(
    mobile: SplitModel, form: FrameVariant, size: tuple[int, int]
) -> None:
    assert any(side % SIZE_MULTIPLE for side in size)
    fast = Program(b"", (), (), (), (), ())
    model = SplitModel(mobile.encode, mobile.expand, mobile.frame, {form: fast})
    assert model.frame_at(size[::-1], form) is mobile.frame
    assert model.frame_at((64, 96), form) is fast
    assert mobile.frame_at((64, 96), form) is mobile.frame


@pytest.mark.parametrize("form", FORMS)
def test_what_is_gone(mobile: SplitModel, form: FrameVariant) -> None:
    """Nothing runs at full resolution that need not, and nothing pads or crops by nothing."""
    before, after = kinds(mobile.frame), kinds(rewrite(mobile.frame, form))
    assert before.count("ResizeNearestNeighbor") == 2
    assert "ResizeNearestNeighbor" not in after
    assert "FloorMod" not in after
    # One pads by nothing; on a processor the last convolution's is done on blocks.
    assert after.count("MirrorPad") == before.count("MirrorPad") - (1 if form == "blocks" else 2)
    moves = {kind: after.count(kind) for kind in ("SpaceToDepth", "DepthToSpace", "Transpose")}
    assert (
        list(moves.values())
        == {
            "blocks": [2, 3, 0],  # both 9x9 convolutions, and both enlargings
            "transposed": [1, 1, 0],  # the frame itself, and what comes out
            "fused": [0, 0, 3],  # these two, and the first enlarging
        }[form]
    )
    assert after.count("Conv2D") + after.count("Conv2DBackpropInput") == before.count("Conv2D")


def test_every_normalization_is_one_operation(mobile: SplitModel) -> None:
    after = rewrite(mobile.frame, "fused").graph_def.node
    fused = [node for node in after if node.op == "FusedBatchNormV3"]
    assert [node.attr["is_training"].b for node in fused] == [True] * 12 + [False]
    # The last one has few channels and is given its statistics, taken of many pixels at once.
    assert [node.op for node in after].count("SquaredDifference") == 1
    assert "Rsqrt" not in [node.op for node in after]


def test_styles_are_one_tensor(mobile_programs: SplitModel, mobile: SplitModel) -> None:
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
def test_the_hub_graph(hub_folder: Path) -> None:
    model = pack_style_tensors(split_model(freeze_saved_model(hub_folder)))
    given = inputs(model.frame, (64, 68))
    (expected,) = modules.run_program(model.frame, *given)
    for form in FORMS:
        fast = rewrite(model.frame, form)
        assert "ResizeNearestNeighbor" not in kinds(fast)
        moved = kinds(fast).count("SpaceToDepth") + kinds(fast).count("Transpose")
        assert moved == {"blocks": 2, "transposed": 2, "fused": 5}[form]
        (painted,) = modules.run_program(fast, *given)
        np.testing.assert_allclose(painted, expected, rtol=0, atol=1e-4)


# Networks of other people


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
@pytest.mark.parametrize("form", FORMS)
def test_other_networks_compute_the_same(name: str, form: FrameVariant, tmp_path: Path) -> None:
    model = pack_style_tensors(
        split_model(freeze_saved_model(modules.save(OTHERS[name], tmp_path / "module")))
    )
    given = inputs(model.frame, (32, 44))
    (expected,) = modules.run_program(model.frame, *given)
    (painted,) = modules.run_program(rewrite(model.frame, form), *given)
    assert expected.std() > 1e-3
    np.testing.assert_allclose(painted, expected, rtol=0, atol=1e-4)


def test_conditions_and_loops_are_kept(tmp_path: Path) -> None:
    folder = modules.save(modules.branching, tmp_path / "module", style=(1, 256, 256, 3))
    model = build_programs(folder)
    given = inputs(model.frame, (16, 24))
    (expected,) = modules.run_program(model.frame, *given)
    for form in FORMS:
        (painted,) = modules.run_program(model.variants[form], *given)
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
def test_every_size_from_64_to_1280(mobile: SplitModel, size: tuple[int, int]) -> None:
    """Against the original in float64: at such sizes TensorFlow's own float32 means are off."""
    given = inputs(mobile.frame, size)
    exactly = [each.astype(np.float64) for each in given]
    (expected,) = modules.run_program(in_float64(mobile.frame), *exactly)
    for form in FORMS:
        fast = rewrite(mobile.frame, form)
        if form != "fused":  # FusedBatchNorm has no double precision
            (same,) = modules.run_program(in_float64(fast), *exactly)
            np.testing.assert_allclose(same, expected, rtol=0, atol=2e-6)  # constants' rounding
        (painted,) = modules.run_program(fast, *given)
        np.testing.assert_allclose(painted, expected, rtol=0, atol=1e-4)
