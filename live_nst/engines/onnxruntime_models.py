"""Programs as ONNX models, kept in the cache, so that TensorFlow is needed only once to write them.

At nearly all sizes a frame program's ONNX model differs in nothing but the shapes of its images.
It is therefore written at two trial sizes; if the results agree, one file serves all sizes.
"""

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from live_nst.errors import ModelError
from live_nst.files.atomic import write_bytes
from live_nst.files.cache import cache_root
from live_nst.models.onnx.emit import ImageType, OnnxPrecision, emit_frame, emit_program
from live_nst.models.program import SIZE_MULTIPLE, Program
from live_nst.types import Size

MAX_CACHED = 128
"""How many models the cache keeps."""
FORMAT = 1
"""Models in the cache with another number are not read."""

_TRIAL_SIZES = ((96, 64), (72, 100))
_DIGEST_BYTES = 32
_Shape = tuple[int, ...]


def program_model(program: Program, shapes: Sequence[_Shape]) -> bytes:
    """Return a program with inputs of fixed shapes as a serialized `onnx.ModelProto`.

    Raises:
        ModelError: The program cannot be written as ONNX.
    """
    fixed = replace(program, input_shapes=tuple(tuple(shape) for shape in shapes))
    return _cached(_key(fixed), lambda: _finished(emit_program(fixed)))


def frame_model(program: Program, size: Size, precision: OnnxPrecision, images: ImageType) -> bytes:
    """Return the frame program at one size as a serialized `onnx.ModelProto`.

    Args:
        program: The frame program, not a variant of it.
        size: (width, height) in pixels.
        precision: Precision of the convolutions.
        images: The type of the frame and of the result.

    Raises:
        ModelError: The program cannot be written as ONNX, or cannot run at that size.
    """

    def emit(at: Size) -> Any:
        return emit_frame(program, at, precision=precision, images=images)

    if all(side % SIZE_MULTIPLE == 0 for side in size):
        key = _key(program, precision, images, "any size")
        general = _cached(key, lambda: _for_any_size(emit))
        if general:
            return _at_size(general, size)
    return _cached(_key(program, precision, images, size), lambda: _finished(emit(size)))


def _for_any_size(emit: Callable[[Size], Any]) -> bytes:
    """Return a model that `_at_size` can give any size; empty if there is none."""
    try:
        one, other = map(emit, _TRIAL_SIZES)
    except ModelError:
        return b""
    for part in ("node", "initializer"):
        if list(getattr(one.graph, part)) != list(getattr(other.graph, part)):
            return b""
    serialized: bytes = one.SerializeToString()
    return serialized


def _at_size(serialized: bytes, size: Size) -> bytes:
    """Return a frame program's model with another size of its images."""
    import onnx

    model = onnx.ModelProto.FromString(serialized)
    for image in (model.graph.input[0], model.graph.output[0]):
        dimensions = image.type.tensor_type.shape.dim
        dimensions[1].dim_value, dimensions[2].dim_value = size[1], size[0]
    return _finished(model)


def _finished(model: Any) -> bytes:
    """Serialize a model, with the key by which CoreML's own cache tells models apart."""
    digest = hashlib.sha256(model.SerializeToString()).hexdigest()
    model.metadata_props.add(key="COREML_CACHE_KEY", value=digest[:60])
    serialized: bytes = model.SerializeToString()
    return serialized


def _key(program: Program, *rest: object) -> str:
    words = (FORMAT, program.inputs, program.outputs, program.input_shapes, *rest)
    return hashlib.sha256(repr(words).encode() + program.graph).hexdigest()[:_DIGEST_BYTES]


def _cached(key: str, make: Callable[[], bytes]) -> bytes:
    """Return what `make` returned the first time. A damaged file is made again."""
    path = cache_root() / "onnx" / key
    with contextlib.suppress(OSError):
        stored = path.read_bytes()
        if stored[:_DIGEST_BYTES] == hashlib.sha256(stored[_DIGEST_BYTES:]).digest():
            return stored[_DIGEST_BYTES:]
    made = make()
    with contextlib.suppress(OSError):  # without a cache, models are written at every start
        path.parent.mkdir(parents=True, exist_ok=True)
        files = sorted((each.stat().st_mtime, each) for each in path.parent.iterdir())
        for _, old in files[: -MAX_CACHED + 1 or None]:
            old.unlink(missing_ok=True)
        write_bytes(path, hashlib.sha256(made).digest() + made, sync=False)
    return made
