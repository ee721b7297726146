"""Planes of color, against NumPy; which networks take and give them; pictures stay the same."""

from typing import Any

import numpy as np
import pytest

from live_nst.engines import openvino as engine
from live_nst.engines.openvino import OpenVINOEngine, openvino
from live_nst.engines.planar import give_planes, image_to_planar, planar_to_image, take_planes
from live_nst.models.loading import load_model
from live_nst.models.program import SplitModel


def picture(height: int, width: int) -> Any:
    return np.random.default_rng(4).integers(0, 256, (height, width, 3), np.uint8)


def planes_of(image: Any, border: int) -> Any:
    """Written out: every plane is every second pixel of one color."""
    padded = np.pad(image[..., ::-1], ((border, border), (border, border), (0, 0)), "reflect")
    return np.stack([padded[y::2, x::2, c] for y in (0, 1) for x in (0, 1) for c in range(3)])[None]


@pytest.mark.parametrize("border", [0, 2, 4])
def test_planes_of_a_picture(border: int) -> None:
    image = picture(12, 20)
    np.testing.assert_array_equal(image_to_planar(image, border), planes_of(image, border))


def test_a_picture_of_planes() -> None:
    image = picture(12, 20)
    np.testing.assert_array_equal(planar_to_image(planes_of(image, 0)), image)


def network(steps: Any, shape: tuple[int, ...] = (1, 8, 12, 3)) -> Any:
    op = openvino().opset13
    given = op.parameter(list(shape), np.uint8)
    return openvino().Model([op.result(steps(op, given))], [given], "network")


def beginning(op: Any, x: Any, mode: str = "reflect", right: int = 4, block: int = 2) -> Any:
    x = op.transpose(x, np.array([0, 3, 1, 2]))
    x = op.pad(x, np.array([0, 0, 4, 4]), np.array([0, 0, 4, right]), mode)
    return op.convert(op.space_to_depth(x, "blocks_first", block), "f32")


def test_a_network_that_makes_blocks_takes_planes() -> None:
    model = network(beginning)
    assert take_planes(model, openvino().opset13) == 4
    assert list(model.inputs[0].get_shape()) == [1, 12, 8, 10]


@pytest.mark.parametrize("change", [{"mode": "symmetric"}, {"right": 6}, {"block": 4}])
def test_one_that_begins_otherwise_does_not(change: dict[str, Any]) -> None:
    model = network(lambda op, x: beginning(op, x, **change))
    assert take_planes(model, openvino().opset13) is None
    assert list(model.inputs[0].get_shape()) == [1, 8, 12, 3]


def test_one_that_ends_otherwise_gives_none() -> None:
    def depth_first(op: Any, x: Any) -> Any:
        pixels = op.depth_to_space(x, "depth_first", 2)
        return op.transpose(pixels, np.array([0, 2, 3, 1]))

    model = network(depth_first, (1, 12, 4, 6))
    assert not give_planes(model)
    assert list(model.outputs[0].get_shape()) == [1, 8, 12, 3]


def test_the_packaged_model_takes_and_gives_them_and_paints_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    programs: SplitModel = load_model(
        "mobile", "cpu", notify=lambda s: None, progress=None
    ).programs
    size, image = (68, 64), picture(64, 68)

    def painted() -> tuple[Any, Any]:
        own = OpenVINOEngine(programs)
        style = own.expand(np.ones(own.bottleneck_size, np.float32))
        run = own.compile(size, size)
        return own._networks[size], run(image, style).stylized

    planar, with_planes = painted()
    assert planar._border == 4
    assert planar._gives_planes
    monkeypatch.setattr(engine, "take_planes", lambda model, op: None)
    monkeypatch.setattr(engine, "give_planes", lambda model: False)
    plain, without = painted()
    assert plain._border is None
    np.testing.assert_array_equal(with_planes, without)
