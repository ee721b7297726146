"""Frame programs in stages. That they compute the same is tested with the engine that runs them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from live_nst.errors import ModelError
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.split import split_model
from live_nst.models.graph.tile_stages import split_into_stages
from live_nst.models.program import CONTENT_IMAGE, SplitModel, StagedProgram
from tests.models import tiny_models as modules

Build = Callable[[modules.Paint], StagedProgram]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return lambda paint: split_into_stages(
        split_model(freeze_saved_model(modules.save(paint, tmp_path / "module"))).frame
    )


def test_stages_of_mobile(
    mobile_programs: SplitModel,
) -> None:
    model = split_into_stages(mobile_programs.frame)

    assert len(model.stages) == 14  # 13 normalizations
    assert model.multiple == 4
    assert [len(stage.measured) for stage in model.stages] == [1] * 13 + [0]
    assert model.stages[0].feature_maps == (CONTENT_IMAGE,)


def test_halo(mobile_programs: SplitModel) -> None:
    halos = [stage.halo for stage in split_into_stages(mobile_programs.frame).stages]
    # 9x9, then 3x3 at full size, at half and at a quarter: 4 + 1 + 2 + 4 pixels of the frame.
    assert halos[0] == 11
    assert set(halos[1:10]) == {4}  # 3x3 at a quarter of the size
    assert halos[10:] == [2, 1, 4, 0]  # 3x3 at half and full size, 9x9, nothing


def test_residual_blocks(mobile_programs: SplitModel) -> None:
    model = split_into_stages(mobile_programs.frame)
    carried = [
        name for stage in model.stages for name in stage.feature_maps if name != CONTENT_IMAGE
    ]
    # Every subject goes to the next stage; each of 5 blocks also adds what went into it.
    assert len(carried) == 13 + 5


def test_order_of_stages(mobile_programs: SplitModel) -> None:
    made = {CONTENT_IMAGE}
    for stage in split_into_stages(mobile_programs.frame).stages:
        assert made.issuperset(stage.feature_maps)
        made.update(stage.outputs)


def test_mean_and_variance_in_one_stage(build: Build) -> None:
    (first, last) = build(modules.plain).stages
    assert first.measured == first.outputs
    assert sorted(last.statistics) == [(first.outputs[0], False), (first.outputs[0], True)]


def in_blocks(content: Any, style: Any, size: int = 2) -> Any:
    blocks = tf.nn.space_to_depth(content, 2)
    narrow = modules.plain(blocks[..., :3], style)
    return tf.nn.depth_to_space(tf.concat([narrow, blocks[..., 3:]], axis=3), size)


def test_blocks_of_pixels(build: Build) -> None:
    plan = build(in_blocks)
    assert plan.multiple == 2
    assert [plan.scales[name] for name in plan.stages[0].outputs] == [2] * len(
        plan.stages[0].outputs
    )
    assert plan.stages[0].halo == 2  # 3x3 on blocks


def test_model_without_statistics(build: Build) -> None:
    def sharp(content: Any, style: Any) -> Any:
        code = tf.reduce_mean(modules.features(style), [1, 2], keepdims=True)
        return tf.sigmoid(content * code[..., :3])

    (stage,) = build(sharp).stages
    assert stage.feature_maps == (CONTENT_IMAGE,)
    assert stage.halo == 0


def with_maximum(content: Any, style: Any) -> Any:
    return modules.plain(content / tf.reduce_max(content, [1, 2], keepdims=True), style)


def with_own_statistics(content: Any, style: Any) -> Any:
    ones, none = tf.ones(3), tf.zeros(0)
    normal = tf.raw_ops.FusedBatchNormV3(
        x=content, scale=ones, offset=ones, mean=none, variance=none, is_training=True
    )
    return modules.plain(normal.y, style)


@pytest.mark.parametrize(
    ("paint", "reason"),
    [
        (with_maximum, "Max"),
        (with_own_statistics, "FusedBatchNormV3"),
        (modules.half_as_large, "resize"),
        (modules.chosen_by_style, "Roll"),
    ],
)
def test_unsupported_operations(build: Build, paint: modules.Paint, reason: str) -> None:
    with pytest.raises(ModelError, match=reason) as caught:
        build(paint)
    assert "--size" in caught.value.hint
