from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.errors import SplitError
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.split import split_model
from live_nst.models.program import Program, SplitModel
from tests.conftest import PACKAGED
from tests.models import tiny_models as modules
from tests.models.tiny_models import CHANNELS, CODE, run_program, save, save_signature, whole

CONTENT_SIZES = [(24, 40), (33, 17)]  # height, width


def random_images(
    model: SplitModel, size: tuple[int, int] = (33, 50), seed: int = 0
) -> tuple[Any, Any]:
    """Return a content and a style image of noise."""
    random = np.random.default_rng(seed)
    width, height = model.style_size
    return random.random((1, *size, 3), np.float32), random.random(
        (1, height, width, 3), np.float32
    )


def composed(model: SplitModel, content: Any, style: Any) -> Any:
    """Run the three programs one after the other."""
    tensors = run_program(model.expand, *run_program(model.encode, style))
    (stylized,) = run_program(model.frame, content, *tensors)
    return stylized


def assert_parity(model: SplitModel, paint: modules.Paint, content: Any, style: Any) -> None:
    expected = whole(paint, content, style)
    assert expected.std() > 1e-3
    np.testing.assert_allclose(composed(model, content, style), expected, rtol=0, atol=1e-5)


def called(module: Any) -> modules.Paint:
    """Return a loaded module as a function that returns one image."""
    return lambda content, style: module(content, style)[0]


def operations(program: Program) -> list[str]:
    return [node.op for node in program.graph_def.node]


# The packaged model


@pytest.mark.parametrize("size", [(64, 96), (61, 130), (8, 8), (129, 47)])
def test_split_mobile(
    mobile_programs: SplitModel, mobile_module: Any, size: tuple[int, int]
) -> None:
    assert_parity(mobile_programs, called(mobile_module), *random_images(mobile_programs, size))


def test_bottleneck_of_mobile(mobile_programs: SplitModel) -> None:
    assert mobile_programs.bottleneck_size == 100
    assert mobile_programs.bottleneck_parts == (100,)
    assert mobile_programs.style_size == (256, 256)


def test_each_operation_runs_as_seldom_as_possible(
    mobile_programs: SplitModel,
) -> None:
    """The frame part holds nothing that follows from its style tensors alone."""
    model = mobile_programs
    # MobileNet v2 has 17 depthwise convolutions; 13 normalizations take a gamma and a beta each.
    assert operations(model.encode).count("DepthwiseConv2dNative") == 17
    assert "DepthwiseConv2dNative" not in operations(model.expand) + operations(model.frame)
    assert len(model.expand.outputs) == 26
    assert len(model.frame.inputs) == 27

    taken_from_style = set(model.frame.inputs[1:])
    alone = set(taken_from_style)
    free = {node.name for node in model.frame.graph_def.node if node.op == "Const"}
    for node in model.frame.graph_def.node:
        sources = {name.removeprefix("^").split(":")[0] for name in node.input}
        if sources and sources <= alone | free and sources & alone:
            alone.add(node.name)
    assert alone == taken_from_style


def test_split_mobile_with_other_names(mobile_module: Any, tmp_path: Path) -> None:
    model = split_model(freeze_saved_model(modules.save_again(PACKAGED, tmp_path / "again")))

    names = {node.name for node in model.frame.graph_def.node if node.op == "Conv2D"}
    assert all("elses" in name for name in names)
    assert model.bottleneck_size == 100
    assert_parity(model, called(mobile_module), *random_images(model, (36, 52)))


# TF Hub's module


def test_split_hub(hub_folder: Path) -> None:
    model = split_model(freeze_saved_model(hub_folder))

    assert model.bottleneck_size == 768
    assert model.style_size == (256, 256)
    module = tf.saved_model.load(str(hub_folder))
    assert_parity(model, called(module), *random_images(model, (40, 64)))


# Small modules

PAINTS = {
    "plain": (modules.plain, (CODE,)),
    "tf.split at the cut": (modules.split_at_the_cut, (CODE,)),
    "tf.unstack at the cut": (modules.unstack_at_the_cut, (CODE,)),
    "the style's shape at run time": (modules.by_shape_of_style, (CODE,)),
    "a whole number in the cut": (modules.chosen_by_style, (CODE,)),
    "a whole number alone": (modules.chosen_by_style_alone, (CODE,)),
    "wide after narrow": (modules.wide_after_narrow, (CODE,)),
    "an activation": (modules.activated, (CODE,)),
    "two paths": (modules.two_paths, (CHANNELS, CHANNELS)),
}


@pytest.mark.parametrize("name", PAINTS)
def test_split_small_models(name: str, tmp_path: Path) -> None:
    paint, parts = PAINTS[name]
    model = split_model(freeze_saved_model(save(paint, tmp_path / "module")))

    assert model.bottleneck_parts == parts
    assert model.bottleneck_size == sum(parts)
    for seed, size in enumerate(CONTENT_SIZES):
        assert_parity(model, paint, *random_images(model, size, seed))


@pytest.mark.parametrize("name", PAINTS)
def test_engine_computes_the_same(name: str, tmp_path: Path) -> None:
    """Also where the bottleneck has two parts, and where a style tensor is no float."""
    paint, _ = PAINTS[name]
    model = split_model(freeze_saved_model(save(paint, tmp_path / "module")))
    engine = TensorFlowEngine(model, "cpu")
    random = np.random.default_rng(3)
    image = random.integers(0, 256, (32, 48, 3), np.uint8)
    style = random.integers(0, 256, (256, 256, 3), np.uint8)

    bottleneck = engine.encode(style)
    painted = engine.compile((48, 32), (48, 32))(image, engine.expand(bottleneck)).stylized

    assert bottleneck.shape == (model.bottleneck_size,)
    assert bottleneck.dtype == np.float32
    rgb = [picture[None, ..., ::-1] / np.float32(255) for picture in (image, style)]
    expected = whole(paint, *rgb)[0, ..., ::-1] * 255
    assert np.abs(painted - expected).max() <= 1


def test_split_with_other_names(tmp_path: Path) -> None:
    folder = save(modules.plain, tmp_path / "first")
    model = split_model(freeze_saved_model(modules.save_again(folder, tmp_path / "again")))

    assert "elses" in "".join(node.name for node in model.frame.graph_def.node)
    assert model.bottleneck_size == CODE
    assert_parity(model, modules.plain, *random_images(model))


def test_split_with_conditions_and_loops(tmp_path: Path) -> None:
    folder = save(modules.branching, tmp_path / "module", style=(1, 256, 256, 3))
    model = split_model(freeze_saved_model(folder))

    assert model.bottleneck_size == CODE
    for size in ((33, 50), (12, 50)):  # the content's condition is true, and is not
        assert_parity(model, modules.branching, *random_images(model, size))

    engine = TensorFlowEngine(model, "cpu")
    style = engine.expand(np.ones(CODE, np.float32))
    painted = engine.compile((50, 33), (52, 32))(np.zeros((33, 50, 3), np.uint8), style)
    assert painted.stylized.shape == (32, 52, 3)


@pytest.mark.parametrize("style", [(1, 64, 64, 3), (None, 48, 96, 3)])
@pytest.mark.parametrize("paint", [modules.plain, modules.by_shape_of_style])
def test_fixed_style_size(paint: modules.Paint, style: Any, tmp_path: Path) -> None:
    model = split_model(freeze_saved_model(save(paint, tmp_path / "module", style=style)))

    assert model.style_size == (style[2], style[1])
    assert_parity(model, paint, *random_images(model))


@pytest.mark.parametrize("batch", [None, 1])
def test_batch_size(batch: int | None, tmp_path: Path) -> None:
    shape = (batch, None, None, 3)
    model = split_model(
        freeze_saved_model(save(modules.plain, tmp_path / "module", content=shape, style=shape))
    )

    assert model.encode.input_shapes == ((1, 256, 256, 3),)
    assert model.frame.input_shapes[0] == (1, None, None, 3)
    assert_parity(model, modules.plain, *random_images(model))


@pytest.mark.parametrize("names", [("z_content", "a_style"), ("a_content", "z_style")])
@pytest.mark.parametrize("style", [modules.FREE, (None, 64, 64, 3), (None, 160, 128, 3)])
def test_split_signature(names: tuple[str, str], style: Any, tmp_path: Path) -> None:
    folder = save_signature(modules.plain, tmp_path / "module", names, style=style)
    model = split_model(freeze_saved_model(folder))

    assert model.bottleneck_size == CODE
    assert_parity(model, modules.plain, *random_images(model))


@pytest.mark.parametrize("paint", [modules.plain, modules.two_paths, modules.activated])
def test_expand_is_affine(paint: modules.Paint, tmp_path: Path) -> None:
    """Gamma and beta are affine in the bottleneck, which thus lies behind every activation."""
    model = split_model(freeze_saved_model(save(paint, tmp_path / "module")))
    random = np.random.default_rng(4)
    codes = [
        [random.normal(0, 2, shape).astype(np.float32) for shape in model.expand.input_shapes]
        for _ in range(2)
    ]

    mixed = run_program(model.expand, *((a + b) / 2 for a, b in zip(*codes, strict=True)))

    expanded = [run_program(model.expand, *code) for code in codes]
    for tensor, first, second in zip(mixed, *expanded, strict=True):
        np.testing.assert_allclose(tensor, (first + second) / 2, atol=1e-5)


# What cannot be cut


@pytest.mark.parametrize(
    "paint",
    [
        modules.concatenated,
        modules.concatenated_scaled,
        modules.concatenated_resized,
        modules.concatenated_by_way_of_half,
    ],
)
def test_style_in_the_first_layer(paint: modules.Paint, tmp_path: Path) -> None:
    module = freeze_saved_model(save(paint, tmp_path / "module"))

    with pytest.raises(SplitError, match="from the first layer on") as caught:
        split_model(module)

    assert "--model mobile" in caught.value.hint
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("paint", [modules.ignores_style, modules.ignores_content])
def test_output_of_one_image(paint: modules.Paint, tmp_path: Path) -> None:
    module = freeze_saved_model(save(paint, tmp_path / "module"))

    with pytest.raises(SplitError, match="does not depend on both images"):
        split_model(module)
