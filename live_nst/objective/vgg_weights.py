"""VGG's ImageNet weights: Keras' own files, downloaded once and verified, or a copy of them."""

import contextlib
import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import DownloadError, ModelError
from live_nst.files.cache import CACHE_VARIABLE, cache_root
from live_nst.objective.vgg import ConvWeights, Vgg, layer_shapes
from live_nst.runtime.tensorflow import import_tensorflow, quiet_stderr
from live_nst.types import Notify

if TYPE_CHECKING:
    import h5py

_HOST = "storage.googleapis.com"
WEIGHTS_URL = f"https://{_HOST}/tensorflow/keras-applications"
WEIGHTS_MD5 = {
    "vgg16": "6d6bbae143d832006294945121d1f1fc",
    "vgg19": "253f8cb515780f3b799900260a226db6",
}

_FILE = "{name}_weights_tf_dim_ordering_tf_kernels_notop.h5"
_MEGABYTES = {"vgg16": 59, "vgg19": 80}
_DOWNLOAD_TIMEOUT = 30.0  # seconds without data


def load_vgg(name: str, file: Path | None = None, *, notify: Notify = lambda sentence: None) -> Vgg:
    """Return a network with the weights that it learned on ImageNet.

    Args:
        name: "vgg16" or "vgg19".
        file: A copy of Keras' file of weights, with or without the dense layers; None for the one
            in the cache, which is downloaded if needed.
        notify: Called before a download.

    Raises:
        DownloadError: The weights cannot be downloaded.
        ModelError: The file is missing, or does not hold this network's weights.
    """
    return read_vgg_weights(name, file or fetch_vgg_weights(name, notify))


def fetch_vgg_weights(name: str, notify: Notify) -> Path:
    """Return the file of weights in the cache; it is downloaded if it is missing or incomplete.

    Raises:
        DownloadError: It cannot be downloaded.
        ModelError: The cache cannot be written.
    """
    import_tensorflow()
    with quiet_stderr():
        import keras
    folder = _create_cache_folder()
    file = _FILE.format(name=name)
    if not (folder / file).is_file():
        notify(
            f"Downloading the weights of {name} ({_MEGABYTES[name]} MB) from {_HOST} to {folder}"
        )
    try:
        with _socket_timeout(_DOWNLOAD_TIMEOUT), contextlib.redirect_stdout(io.StringIO()):
            found = keras.utils.get_file(
                file,
                f"{WEIGHTS_URL}/{name}/{file}",
                cache_dir=str(folder.parent),
                cache_subdir=folder.name,
                file_hash=WEIGHTS_MD5[name],
            )
    except Exception as exc:  # Keras raises a plain Exception for what urllib raises
        raise DownloadError(
            f"Cannot download the weights of {name} from {_HOST}: {_root_cause(exc)}",
            f"try again online, or give a copy of {file} with --vgg FILE",
        ) from exc
    return Path(found)


def read_vgg_weights(name: str, file: Path) -> Vgg:
    """Read the convolutions of a network from an HDF5 file of Keras.

    Raises:
        ModelError: The file is missing, or does not hold this network's weights.
    """
    import h5py

    hint = f"use Keras' file {_FILE.format(name=name)}, or leave out --vgg to download it"
    if not file.is_file():
        raise ModelError(f"There is no file {file} of weights", hint)
    try:
        with h5py.File(file, "r") as content:
            arrays = _arrays_by_layer(content)
    except (OSError, RuntimeError, KeyError) as exc:
        raise ModelError(f"{file} is not an HDF5 file of weights, or is damaged", hint) from exc
    shapes = layer_shapes(name)
    extra = sorted(layer for layer in arrays if layer not in shapes)
    if extra:
        raise ModelError(f"{file} holds another network than {name}: it has {extra[0]}", hint)
    layers = {}
    for layer, (channels_in, channels) in shapes.items():
        found = arrays.get(layer, {})
        for rank, shape in {4: (3, 3, channels_in, channels), 1: (channels,)}.items():
            if rank not in found:
                raise ModelError(f"{file} has no weights for {layer} of {name}", hint)
            if found[rank].shape != shape:
                raise ModelError(
                    f"{file} holds another network than {name}: {layer} has the shape "
                    f"{list(found[rank].shape)} instead of {list(shape)}",
                    hint,
                )
            if not np.isfinite(found[rank]).all():
                raise ModelError(
                    f"{file} is damaged: the weights of {layer} are not all finite", hint
                )
        layers[layer] = ConvWeights(found[4].astype(np.float32), found[1].astype(np.float32))
    return Vgg(name, layers)


def _arrays_by_layer(content: "h5py.File") -> dict[str, dict[int, NDArray[Any]]]:
    """Return the arrays of every convolution by their rank."""
    import h5py

    arrays: dict[str, dict[int, NDArray[Any]]] = {}

    def visit(path: str, item: Any) -> None:
        layer = next((part for part in path.split("/") if part.startswith("block")), None)
        if layer is not None and isinstance(item, h5py.Dataset):
            arrays.setdefault(layer, {})[item.ndim] = np.asarray(item)

    content.visititems(visit)
    return arrays


def _create_cache_folder() -> Path:
    """Return the folder, which can be written: otherwise Keras would silently use another one."""
    folder = cache_root() / "vgg"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK) else "it is read-only"
    except OSError as exc:
        reason = exc.strerror or str(exc)
    if reason:
        raise ModelError(
            f"The cache folder {folder} is not writable: {reason}",
            f"set {CACHE_VARIABLE} to another folder, or give the weights with --vgg FILE",
        )
    return folder


@contextlib.contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Limit how long a connection waits for data; Keras sets no limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _root_cause(error: BaseException) -> str:
    while error.__context__ is not None:
        error = error.__context__
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).strip().splitlines()[0].rstrip(".")
