"""Read a program as OpenVINO's graph, and change its input and output to uint8 images.

A rewritten frame program begins by padding the frame and dividing it into blocks, and ends by
joining blocks (see `live_nst.models.graph.space_to_depth`). OpenVINO needs 1 ms for both at
640x360. OpenCV needs 0.4 ms, including the conversion between BGR and RGB. So these steps are cut
off, and the network's input and output become planar images (see `live_nst.engines.host_images`).
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from live_nst.models.program import Program
from live_nst.runtime.openvino import import_openvino, openvino_core

_TO_CHANNELS_FIRST, _TO_CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def read_program(program: Program) -> Any:
    """Return the program as an `openvino.Model`; inputs and outputs are in the program's order."""
    with tempfile.TemporaryDirectory(prefix="live-nst-") as folder:
        path = Path(folder) / "program.pb"  # OpenVINO reads GraphDefs from files only
        path.write_bytes(program.graph)
        model = openvino_core().read_model(path)
    _widen_weights(model)
    parameters = {node.get_friendly_name(): node for node in model.get_parameters()}
    results = {node.get_friendly_name(): node for node in model.get_results()}
    return import_openvino().Model(
        [results[name] for name in program.outputs],
        [parameters[f"{name}:0"] for name in program.inputs],
        "program",
    )


def accept_uint8_input(model: Any, sides: tuple[int, int]) -> None:
    """Change the first input from RGB 0..1 to RGB uint8, with height and width `sides`."""
    op = import_openvino().opset13
    image = model.get_parameters()[0]
    model.reshape({0: [1, *sides, 3]})  # a free size would halve the speed
    _fold_constants(model)
    uint8 = op.parameter([1, *sides, 3], np.uint8)
    image.output(0).replace(uint8.output(0))
    model.replace_parameter(0, uint8)
    last = uint8.output(0)
    while len(users := list(last.get_target_inputs())) == 1 and _only_moves(users[0].get_node()):
        last = users[0].get_node().output(0)
    floats = op.multiply(op.convert(last.get_node(), "f32"), np.float32(1 / 255))
    for user in users:
        user.replace_source_output(floats.output(0))
    model.validate_nodes_and_infer_types()


def return_uint8_output(model: Any, sides: tuple[int, int]) -> None:
    """Change the output from RGB 0..1 to RGB uint8, cropped to `sides`."""
    op = import_openvino().opset13
    end = model.get_results()[0].input(0)
    if end.get_partial_shape() != import_openvino().PartialShape([1, *sides, 3]):
        corner, step, axes = np.array([0, 0]), np.array([1, 1]), np.array([1, 2])
        cropped = op.slice(end.get_source_output(), corner, np.array(sides), step, axes)
        end.replace_source_output(cropped.output(0))
    while _only_moves(node := end.get_source_output().get_node()):
        if len(node.output(0).get_target_inputs()) > 1:
            break
        end = node.input(0)
    scaled = op.multiply(end.get_source_output(), np.float32(255))
    rounded = op.clamp(op.add(scaled, np.float32(0.5)), 0.0, 255.0)
    end.replace_source_output(op.convert(rounded, "u8").output(0))
    model.validate_nodes_and_infer_types()


def accept_planar_input(model: Any) -> int | None:
    """Change the first input from a uint8 image to a planar image, if the model begins that way.

    Returns:
        By how many pixels the image has to be padded; None if nothing was changed.
    """
    image = model.get_parameters()[0]
    chain = [image]
    while len(users := list(chain[-1].output(0).get_target_inputs())) == 1 and len(chain) < 4:
        chain.append(users[0].get_node())
    kinds = tuple(node.get_type_name() for node in chain[1:])
    border: int | None
    if kinds == ("Transpose", "Pad", "SpaceToDepth"):
        _, transpose, pad, blocks = chain
        border = _uniform_border(pad)
    elif kinds[:2] == ("Transpose", "SpaceToDepth"):
        _, transpose, blocks, *_ = chain
        border = 0
    else:
        return None
    if border is None or _constant(transpose, 1) != _TO_CHANNELS_FIRST or not _is_two(blocks):
        return None
    planes = import_openvino().opset13.parameter(list(blocks.output(0).get_shape()), np.uint8)
    blocks.output(0).replace(planes.output(0))
    model.replace_parameter(0, planes)
    model.validate_nodes_and_infer_types()
    return border


def return_planar_output(model: Any) -> bool:
    """Change the output from a uint8 image to a planar image, if the model ends that way.

    Returns:
        Whether it was changed.
    """
    end = model.get_results()[0].input(0)
    transpose = end.get_source_output().get_node()
    while _crops_nothing(transpose):
        transpose = transpose.input_value(0).get_node()
    if transpose.get_type_name() != "Transpose" or _constant(transpose, 1) != _TO_CHANNELS_LAST:
        return False
    blocks = transpose.input_value(0).get_node()
    if blocks.get_type_name() != "DepthToSpace" or not _is_two(blocks):
        return False
    end.replace_source_output(blocks.input_value(0))
    model.validate_nodes_and_infer_types()
    return True


def _widen_weights(model: Any) -> None:
    """Store int8 weights as float32: otherwise OpenVINO computes in int8."""
    ov = import_openvino()
    for node in model.get_ops():
        if node.get_type_name() == "Convert":
            stored = node.input_value(0).get_node()
            if stored.get_type_name() == "Constant" and stored.get_element_type() == ov.Type.i8:
                values = stored.get_data().astype(np.float32)
                node.output(0).replace(ov.opset13.constant(values).output(0))


def _fold_constants(model: Any) -> None:
    """Compute everything that depends on sizes alone, such as the start of a slice."""
    from openvino.passes import ConstantFolding, Manager

    manager = Manager()
    manager.register_pass(ConstantFolding())
    manager.run_passes(model)
    model.validate_nodes_and_infer_types()


def _only_moves(node: Any) -> bool:
    """Return whether a node moves numbers without changing them: four times faster on uint8."""
    kinds = ("Transpose", "SpaceToDepth", "DepthToSpace", "Slice", "StridedSlice")
    return node.get_type_name() in kinds or (
        node.get_type_name() == "Pad" and node.get_attributes()["pad_mode"].lower() == "reflect"
    )


def _crops_nothing(node: Any) -> bool:
    """Return whether a node is the crop of a model that pads, at a size that needs no padding."""
    if node.get_type_name() != "StridedSlice" or set(_constant(node, 3) or ()) != {1}:
        return False
    return bool(node.input(0).get_shape() == node.output(0).get_shape())


def _constant(node: Any, index: int) -> Any:
    """Return input number `index` as a list; None if it is no constant."""
    source = node.input_value(index).get_node()
    return source.get_data().tolist() if source.get_type_name() == "Constant" else None


def _is_two(node: Any) -> bool:
    """Return whether blocks are 2x2, stored pixel by pixel."""
    attributes = node.get_attributes()
    return bool(attributes["block_size"] == 2 and attributes["mode"].lower() == "blocks_first")


def _uniform_border(pad: Any) -> int | None:
    """Return by how much height and width of `[1, channels, height, width]` are padded.

    None if the four sides differ, or if it is not by reflection.
    """
    before, after = _constant(pad, 1), _constant(pad, 2)
    if pad.get_attributes()["pad_mode"].lower() != "reflect" or before is None or before != after:
        return None
    return int(before[2]) if before == [0, 0, before[2], before[2]] else None
