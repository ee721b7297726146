"""ONNX models against the TensorFlow programs they are written from, as ONNX Runtime and OpenVINO
compute them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import openvino
import pytest
import tensorflow as tf

from live_nst.errors import ModelError
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.graph_def import extract_program
from live_nst.models.graph.split import pack_style_tensors, split_model
from live_nst.models.loading import load_model
from live_nst.models.onnx.emit import OnnxPrecision, emit_frame, emit_program
from live_nst.models.program import Program, SplitModel
from tests.models import tiny_models as modules
from tests.models.graph.test_rewrite import OTHERS, inputs

SIZES = [(96, 64), (70, 50), (66, 49), (128, 72), (192, 108)]
"""Width and height."""
CONTRACT = ("split_at_the_cut", "two_paths", "chosen_by_style", "by_shape_of_style", "activated")
ODD = {name: getattr(modules, name) for name in (*CONTRACT, "wide_after_narrow")} | OTHERS


@pytest.fixture(scope="module")
def mobile(mobile_programs: SplitModel) -> SplitModel:
    return pack_style_tensors(mobile_programs)


def module(paint: modules.Paint, folder: Path) -> SplitModel:
    return pack_style_tensors(split_model(freeze_saved_model(modules.save(paint, folder / "m"))))


def by_onnxruntime(model: Any, given: list[Any]) -> list[Any]:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [each.name for each in session.get_inputs()]
    return list(session.run(None, dict(zip(names, given, strict=True))))


def by_openvino(model: Any, given: list[Any]) -> list[Any]:
    core = openvino.Core()
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(model.SerializeToString()), "CPU", hint)
    return list(compiled(given).values())


def expected(program: Program, given: list[Any], size: tuple[int, int]) -> Any:
    (result,) = modules.run_program(program, *given)
    assert result.std() > 1e-3
    return result[:, : size[1], : size[0]]


def check(
    program: Program, size: tuple[int, int], precision: OnnxPrecision = "float32", **frame: Any
) -> Any:
    """Compare a frame program at one size; return its model."""
    model = emit_frame(program, size, precision=precision)
    onnx.checker.check_model(model, full_check=True)
    given = inputs(program, size[::-1])
    if program.input_types[1] == "int32":
        given[1] = np.array(3, np.int32)
    reference = expected(program, given, size)
    for run in (by_onnxruntime, by_openvino):
        (painted,) = run(model, given)
        assert painted.shape == (1, *size[::-1], 3)
        assert painted.dtype == np.float32
        if precision == "float32":
            np.testing.assert_allclose(painted, reference, rtol=0, atol=1e-4)
        else:
            assert 0 < np.abs(painted - reference).mean() < 0.004
    return model


def kinds(model: Any) -> list[str]:
    return [node.op_type for node in model.graph.node]


# The packaged models


@pytest.fixture(scope="module")
def live() -> SplitModel:
    return load_model("live", "cpu", notify=lambda line: None, progress=None).programs


@pytest.mark.parametrize("size", SIZES)
def test_live_computes_the_same(live: SplitModel, size: tuple[int, int]) -> None:
    check(live.frame, size)


@pytest.mark.parametrize("size", SIZES[:2])
def test_live_in_float16(live: SplitModel, size: tuple[int, int]) -> None:
    check(live.frame, size, "float16")


@pytest.mark.parametrize("size", SIZES)
def test_mobile_computes_the_same(mobile: SplitModel, size: tuple[int, int]) -> None:
    check(mobile.frame, size)


@pytest.mark.parametrize("size", SIZES[:2])
def test_mobile_in_float16(mobile: SplitModel, size: tuple[int, int]) -> None:
    model = check(mobile.frame, size, "float16")
    types = {each.name: each.data_type for each in model.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert {types[node.input[1]] for node in convolutions} == {onnx.TensorProto.FLOAT16}
    norms = [node for node in model.graph.node if node.op_type == "InstanceNormalization"]
    assert {types[node.input[1]] for node in norms} == {onnx.TensorProto.FLOAT}


def test_operations_of_mobile(mobile: SplitModel) -> None:
    """Few kinds, which all of ONNX Runtime's providers have; nothing depends on a shape."""
    found = kinds(emit_frame(mobile.frame, (96, 64)))
    assert {kind: found.count(kind) for kind in set(found)} == {
        **{"Conv": 16, "Pad": 16, "InstanceNormalization": 13, "Mul": 13, "Add": 21, "Relu": 10},
        **{"Resize": 2, "Split": 1, "Reshape": 1, "Sigmoid": 1, "Transpose": 2},
    }


def test_a_size_changes_nothing_but_the_shapes_of_the_images(mobile: SplitModel) -> None:
    one, other = (emit_frame(mobile.frame, size).graph for size in ((96, 64), (128, 72)))
    assert list(one.node) == list(other.node)
    assert list(one.initializer) == list(other.initializer)


def test_fixed_style(mobile: SplitModel) -> None:
    image, style = inputs(mobile.frame, (64, 96))
    model = emit_frame(mobile.frame, (96, 64), style=[style])
    onnx.checker.check_model(model, full_check=True)
    assert [each.name for each in model.graph.input] == ["image"]
    assert not {"Split", "Mul", "Reshape"} & set(kinds(model))  # all in the normalizations
    reference = expected(mobile.frame, [image, style], (96, 64))
    for run in (by_onnxruntime, by_openvino):
        np.testing.assert_allclose(run(model, [image])[0], reference, rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", [(96, 64), (70, 50)])
def test_bytes_in_and_out(mobile: SplitModel, size: tuple[int, int]) -> None:
    image, style = inputs(mobile.frame, size[::-1])
    pixels = np.uint8(np.rint(image * 255))
    model = emit_frame(mobile.frame, size, images="uint8")
    onnx.checker.check_model(model, full_check=True)
    reference = expected(mobile.frame, [np.float32(pixels) / 255, style], size)
    for run in (by_onnxruntime, by_openvino):
        (painted,) = run(model, [pixels, style])
        assert painted.dtype == np.uint8
        assert np.abs(painted - reference * 255).max() < 0.51


def test_encode_and_expand(mobile: SplitModel) -> None:
    for program in (mobile.encode, mobile.expand):
        model = emit_program(program, ["into", "out"])
        onnx.checker.check_model(model, full_check=True)
        assert [model.graph.input[0].name, model.graph.output[0].name] == ["into", "out"]
        given = np.random.default_rng(1).random(program.input_shapes[0], np.float32)
        (reference,) = modules.run_program(program, given)
        for run in (by_onnxruntime, by_openvino):
            np.testing.assert_allclose(run(model, [given])[0], reference, rtol=0, atol=1e-4)


# Other networks


SOME = ("chosen_by_style", "strided, enlarged", "corners aligned", "a kernel that the style makes")


@pytest.mark.parametrize("name", SOME)
def test_odd_modules(name: str, tmp_path: Path) -> None:
    check(module(ODD[name], tmp_path).frame, (48, 32))


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
def test_all_odd_modules_at_all_sizes(name: str, tmp_path: Path) -> None:
    model = module(ODD[name], tmp_path)
    for size in SIZES:
        check(model.frame, size)
        check(model.frame, size, "float16")
    for program in (model.encode, model.expand):
        random = np.random.default_rng(1)
        given = [random.random(shape, np.float32) for shape in program.input_shapes]
        written = emit_program(program)
        onnx.checker.check_model(written, full_check=True)
        for run in (by_onnxruntime, by_openvino):
            for one, other in zip(
                run(written, given), modules.run_program(program, *given), strict=True
            ):
                np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)


@pytest.mark.slow
def test_hub_computes_the_same(hub_folder: Path) -> None:
    model = pack_style_tensors(split_model(freeze_saved_model(hub_folder)))
    for size in SIZES:
        check(model.frame, size)
    check(model.frame, SIZES[0], "float16")
    for program in (model.encode, model.expand):
        given = [np.random.default_rng(1).random(program.input_shapes[0], np.float32)]
        (reference,) = modules.run_program(program, *given)
        for run in (by_onnxruntime, by_openvino):
            (found,) = run(emit_program(program), given)
            np.testing.assert_allclose(found, reference, rtol=1e-4, atol=1e-4)


def program_of(body: Any, *shapes: tuple[int, ...]) -> Program:
    """A program of float32 inputs."""
    with tf.Graph().as_default() as graph:
        given = [tf.compat.v1.placeholder(tf.float32, shape) for shape in shapes]
        return extract_program(graph, given, [body(*given)])


IMAGE = (1, 12, 20, 6)
_WEIGHTS = np.random.default_rng(3).normal(0, 1, (3, 3, 6, 2)).astype(np.float32)
OPERATIONS = {
    "moments without norm": lambda x: x - tf.nn.moments(x, [1, 2], keepdims=True)[1],
    "mean of channels": lambda x: tf.reduce_mean(x, 3),
    "mean of all": lambda x: tf.reduce_sum(x, [0, 1, 2, 3], keepdims=True),
    "largest per column": lambda x: tf.reduce_max(x, 1),
    "depthwise": lambda x: tf.nn.depthwise_conv2d(x, _WEIGHTS, [1, 2, 2, 1], "SAME"),
    "dilated": lambda x: tf.nn.conv2d(x, _WEIGHTS, 1, "SAME", dilations=2),
    "explicit padding": lambda x: tf.nn.conv2d(x, _WEIGHTS, 2, [[0, 0], [1, 2], [0, 1], [0, 0]]),
    "grouped": lambda x: tf.nn.conv2d(x, _WEIGHTS[:, :, :3], 1, "VALID"),
    "pools": lambda x: tf.nn.max_pool2d(x, 3, 2, "SAME") + tf.nn.avg_pool2d(x, 3, 2, "SAME"),
    "bilinear": lambda x: tf.raw_ops.ResizeBilinear(images=x, size=[17, 33]),
    "bilinear, half pixels": lambda x: tf.image.resize(x, [24, 31]),
    "bilinear, aligned": lambda x: tf.raw_ops.ResizeBilinear(
        images=x, size=[23, 39], align_corners=True
    ),
    "nearest, half pixels": lambda x: tf.image.resize(x, [17, 33], "nearest"),
    "nearest, smaller": lambda x: tf.raw_ops.ResizeNearestNeighbor(images=x, size=[5, 9]),
    "slices": lambda x: x[:, 2:-1, ::-2, None, 1],
    "slice of channels": lambda x: tf.nn.relu(tf.nn.conv2d(x, _WEIGHTS, 1, "SAME"))[..., 1:],
    "column of features": lambda x: tf.nn.conv2d(x, _WEIGHTS, 1, "SAME")[0, :, 3],
    "from an edge": lambda x: tf.slice(x, [0, 3, 0, 2], [1, -1, 7, 2]),
    "roll channels": lambda x: tf.roll(tf.nn.conv2d(x, _WEIGHTS, 1, "SAME"), -1, 3),
    "joins": lambda x: tf.concat([x, tf.nn.conv2d(x, _WEIGHTS, 1, "SAME")], 3),
    "stacks": lambda x: tf.stack(tf.unstack(x, axis=3)[::-1], axis=1),
    "splits": lambda x: tf.split(tf.nn.relu(x), 3, 3)[1],
    "tile": lambda x: tf.tile(x, [1, 2, 1, 3]),
    "transpose": lambda x: tf.transpose(x, [0, 2, 1, 3]),
    "gather": lambda x: tf.gather(x, [3, 1, 1], axis=2),
    "edge": lambda x: tf.pad(x, [[0, 0], [1, 1], [0, 1], [0, 0]], "SYMMETRIC"),
    "constant border": lambda x: tf.pad(x, [[0, 0], [1, 0], [2, 3], [0, 0]], constant_values=0.5),
    "vector": lambda x: tf.nn.bias_add(tf.nn.conv2d(x, _WEIGHTS, 1, "SAME"), [1.0, 2.0]),
    "column vector": lambda x: tf.nn.conv2d(x, _WEIGHTS, 1, "SAME") * x[0, 0, :, :1],
    "activations": lambda x: tf.nn.leaky_relu(tf.nn.elu(x)) + tf.nn.relu6(9 * x) + tf.nn.selu(x),
    "roots": lambda x: tf.math.rsqrt(tf.square(x) + 1.0) + tf.clip_by_value(x, -0.5, 0.25),
    "choice": lambda x: tf.where(x > 0.2, x, -x) + tf.add_n([x, 2 * x, x]),
    "remainder": lambda x: tf.cast(tf.cast(x * 9, tf.int32) % 4, tf.float32),
    "blocks": lambda x: tf.nn.depth_to_space(tf.nn.space_to_depth(x, 2)[..., :8], 2),
    "trained norm": lambda x: tf.compat.v1.nn.fused_batch_norm(x, tf.range(6.0), tf.ones(6))[0],
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation(name: str) -> None:
    program = program_of(OPERATIONS[name], IMAGE)
    given = [np.random.default_rng(5).normal(0, 1, IMAGE).astype(np.float32)]
    model = emit_program(program)
    onnx.checker.check_model(model, full_check=True)
    (reference,) = modules.run_program(program, *given)
    for run in (by_onnxruntime, by_openvino):
        (found,) = run(model, given)
        assert found.shape == reference.shape
        np.testing.assert_allclose(found, reference, rtol=1e-5, atol=1e-5)


# What cannot be written


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (lambda x: tf.math.cumsum(x, 1), "Cumsum"),
        (lambda x: tf.while_loop(lambda y: tf.reduce_sum(y) < 9, lambda y: y + 1, [x])[0], "While"),
        (lambda x: tf.pad(x, [[0, 0], [2, 2], [0, 0], [0, 0]], "SYMMETRIC"), "more than the edge"),
        (lambda x: x[:, : tf.cast(tf.reduce_max(x), tf.int32)], "not fixed|changes"),
    ],
)
def test_operations_that_cannot_be_written(body: Any, reason: str) -> None:
    with pytest.raises(ModelError, match=reason) as caught:
        emit_program(program_of(body, IMAGE))
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_output_smaller_than_the_frame(tmp_path: Path) -> None:
    model = module(modules.half_as_large, tmp_path)
    with pytest.raises(ModelError, match="cannot run at 48x32") as caught:
        emit_frame(model.frame, (48, 32))
    assert "--size" in caught.value.hint


def test_program_that_gives_its_input_back() -> None:
    program = program_of(lambda x: tf.identity(x), IMAGE)
    given = np.ones(IMAGE, np.float32)
    np.testing.assert_array_equal(by_onnxruntime(emit_program(program), [given])[0], given)


def test_one_tensor_as_two_outputs_and_inside() -> None:
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, IMAGE)
        y = tf.nn.relu(x)
        program = extract_program(graph, [x], [y, y, tf.nn.elu(y) + 1.0])
    given = [np.random.default_rng(1).normal(0, 1, IMAGE).astype(np.float32)]
    model = emit_program(program, ["in", "a", "b", "c"])
    onnx.checker.check_model(model, full_check=True)
    assert [each.name for each in model.graph.output] == ["a", "b", "c"]
    for found, expected in zip(
        by_onnxruntime(model, given), modules.run_program(program, *given), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_sizes_must_be_fixed(mobile: SplitModel) -> None:
    with pytest.raises(ModelError, match="not fixed"):
        emit_program(mobile.frame)
