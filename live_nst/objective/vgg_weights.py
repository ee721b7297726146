"""VGG's ImageNet weights: Keras' own files, fetched once and checked, or a copy of them."""

import contextlib
import io
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from live_nst.errors import DownloadError, ModelError
from live_nst.files.cache import CACHE_VARIABLE, cache_root
from live_nst.objective.vgg import ConvWeights, Vgg, layer_shapes
from live_nst.runtime.tensorflow import import_tensorflow, quiet_stderr

if TYPE_CHECKING:
    import h5py

_ADDRESS = "https://storage.googleapis.com/tensorflow/keras-applications"
_FILE = "{name}_weights_tf_dim_ordering_tf_kernels_notop.h5"
_MD5 = {"vgg16": "6d6bbae143d832006294945121d1f1fc", "vgg19": "253f8cb515780f3b799900260a226db6"}
_MEGABYTES = {"vgg16": 59, "vgg19": 80}
_STALL = 30.0  # seconds without data until a download is given up


def load_vgg(
    name: str, file: Path | None = None, *, notify: Callable[[str], None] = lambda sentence: None
) -> Vgg:
    """A network with the weights it learned on ImageNet.

    Args:
        name: "vgg16" or "vgg19".
        file: A copy of Keras' file of weights, with or without the dense layers on top; None to
            take the one in the cache, which Keras' downloader fills and checks.
        notify: Told what is fetched.

    Raises:
        DownloadError: The weights cannot be fetched.
        ModelError: The file is missing, or is not one with this network's weights.
    """
    return read_vgg_weights(name, file or fetch_vgg_weights(name, notify))


def fetch_vgg_weights(name: str, notify: Callable[[str], None]) -> Path:
    """The file of weights in the cache, fetched if it is not there, or not whole.

    Raises:
        DownloadError: It cannot be fetched.
        ModelError: The cache cannot be written.
    """
    import_tensorflow()
    with quiet_stderr():
        import keras
    folder = _writable(cache_root() / "vgg")
    file = _FILE.format(name=name)
    if not (folder / file).is_file():
        notify(
            f"Fetching {name}'s weights ({_MEGABYTES[name]} MB) from {_host()}; "
            f"they are kept in {folder}."
        )
    try:
        with _timeout(_STALL), contextlib.redirect_stdout(io.StringIO()):
            found = keras.utils.get_file(
                file,
                f"{_ADDRESS}/{name}/{file}",
                cache_dir=str(folder.parent),
                cache_subdir=folder.name,
                file_hash=_MD5[name],
            )
    except Exception as exc:  # Keras raises no less: a bare Exception for what urllib says
        raise DownloadError(
            f"{name}'s weights cannot be fetched from {_host()}: {_reason(exc)}.",
            f"try again online, or give a copy of {file} with --vgg FILE",
        ) from exc
    return Path(found)


def read_vgg_weights(name: str, file: Path) -> Vgg:
    """Read the convolutions of a network from an HDF5 file as Keras writes it.

    Raises:
        ModelError: The file is missing, or is not one with this network's weights.
    """
    import h5py

    hint = f"give Keras' file {_FILE.format(name=name)}, or leave --vgg out to fetch it"
    if not file.is_file():
        raise ModelError(f"There is no file of weights {file}.", hint)
    try:
        with h5py.File(file, "r") as content:
            arrays = _arrays(content)
    except (OSError, RuntimeError, KeyError) as exc:
        raise ModelError(f"{file} is no HDF5 file of weights, or is damaged.", hint) from exc
    layers = {}
    for layer, (before, after) in layer_shapes(name).items():
        shapes = {4: (3, 3, before, after), 1: (after,)}
        found = arrays.get(layer, {})
        for rank, shape in shapes.items():
            if rank not in found:
                raise ModelError(f"{file} holds no weights of {name}'s layer {layer}.", hint)
            if found[rank].shape != shape:
                raise ModelError(
                    f"{file} is not {name}'s: {layer} has the shape "
                    f"{list(found[rank].shape)} instead of {list(shape)}.",
                    hint,
                )
            if not np.isfinite(found[rank]).all():
                raise ModelError(
                    f"The weights of {layer} in {file} are damaged: some are not finite.", hint
                )
        layers[layer] = ConvWeights(found[4].astype(np.float32), found[1].astype(np.float32))
    extra = sorted(set(arrays) - set(layers))
    if any(layer.startswith("block") for layer in extra):
        raise ModelError(f"{file} is not {name}'s: it has a layer {extra[0]}.", hint)
    return Vgg(name, layers)


def _arrays(content: "h5py.File") -> dict[str, dict[int, NDArray[Any]]]:
    """The arrays of every layer by their rank; a layer is the last group with a name of VGG's."""
    import h5py

    arrays: dict[str, dict[int, NDArray[Any]]] = {}

    def visit(path: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            layer = next((part for part in path.split("/") if part.startswith("block")), "")
            arrays.setdefault(layer, {})[item.ndim] = np.asarray(item)

    content.visititems(visit)
    arrays.pop("", None)
    return arrays


def _host() -> str:
    return _ADDRESS.split("/")[2]


def _writable(folder: Path) -> Path:
    """Make a folder. Keras would silently use another place if it could not write there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise _unwritable(folder, exc.strerror or str(exc)) from exc
    if not os.access(folder, os.W_OK):
        raise _unwritable(folder, "it is read-only")
    return folder


def _unwritable(folder: Path, reason: str) -> ModelError:
    return ModelError(
        f"The cache {folder} cannot be written: {reason}.",
        f"set {CACHE_VARIABLE} to a folder elsewhere, or give the weights with --vgg FILE",
    )


@contextlib.contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """Let no connection stall for longer: Keras' downloader sets no limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _reason(error: BaseException) -> str:
    """The innermost cause in a few words."""
    while error.__context__ is not None:
        error = error.__context__
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).strip().splitlines()[0].rstrip(".")
