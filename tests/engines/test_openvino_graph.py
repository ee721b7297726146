"""Changes to OpenVINO's graph: which models get planar images, and that results stay the same."""

from typing import Any

import numpy as np
import pytest

from live_nst.engines import openvino_frame
from live_nst.engines.openvino import OpenVINOEngine
from live_nst.engines.openvino_graph import (
    accept_planar_input,
    accept_uint8_input,
    read_program,
    return_planar_output,
    return_uint8_output,
)
from live_nst.models.loading import load_model
from live_nst.models.program import SplitModel
from live_nst.runtime.openvino import import_openvino


def packaged(name: str) -> SplitModel:
    return load_model(name, "cpu", notify=lambda line: None, progress=None).programs


def network(steps: Any, shape: tuple[int, ...] = (1, 8, 12, 3)) -> Any:
    op = import_openvino().opset13
    image = op.parameter(list(shape), np.uint8)
    return import_openvino().Model([op.result(steps(op, image))], [image], "network")


def beginning(op: Any, x: Any, mode: str = "reflect", right: int = 4, block: int = 2) -> Any:
    x = op.transpose(x, np.array([0, 3, 1, 2]))
    x = op.pad(x, np.array([0, 0, 4, 4]), np.array([0, 0, 4, right]), mode)
    return op.convert(op.space_to_depth(x, "blocks_first", block), "f32")


def test_accept_planar_input() -> None:
    model = network(beginning)
    assert accept_planar_input(model) == 4
    assert list(model.inputs[0].get_shape()) == [1, 12, 8, 10]


def test_accept_planar_input_without_border() -> None:
    def steps(op: Any, x: Any) -> Any:
        planes = op.transpose(x, np.array([0, 3, 1, 2]))
        return op.convert(op.space_to_depth(planes, "blocks_first", 2), "f32")

    model = network(steps)
    assert accept_planar_input(model) == 0
    assert list(model.inputs[0].get_shape()) == [1, 12, 4, 6]


def test_return_planar_output_of_a_crop() -> None:
    def steps(op: Any, x: Any, height: int = 8) -> Any:
        image = op.transpose(op.depth_to_space(x, "blocks_first", 2), np.array([0, 2, 3, 1]))
        none = np.zeros(4, np.int64)
        ends, ones = np.array([1, height, 12, 3]), np.ones(4, np.int64)
        return op.strided_slice(image, none, ends, ones, [0] * 4, [0] * 4)

    model = network(steps, (1, 12, 4, 6))
    assert return_planar_output(model)
    assert list(model.outputs[0].get_shape()) == [1, 12, 4, 6]
    model = network(lambda op, x: steps(op, x, 7), (1, 12, 4, 6))  # it crops
    assert not return_planar_output(model)


@pytest.mark.parametrize("change", [{"mode": "symmetric"}, {"right": 6}, {"block": 4}])
def test_accept_planar_input_of_other_beginning(change: dict[str, Any]) -> None:
    model = network(lambda op, x: beginning(op, x, **change))
    assert accept_planar_input(model) is None
    assert list(model.inputs[0].get_shape()) == [1, 8, 12, 3]


def test_return_planar_output_of_other_end() -> None:
    def depth_first(op: Any, x: Any) -> Any:
        pixels = op.depth_to_space(x, "depth_first", 2)
        return op.transpose(pixels, np.array([0, 2, 3, 1]))

    model = network(depth_first, (1, 12, 4, 6))
    assert not return_planar_output(model)
    assert list(model.outputs[0].get_shape()) == [1, 8, 12, 3]


@pytest.mark.parametrize(("name", "border"), [("mobile", 4), ("live", 0)])
def test_packaged_models_are_planar(name: str, border: int) -> None:
    model = read_program(packaged(name).frame_at((68, 64), "transposed"))
    accept_uint8_input(model, (64, 68))
    return_uint8_output(model, (64, 68))
    assert accept_planar_input(model) == border
    assert return_planar_output(model)


@pytest.mark.parametrize("name", ["mobile", "live"])
def test_planar_images_change_no_result(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    size = (68, 64)
    image = np.random.default_rng(4).integers(0, 256, (64, 68, 3), np.uint8)

    def stylized() -> Any:
        engine = OpenVINOEngine(packaged(name))
        style = engine.expand(np.ones(engine.bottleneck_size, np.float32))
        return engine.compile(size, size)(image, style).stylized

    planar = stylized()
    monkeypatch.setattr(openvino_frame, "accept_planar_input", lambda model: None)
    monkeypatch.setattr(openvino_frame, "return_planar_output", lambda model: False)
    np.testing.assert_array_equal(planar, stylized())
