"""Weights: read, refused, fetched; and the network against Keras' own."""

import hashlib
import http.server
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_nst.errors import DownloadError, ModelError
from live_nst.objective import vgg_weights as weights
from live_nst.objective.vgg import ConvWeights, Vgg, extract_features, layer_shapes
from live_nst.objective.vgg_weights import load_vgg, read_vgg_weights
from tests.objective.real_vgg16 import write_h5


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, vgg16: Vgg) -> Path:
    path = tmp_path_factory.mktemp("weights") / "vgg16.h5"
    write_h5(path, dict(vgg16.layers))
    return path


def same(one: Vgg, two: Vgg) -> bool:
    return one.name == two.name and all(
        np.array_equal(one.layers[name].kernel, two.layers[name].kernel)
        and np.array_equal(one.layers[name].bias, two.layers[name].bias)
        for name in two.layers
    )


def test_read_vgg_weights(file: Path, vgg16: Vgg) -> None:
    assert same(read_vgg_weights("vgg16", file), vgg16)


@pytest.mark.parametrize("name", ["vgg16", "vgg19"])
def test_features_equal_those_of_keras(name: str, tmp_path: Path) -> None:
    import keras
    import tf_keras

    ends = [layer for layer in layer_shapes(name) if layer.endswith(("conv1", "conv3"))]
    builder = getattr(tf_keras.applications, name.upper())
    model = builder(include_top=False, weights=None, input_shape=(32, 48, 3))
    path = tmp_path / "weights.h5"
    model.save_weights(path)  # the layout of the files on Keras' server
    picture = np.random.default_rng(0).normal(0, 60, (32, 48, 3)).astype(np.float32)
    outputs = [model.get_layer(layer).output for layer in ends]
    wanted = tf_keras.Model(model.input, outputs)(picture[None])
    found = extract_features(read_vgg_weights(name, path), picture, ends)
    for layer, values in zip(ends, wanted, strict=True):
        np.testing.assert_allclose(found[layer], values[0], atol=1e-4 * np.abs(values).max())
    # And the channels' order is that of Keras' "caffe" preprocessing.
    image = np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8)  # BGR
    from live_nst.objective.vgg import deprocess, preprocess

    rgb = image[..., ::-1].astype(np.float32)
    caffe = keras.applications.vgg19.preprocess_input(rgb.copy())
    np.testing.assert_allclose(preprocess(image), caffe, atol=1e-4)
    np.testing.assert_array_equal(deprocess(preprocess(image)), image)


def broken(vgg16: Vgg, tmp_path: Path, change: str) -> Path:
    layers = dict(vgg16.layers)
    last = layers["block5_conv3"]
    if change == "a layer less":
        del layers["block5_conv3"]
    elif change == "another shape":
        layers["block5_conv3"] = ConvWeights(last.kernel[..., :7], last.bias)
    elif change == "NaN":
        bias = np.array(last.bias)
        bias[3] = np.nan
        layers["block5_conv3"] = ConvWeights(last.kernel, bias)
    path = tmp_path / "broken.h5"
    write_h5(path, layers)
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("a layer less", "no weights for block5_conv3 of vgg16"),
        ("another shape", r"block5_conv3 has the shape \[3, 3, 512, 7\]"),
        ("NaN", "block5_conv3 are not all finite"),
    ],
)
def test_invalid_weights(vgg16: Vgg, tmp_path: Path, change: str, words: str) -> None:
    with pytest.raises(ModelError, match=words) as error:
        read_vgg_weights("vgg16", broken(vgg16, tmp_path, change))
    assert error.value.hint


def test_weights_of_another_network(file: Path, vgg19: Vgg, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no weights for block3_conv4 of vgg19"):
        read_vgg_weights("vgg19", file)
    write_h5(tmp_path / "vgg19.h5", dict(vgg19.layers))
    with pytest.raises(ModelError, match="another network than vgg16: it has block3_conv4"):
        read_vgg_weights("vgg16", tmp_path / "vgg19.h5")


@pytest.mark.parametrize("content", [b"", b"these are no weights", b"\x89HDF\r\n\x1a\nxx"])
def test_invalid_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.h5"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is not an HDF5 file"):
        read_vgg_weights("vgg19", path)
    with pytest.raises(ModelError, match="There is no file"):
        read_vgg_weights("vgg19", tmp_path / "missing.h5")


@pytest.fixture
def server(file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Serves the file in place of Keras' server, and counts the requests."""
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(file.stat().st_size))
            self.end_headers()
            with file.open("rb") as source:
                shutil.copyfileobj(source, self.wfile)

        def log_message(self, *args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{served.server_address[1]}/keras"
        monkeypatch.setattr(weights, "WEIGHTS_URL", address)
        yield requests
        served.shutdown()
        thread.join()


def test_weights_are_downloaded_once_and_verified(
    server: list[str], file: Path, vgg16: Vgg, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setitem(weights.WEIGHTS_MD5, "vgg16", digest)
    said: list[str] = []
    assert same(load_vgg("vgg16", notify=said.append), vgg16)
    assert len(said) == 1 and "59 MB" in said[0]
    assert same(load_vgg("vgg16", notify=said.append), vgg16)
    name = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    assert server == [f"/keras/vgg16/{name}"] and len(said) == 1
    kept = own_cache / "vgg" / name
    kept.write_bytes(kept.read_bytes()[:-100])
    assert same(load_vgg("vgg16"), vgg16)
    assert len(server) == 2


def test_download_with_a_wrong_checksum(server: list[str]) -> None:
    with pytest.raises(DownloadError, match="Cannot download the weights of vgg16"):
        load_vgg("vgg16")
    assert server


def test_download_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setattr(weights, "WEIGHTS_URL", address)
        with pytest.raises(DownloadError, match="Connection refused") as error:
            load_vgg("vgg19")
    assert "--vgg FILE" in error.value.hint
    assert socket.getdefaulttimeout() is None


def test_cache_that_is_not_writable(own_cache: Path) -> None:
    own_cache.parent.mkdir(parents=True, exist_ok=True)
    own_cache.write_text("a file where the folder would be")
    with pytest.raises(ModelError, match="is not writable"):
        load_vgg("vgg19")


@pytest.mark.slow
def test_real_weights(real_vgg16: Path) -> None:
    """The first numbers of the file that Keras publishes, which many have printed."""
    vgg = read_vgg_weights("vgg16", real_vgg16)
    first = np.asarray(vgg.layers["block1_conv1"].kernel)[0, 0, :, 0]
    np.testing.assert_allclose(first, [0.42947057, 0.55037946, 0.4800154], atol=1e-7)
