"""How much arithmetic a frame is: counted in the graphs that are there."""

from pathlib import Path
from typing import Any

import pytest

from live_nst.bench.flops import FLOPS_PER_PIXEL, frame_flops
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.graph_def import as_function
from live_nst.models.graph.split import split_model
from live_nst.runtime.tensorflow import import_tensorflow
from tests.conftest import PACKAGED


def counted(folder: Path, side: int = 64) -> float:
    """Of the convolutions on the content, per pixel."""
    tf, program = import_tensorflow(), split_model(freeze_saved_model(folder)).frame
    with tf.Graph().as_default() as graph:
        inputs: list[Any] = [tf.compat.v1.placeholder(tf.float32, [1, side, side, 3])]
        for shape, kind in zip(program.input_shapes[1:], program.input_types[1:], strict=True):
            inputs.append(tf.compat.v1.placeholder(kind, shape))
        as_function(program)(*inputs)
    flops = 0
    for operation in graph.get_operations():
        assert operation.type not in ("MatMul", "Conv2DBackpropInput", "DepthwiseConv2dNative")
        if operation.type == "Conv2D":
            height, width, channels, _ = operation.inputs[1].shape.as_list()
            flops += 2 * height * width * channels * operation.outputs[0].shape.num_elements()
    return flops / side**2


def test_the_mobile_network() -> None:
    assert counted(PACKAGED) == FLOPS_PER_PIXEL["mobile"]


def test_the_hub_network(hub_folder: Path) -> None:
    assert counted(hub_folder) == FLOPS_PER_PIXEL["hub"]


def test_a_frame() -> None:
    assert frame_flops("mobile", (640, 360)) == pytest.approx(5.77e9, rel=1e-3)
    assert frame_flops("somebody/else", (640, 360)) is None
