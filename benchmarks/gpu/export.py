"""Export the frame programs that XLA runs as StableHLO text with fixed shapes."""

import argparse
import json
import math
import re
from pathlib import Path
from typing import Any, get_args

import numpy as np

from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.models.loading import load_model
from live_nst.models.program import Program, SplitModel
from live_nst.runtime.tensorflow import import_tensorflow
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import center_crop, read_style_image
from live_nst.stylizer.compositing import compose
from live_nst.stylizer.look import Look
from live_nst.types import Precision, Size
from tools.draw_demo.scene import DemoScene

LARGE: list[Size] = [(1280, 720), (1920, 1080)]
SIZES: dict[str, list[Size]] = {"mobile": [(640, 360), *LARGE]}
"""Default sizes by model; other models use `LARGE`."""


def main(argv: list[str]) -> int:
    """Export one model at several sizes and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks gpu export")
    parser.add_argument("folder", type=Path, help="output folder")
    parser.add_argument("--model", default="mobile", help="mobile, hub or the folder of a module")
    parser.add_argument("--size", type=_parse_size, nargs="+", help="such as 1280x720")
    parser.add_argument(
        "--camera",
        type=_parse_size,
        help="size of the frames, which are resized on the device before and after the network "
        "[default: the size of the program]",
    )
    parser.add_argument("--precision", choices=get_args(Precision), default="float16")
    arguments = parser.parse_args(argv)
    loaded = load_model(arguments.model, "cpu", notify=print, progress=None)
    name = re.sub(r"\W+", "-", Path(loaded.name).name)
    for size in arguments.size or SIZES.get(arguments.model, LARGE):
        made = export(
            loaded.programs, name, size, arguments.precision, arguments.folder,
            camera=arguments.camera,
        )  # fmt: skip
        print(f"{made}: {made.stat().st_size / 1e6:.1f} MB", flush=True)
    return 0


def export(
    model: SplitModel,
    name: str,
    size: Size,
    precision: Precision,
    folder: Path,
    style: str = "wave",
    camera: Size | None = None,
) -> Path:
    """Write one frame program and the data for a run.

    With a `camera` size the program also composes, and only its last image, in the camera's size,
    is downloaded.

    Returns:
        The path of the program's text. Beside it are a `.json` with shapes, types and number of
        operations, and an `.npz` with inputs (`input_0`, ...) and TensorFlow's outputs on the CPU
        in float32 (`output_0`, ...).
    """
    tf = import_tensorflow()
    folder.mkdir(parents=True, exist_ok=True)
    composes, camera = camera is not None, camera or size
    engine = TensorFlowEngine(model, "cpu", precision=precision, xla=True, upscale=composes)
    body, specs = engine.frame_function(camera, size)
    style_image = center_crop(read_style_image(builtin_image_path(style)), engine.style_size)
    tensors = [each.numpy() for each in engine.expand(engine.encode(style_image))]
    inputs = [DemoScene(*camera).draw(1.0), *tensors]
    with tf.device("CPU:0"):
        function = tf.function(body, autograph=False, jit_compile=True, input_signature=specs)
        text = function.experimental_get_compiler_ir(*inputs)(stage="stablehlo")
    reference = TensorFlowEngine(model, "cpu").compile(camera, size)
    stylized = reference(inputs[0], [tf.constant(each) for each in tensors])
    outputs = [*stylized]
    if composes:
        outputs.append(compose(inputs[0], stylized, Look()))
    suffix = f"-of-{_size_text(camera)}" if composes else ""
    path = folder / f"{name}-{_size_text(size)}{suffix}-{precision}.mlir"
    path.write_text(text, "utf-8")
    facts = {
        "model": name,
        "size": size,
        "camera": camera,
        "precision": precision,
        "inputs": [_shape_and_type(each) for each in inputs],
        "outputs": [_shape_and_type(each) for each in outputs],
        "fetched": [len(outputs) - 1] if composes else [0, 1],
        "flops": convolution_flops(model.frame, size),
        "tensorflow": tf.__version__,
    }
    path.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    arrays = {f"input_{index}": each for index, each in enumerate(inputs)}
    arrays |= {f"output_{index}": each for index, each in enumerate(outputs)}
    np.savez_compressed(path.with_suffix(".npz"), **arrays)  # type: ignore[arg-type]
    return path


def convolution_flops(program: Program, size: Size) -> int:
    """Return the multiplications and additions in the convolutions of a frame program at `size`.

    Raises:
        ValueError: A shape is unknown before the program runs.
    """
    tf = import_tensorflow()
    graph_def = tf.compat.v1.GraphDef()
    graph_def.CopyFrom(program.graph_def)
    for node in graph_def.node:
        if node.name == program.inputs[0]:
            node.attr["shape"].shape.CopyFrom(tf.TensorShape([1, size[1], size[0], 3]).as_proto())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
    total = 0
    for op in graph.get_operations():
        if op.type == "Conv2D":
            kernel, outputs = op.inputs[1].shape, op.outputs[0].shape
            if not (kernel.is_fully_defined() and outputs.is_fully_defined()):
                raise ValueError(f"unknown shape of {op.name}")
            total += 2 * math.prod(kernel.as_list()[:3]) * math.prod(outputs.as_list())
        elif "Conv2D" in op.type or "DepthwiseConv" in op.type:
            raise ValueError(f"cannot count {op.type}")
    return total


def _shape_and_type(array: Any) -> dict[str, Any]:
    return {"shape": list(array.shape), "type": str(array.dtype)}


def _size_text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"


def _parse_size(text: str) -> Size:
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"invalid size {text!r}: use a size such as 1280x720")
    return int(found[1]), int(found[2])
