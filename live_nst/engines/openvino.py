"""The OpenVINO engine: the speed of the processor, without TensorFlow in the process."""

import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from queue import LifoQueue
from typing import Any

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray

from live_nst.engines.base import Bottleneck, FrameRunner, StylizedFrame
from live_nst.engines.downscale import downscale
from live_nst.engines.planar import give_planes, image_to_planar, planar_to_image, take_planes
from live_nst.errors import DeviceError, ModelError
from live_nst.files.cache import cache_root
from live_nst.models.program import Program, SplitModel
from live_nst.types import Image, Precision, Size

_HINTS: dict[Precision, str] = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_CAPABILITIES: dict[Precision, str] = {"float32": "FP32", "bfloat16": "BF16", "float16": "FP16"}
_KEPT_COMPILED = 32  # files, of 1 MB for the packaged model and 30 MB for Hub's
_TELEMETRY = "openvino_telemetry"


@cache
def openvino() -> Any:
    """The module `openvino`, imported at the first call (a quarter of a second).

    Raises:
        DeviceError: It is not installed, or does not load here.
    """
    # Without that package OpenVINO does not report to its maker that it was imported.
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]
    try:
        import openvino as module
    except (ImportError, OSError) as exc:
        raise DeviceError(
            f"OpenVINO cannot be used here: {exc}.",
            "install it with: pip install openvino, or use --engine tensorflow",
        ) from exc
    finally:
        if sys.modules[_TELEMETRY] is None:
            del sys.modules[_TELEMETRY]
    return module


@cache
def _core() -> Any:
    return openvino().Core()


@cache
def native_precisions() -> tuple[Precision, ...]:
    """What this processor computes in, by OpenVINO: "float32", perhaps "bfloat16", "float16".

    Raises:
        DeviceError: OpenVINO cannot be used here.
    """
    capabilities = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return tuple(name for name, word in _CAPABILITIES.items() if word in capabilities)


class OpenVINOEngine:
    """Runs a split model with OpenVINO on the CPU; see `live_nst.engines.base.Engine`.

    Style pictures are encoded in float32 whatever the precision, so that bottlenecks in the cache
    are those of every engine.

    Args:
        model: The model's three programs.
        precision: What frames are computed in.
        concurrency: How many frames may be computed at once. One alone gets all the cores; several
            share them, which takes longer for each and gives more of them per second.
    """

    def __init__(
        self, model: SplitModel, precision: Precision = "float32", concurrency: int = 1
    ) -> None:
        self.name = f"openvino {openvino().__version__.partition('-')[0]}"
        self.device = "cpu"
        self.precision = precision
        self.style_size = model.style_size
        self.bottleneck_size = model.bottleneck_size
        self._model = model
        self._concurrency = concurrency
        self._lock = threading.Lock()  # for the two below, which are made when first used
        self._encode: Any = None
        self._expand: Any = None
        # Frames of different cameras may run at one size: it is compiled once for them all.
        self._networks: weakref.WeakValueDictionary[Size, _FrameNetwork] = (
            weakref.WeakValueDictionary()
        )

    def encode(self, picture: Image) -> Bottleneck:
        """The bottleneck of a BGR uint8 picture of `style_size`, float32 `[n]`."""
        with self._lock:
            if self._encode is None:
                model = _read(self._model.encode)
                _take_levels(model, self.style_size[::-1])
                self._encode = _compile(model, "float32", 1).create_infer_request()
            colors = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
            outputs = self._encode.infer([colors[None]]).values()
            return np.concatenate([output.ravel() for output in outputs]).astype(np.float32)

    def expand(self, bottleneck: Bottleneck) -> tuple[NDArray[np.float32], ...]:
        """Gamma, beta and whatever else the frame program takes."""
        program = self._model.expand
        pieces = np.split(bottleneck, np.cumsum(self._model.bottleneck_parts)[:-1])
        shaped = [p.reshape(s) for p, s in zip(pieces, program.input_shapes, strict=True)]  # type: ignore[arg-type]
        with self._lock:
            if self._expand is None:
                self._expand = _compile(_read(program), "float32", 1).create_infer_request()
            outputs = self._expand.infer(shaped)
            return tuple(np.array(output) for output in outputs.values())

    def prefetch(self, image: Image) -> None:
        """Nothing: it would take the time of the processor that computes."""

    def compile(self, camera: Size, size: Size) -> FrameRunner:
        """The frame program at network size `size`, warmed up."""
        network = self._networks.get(size)
        if network is None:
            network = _FrameNetwork(
                self._model.frame_at(size, "transposed"), size, self.precision, self._concurrency
            )
            self._networks[size] = network
            self.precision = network.precision  # what OpenVINO really chose
            style = self.expand(np.zeros(self.bottleneck_size, np.float32))
            network(np.zeros((size[1], size[0], 3), np.uint8), style)

        def run(image: Image, style: tuple[NDArray[np.float32], ...]) -> StylizedFrame:
            small = downscale(image, size)
            return StylizedFrame(small, network(small, style))

        return run

    def close(self) -> None:
        """Nothing to free by hand: OpenVINO frees what is no longer referred to."""


class _FrameNetwork:
    """The frame program of one size: BGR levels in, BGR levels out.

    It may be called from as many threads at once as there are requests; others wait.
    """

    def __init__(self, program: Program, size: Size, precision: Precision, requests: int) -> None:
        width, height = size
        try:
            model = _read(program)
            _take_levels(model, (height, width))
            _give_levels(model, (height, width))
            (output,) = model.outputs
            if list(output.get_shape()) != [1, height, width, 3]:
                raise RuntimeError(f"it gives {output.get_shape()}")
            self._border = take_planes(model, openvino().opset13)
            self._gives_planes = give_planes(model)
            self._shape = list(model.outputs[0].get_shape())
            compiled = _compile(model, precision, requests)
        except RuntimeError as exc:
            reason = str(exc).strip().splitlines()[-1]
            raise ModelError(
                f"The model cannot run at {width}x{height}: {reason}", "choose another --size"
            ) from exc
        self.precision = _execution_precision(compiled)
        self._requests: LifoQueue[Any] = LifoQueue()
        for _ in range(requests):
            self._requests.put(compiled.create_infer_request())

    def __call__(self, image: Image, style: Sequence[NDArray[np.float32]]) -> Image:
        # Colors are swapped on the host: there it takes a tenth of the time.
        if self._border is None:
            levels = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)[None]
        else:
            levels = image_to_planar(image, self._border)
        stylized = np.empty(self._shape, np.uint8)
        tensor = openvino().Tensor
        with self._request() as request:
            # The arrays' own memory is read and written; nothing is copied.
            for index, array in enumerate((levels, *style)):
                request.set_input_tensor(index, tensor(array, shared_memory=True))
            request.set_output_tensor(0, tensor(stylized, shared_memory=True))
            request.infer()
        if self._gives_planes:
            return planar_to_image(stylized)
        picture: Image = stylized[0]
        cv2.cvtColor(picture, cv2.COLOR_RGB2BGR, dst=picture)
        return picture

    @contextmanager
    def _request(self) -> Iterator[Any]:
        request = self._requests.get()
        try:
            yield request
        finally:
            self._requests.put(request)


def _read(program: Program) -> Any:
    """The program as OpenVINO's model, inputs and outputs in the program's order."""
    with tempfile.TemporaryDirectory(prefix="live-nst-") as folder:
        path = Path(folder) / "program.pb"  # the reader takes files only
        path.write_bytes(program.graph)
        model = _core().read_model(path)
    _widen_weights(model)
    parameters = {node.get_friendly_name(): node for node in model.get_parameters()}
    results = {node.get_friendly_name(): node for node in model.get_results()}
    return openvino().Model(
        [results[name] for name in program.outputs],
        [parameters[f"{name}:0"] for name in program.inputs],
        "program",
    )


def _widen_weights(model: Any) -> None:
    """Make weights that are stored as int8 float32: else OpenVINO computes with int8."""
    for node in model.get_ops():
        if node.get_type_name() == "Convert":
            stored = node.input_value(0).get_node()
            if (
                stored.get_type_name() == "Constant"
                and stored.get_element_type() == openvino().Type.i8
            ):
                values = stored.get_data().astype(np.float32)
                node.output(0).replace(openvino().opset13.constant(values).output(0))


def _compile(model: Any, precision: Precision, streams: int) -> Any:
    """Compile for the CPU; `streams` programs at once share the cores."""
    config: dict[str, str | int] = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
        "NUM_STREAMS": min(streams, psutil.cpu_count(logical=False) or streams),
    }
    folder = _compiled_folder()
    if folder is not None:
        config["CACHE_DIR"] = str(folder)
    return _core().compile_model(model, "CPU", config)


def _compiled_folder() -> Path | None:
    """Where OpenVINO keeps what it compiled, which saves most of the time the next time.

    None where nothing can be written. What was compiled longest ago is removed.
    """
    folder = cache_root() / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = sorted((path.stat().st_mtime, path) for path in folder.iterdir())
        for _, path in kept[:-_KEPT_COMPILED]:
            path.unlink(missing_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _take_levels(model: Any, sides: tuple[int, int]) -> None:
    """Let the first input, RGB 0..1, be levels, uint8 0..255, of height and width `sides`."""
    op = openvino().opset13
    picture = model.get_parameters()[0]
    model.reshape({0: [1, *sides, 3]})  # a free size would cost half of the speed
    _fold(model)
    levels = op.parameter([1, *sides, 3], np.uint8)
    picture.output(0).replace(levels.output(0))
    model.replace_parameter(0, levels)
    last = levels.output(0)
    while len(users := list(last.get_target_inputs())) == 1 and _moves(users[0].get_node()):
        last = users[0].get_node().output(0)
    floats = op.multiply(op.convert(last.get_node(), "f32"), np.float32(1 / 255))
    for user in users:
        user.replace_source_output(floats.output(0))
    model.validate_nodes_and_infer_types()


def _give_levels(model: Any, sides: tuple[int, int]) -> None:
    """Let the output, RGB 0..1, be levels, uint8 0..255, cropped to `sides`."""
    op = openvino().opset13
    first = model.get_results()[0].input(0)
    if first.get_partial_shape() != openvino().PartialShape([1, *sides, 3]):
        corner, step, axes = np.array([0, 0]), np.array([1, 1]), np.array([1, 2])
        cropped = op.slice(first.get_source_output(), corner, np.array(sides), step, axes)
        first.replace_source_output(cropped.output(0))
    while _moves(node := first.get_source_output().get_node()):
        if len(node.output(0).get_target_inputs()) > 1:
            break
        first = node.input(0)
    levels = op.multiply(first.get_source_output(), np.float32(255))
    rounded = op.clamp(op.add(levels, np.float32(0.5)), 0.0, 255.0)
    first.replace_source_output(op.convert(rounded, "u8").output(0))
    model.validate_nodes_and_infer_types()


def _fold(model: Any) -> None:
    """Compute what depends on the sizes alone, such as where a slice begins."""
    from openvino.passes import ConstantFolding, Manager

    manager = Manager()
    manager.register_pass(ConstantFolding())
    manager.run_passes(model)
    model.validate_nodes_and_infer_types()


def _moves(node: Any) -> bool:
    """Whether a node but moves numbers about, which is done in a quarter of the time on uint8."""
    return node.get_type_name() in ("Transpose", "SpaceToDepth", "DepthToSpace", "Slice") or (
        node.get_type_name() == "Pad" and node.get_attributes()["pad_mode"].lower() == "reflect"
    )


def _execution_precision(compiled: Any) -> Precision:
    """What most of the multiplying is really done in: that of the first convolution."""
    for node in compiled.get_runtime_model().get_ops():
        info = node.get_rt_info()
        if info["layerType"].astype(str) == "Convolution":
            word = info["runtimePrecision"].astype(str)
            return next(name for name, hint in _HINTS.items() if hint == word)
    return "float32"
