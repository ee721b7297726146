"""The README that lies beside exported models: what they are, their tensors, their license."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from live_nst.models.handles import FINE, HUB, LIVE, MOBILE

MAGENTA_LICENSE = "Apache-2.0"

_MAGENTA = """\
Apache License, Version 2.0. Copyright The Magenta Authors, Google LLC. The weights are those of
google/magenta/arbitrary-image-stylization-v1-256/{variant} of TensorFlow Hub{changes}. Whoever
passes the files on keeps this note and the license.

Ghiasi, Lee, Kudlur, Dumoulin, Shlens: Exploring the structure of a real-time, arbitrary neural
artistic stylization network, 2017, https://arxiv.org/abs/1705.06830
"""
_CHANGES = {
    HUB: "",
    MOBILE: ", as floats, and rebuilt by live-nst as its NOTICE tells",
    FINE: ", as floats; live-nst trained the network of frames further, as its NOTICE tells",
    LIVE: ", as floats; live-nst trained a smaller network of frames from it, see its NOTICE",
}
_UNKNOWN_LICENSE = """\
live-nst does not know the license of this model. It is that of the model's author: ask before you
pass the files on, and write it here.
"""
_CARD = """\
# {name}, for frames of {width}x{height} pixels

A neural style transfer network as ONNX models (opset {opset}), written by live-nst {version}.
How to call them: https://onnxruntime.ai/docs, or docs/export.md of live-nst.

| file | what it does | when it runs |
|---|---|---|
| `frame.onnx` | stylizes a frame | for every frame |
| `encode.onnx` | reduces a style picture to a bottleneck | once per style |
| `expand.onnx` | turns a bottleneck into the style for `frame.onnx` | once per change of style |
| `styles.json` | bottlenecks and styles of {styles} | |

{tensors}

All images are RGB, rows first, colors last: float32 from 0 to 1, or uint8. Convolutions of
`frame.onnx` are computed in {precision}; everything else is float32. To mix styles, take the
weighted mean of their bottlenecks, and expand it.

## License and origin

{license}"""


def license_of(name: str) -> str:
    """Return the license of a model for its metadata; "" if it is not known."""
    return MAGENTA_LICENSE if name in _CHANGES else ""


def model_card(
    name: str,
    models: dict[str, Any],
    styles: Sequence[str],
    *,
    size: tuple[int, int],
    precision: str,
    version: str,
    opset: int,
) -> str:
    """Return the README of a folder.

    Args:
        name: Name of the model.
        models: The `onnx.ModelProto` of each file, by the name of the file.
        styles: Names of the styles in `styles.json`.
        size: (width, height) of the frames in pixels.
        precision: Precision of the convolutions.
        version: Version of live-nst.
        opset: Version of ONNX's operations.
    """
    shown = Path(name).name if Path(name).is_dir() else name
    return _CARD.format(
        name=shown,
        width=size[0],
        height=size[1],
        opset=opset,
        version=version,
        styles=", ".join(styles),
        tensors=_tensor_table(models),
        precision=precision,
        license=_license_text(name),
    )


def _tensor_table(models: dict[str, Any]) -> str:
    """Return a table of all inputs and outputs."""
    from onnx import TensorProto

    rows = ["| file | | tensor | type | shape |", "|---|---|---|---|---|"]
    for file, model in models.items():
        for kind, tensors in (("input", model.graph.input), ("output", model.graph.output)):
            for tensor in tensors:
                of = tensor.type.tensor_type
                word = TensorProto.DataType.Name(of.elem_type).lower()
                word = {"float": "float32"}.get(word, word)
                shape = [side.dim_value for side in of.shape.dim]
                rows.append(f"| `{file}` | {kind} | `{tensor.name}` | {word} | `{shape}` |")
    return "\n".join(rows)


def _license_text(name: str) -> str:
    if name not in _CHANGES:
        return _UNKNOWN_LICENSE
    return _MAGENTA.format(variant="2" if name == HUB else "int8", changes=_CHANGES[name])
