from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_nst.bench.flops import (
    FLOPS_PER_PIXEL,
    frame_flops,
    matmul_flops,
    matmul_name,
    openvino_matmuls,
    peak_flops,
    tensorflow_matmuls,
)
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.graph_def import as_function
from live_nst.models.graph.split import split_model
from live_nst.models.handles import PACKAGED
from live_nst.models.loading import load_model
from live_nst.models.program import Program
from live_nst.runtime.tensorflow import import_tensorflow

SMALL = ((8, 16, 32), (16, 16, 16))


def test_peak_flops() -> None:
    times = {
        "float32 8x16x32": [1e-3, 2e-3, 100.0],
        "float32 16x16x16": [1e-3, 4e-3, 4e-3],
        "bfloat16 8x16x32": [1e-9],
        "something else": [1.0],
    }
    flops, shape = peak_flops("float32", times, SMALL)
    assert shape == (8, 16, 32)
    assert flops == pytest.approx(2 * 8 * 16 * 32 / 2e-3)


def test_matmul_flops() -> None:
    assert matmul_flops((10, 20, 30)) == 12_000


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_openvino_matmuls(precision: str) -> None:
    calls = openvino_matmuls(precision, SMALL, threads=1)
    assert list(calls) == [matmul_name(precision, shape) for shape in SMALL]
    (product,) = calls[f"{precision} 8x16x32"]().values()  # type: ignore[attr-defined]
    assert product.shape == (8, 32)
    assert 1.0 < np.mean(product) < 7.0  # sixteen products of two numbers from 0 to 1: 4


def test_tensorflow_matmuls() -> None:
    calls = tensorflow_matmuls("CPU:0", "float32", SMALL)
    assert 0.0 < calls["float32 8x16x32"]() < 16.0  # type: ignore[operator]


def count_flops(program: Program, side: int = 64) -> float:
    """Count the operations of the convolutions on the content, per pixel."""
    tf = import_tensorflow()
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


@pytest.mark.parametrize("name", PACKAGED)
def test_flops_per_pixel_of_packaged_models(name: str) -> None:
    found = load_model(name, "cpu", notify=lambda line: None, progress=None)
    assert count_flops(found.programs.frame) == FLOPS_PER_PIXEL[name]


def test_flops_per_pixel_of_hub(hub_folder: Path) -> None:
    assert count_flops(split_model(freeze_saved_model(hub_folder)).frame) == FLOPS_PER_PIXEL["hub"]


def test_frame_flops() -> None:
    assert frame_flops("mobile", (640, 360)) == pytest.approx(5.77e9, rel=1e-3)
    assert frame_flops("somebody/else", (640, 360)) is None
