"""Models by name, folder and URL. The network is replaced, except in one test."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_nst.errors import DownloadError, ModelError, UsageError
from live_nst.files.cache import CACHE_VARIABLE
from live_nst.models import loading
from live_nst.models.cache import ModelCache
from live_nst.models.handles import HUB_URL, parse_handle
from live_nst.models.handles import PACKAGED as PACKAGED_MODELS
from live_nst.models.loading import (
    LoadedModel,
    ResolvedModel,
    default_model_cache,
    is_available_offline,
    load_model,
    resolve_model,
)
from live_nst.models.saved_model import model_fingerprint
from tests.conftest import PACKAGED
from tests.models import tiny_models as modules
from tests.models.fake_saved_models import FILES, ModuleServer, archive, read_module, write_module

NETWORK_MODEL = "https://example.org/m.tar.gz"


@pytest.fixture
def cache(tmp_path):
    return ModelCache(tmp_path / "cache")


@pytest.fixture
def fetched(monkeypatch):
    """A network that has everything; gives what was asked of it."""
    fetched = []

    def fake(handle, into, *, progress, notify):
        fetched.append(handle.address)
        progress(1, 2)
        write_module(into)

    monkeypatch.setattr(loading, "download_model", fake)
    return fetched


@pytest.fixture
def offline(monkeypatch):
    def fake(handle, into, **_kwargs):
        write_module(into)
        raise DownloadError("no network")

    monkeypatch.setattr(loading, "download_model", fake)


@pytest.mark.parametrize("name", PACKAGED_MODELS)
def test_resolve_packaged(fetched, cache, name):
    model = resolve_model(name, cache=cache)
    assert model.name == name
    assert (model.folder / "programs" / "programs.json").is_file()
    assert is_available_offline(name, cache=cache)
    assert fetched == []


@pytest.mark.parametrize("name", PACKAGED_MODELS)
def test_resolve_damaged_package(monkeypatch, tmp_path, name):
    monkeypatch.setattr(loading, "PACKAGED_ROOT", tmp_path)
    assert not is_available_offline(name)
    with pytest.raises(ModelError, match=f"packaged model {name} is not complete") as caught:
        resolve_model(name)
    assert caught.value.hint == "install live-nst again"


def test_load_damaged_package(monkeypatch, tmp_path):
    shutil.copytree(PACKAGED, tmp_path / "mobile")
    pieces = tmp_path / "mobile" / "programs" / "programs.bin"
    pieces.write_bytes(pieces.read_bytes()[:-1])
    monkeypatch.setattr(loading, "PACKAGED_ROOT", tmp_path)
    assert not is_available_offline("mobile")
    with pytest.raises(ModelError, match="packaged model mobile is not complete") as caught:
        load("mobile")
    assert caught.value.hint == "install live-nst again"


def test_resolve_folder(tmp_path, fetched, cache):
    folder = write_module(tmp_path / "mine")
    model = resolve_model(str(folder), cache=cache)
    assert model.folder == folder
    assert model.name == str(folder)
    assert is_available_offline(str(folder))
    assert not cache.root.exists()


def test_resolve_other_folder(tmp_path):
    assert not is_available_offline(str(tmp_path))
    with pytest.raises(ModelError, match=r"saved_model\.pb is missing"):
        resolve_model(str(tmp_path))


def test_resolve_downloads_once(fetched, cache):
    said, progress = [], []
    assert not is_available_offline("hub", cache=cache)
    model = resolve_model(
        "hub", cache=cache, progress=lambda *step: progress.append(step), notify=said.append
    )
    assert model.name == "hub"
    assert read_module(model.folder) == FILES
    assert said == [f"Downloading hub to {cache.root}."]
    assert progress == [(1, 2)]

    assert is_available_offline(HUB_URL, cache=cache)
    assert resolve_model(HUB_URL, cache=cache, notify=said.append) == model
    assert fetched == [HUB_URL]
    assert len(said) == 1


def test_resolve_replaces_damaged_copy(fetched, cache):
    said = []
    folder = resolve_model(NETWORK_MODEL, cache=cache).folder
    (folder / "variables/variables.data-00000-of-00002").unlink()
    assert not is_available_offline(NETWORK_MODEL, cache=cache)
    assert (
        read_module(resolve_model(NETWORK_MODEL, cache=cache, notify=said.append).folder) == FILES
    )
    (line,) = said
    assert "variables/variables.data-00000-of-00002 is missing" in line
    assert "Downloading it again" in line


def test_resolve_failed_download(offline, cache):
    with pytest.raises(DownloadError, match="no network"):
        resolve_model(NETWORK_MODEL, cache=cache)
    assert list(cache.root.iterdir()) == []
    assert not is_available_offline(NETWORK_MODEL, cache=cache)


def test_default_model_cache(fetched, tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "mine"))
    assert default_model_cache().root == tmp_path / "mine" / "models"
    assert resolve_model(NETWORK_MODEL).folder.is_relative_to(tmp_path / "mine")
    assert is_available_offline(NETWORK_MODEL)


def test_resolve_invalid_handle():
    for ask in (resolve_model, is_available_offline):
        with pytest.raises(UsageError):
            ask("nonsense")


def test_resolve_over_a_real_connection(cache, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with ModuleServer() as server:
        url = server.answer("/m/1", lambda request: request.send(archive()))
        folder = resolve_model(url, cache=cache).folder
    assert read_module(folder) == FILES
    # The server is gone: what is found now was kept.
    assert resolve_model(url, cache=cache).folder == folder
    assert isinstance(folder, Path)


# load_model


@pytest.fixture(scope="module")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return modules.save(modules.plain, tmp_path_factory.mktemp("small") / "module")


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "gpu_names", list)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "gpu_names", lambda: ["GPU:0"])


def load(choice: str, device: str = "auto", progress: Any = None) -> tuple[LoadedModel, list[str]]:
    """The model and what was said; every line must be a sentence."""
    said: list[str] = []
    model = load_model(choice, device, notify=said.append, progress=progress)
    assert all(line[0].isupper() and "\n" not in line for line in said)
    return model, said


def hub_comes_from(
    monkeypatch: pytest.MonkeyPatch, folder: Path | DownloadError, *, cached: bool
) -> None:
    """Put `folder` in the place of what the network has, or of the error it gives."""

    def fake(text: str, **keywords: Any) -> ResolvedModel:
        if text != "hub":
            return resolve_model(text, **keywords)
        if isinstance(folder, DownloadError):
            raise folder
        return ResolvedModel("hub", folder, parse_handle("hub"))

    monkeypatch.setattr(loading, "resolve_model", fake)
    monkeypatch.setattr(loading, "is_available_offline", lambda text: cached)


def test_load_mobile() -> None:
    model, said = load("mobile", "cpu")

    assert model.name == "mobile"
    assert model.fingerprint == model_fingerprint(PACKAGED)
    assert model.programs.bottleneck_size == 100
    assert said == ["Model mobile."]


def test_load_folder(small_folder: Path) -> None:
    model, said = load(str(small_folder))

    assert model.name == str(small_folder)
    assert model.fingerprint == model_fingerprint(small_folder) != model_fingerprint(PACKAGED)
    assert model.programs.bottleneck_size == modules.CODE
    assert said == [f"Model {small_folder}."]


@pytest.mark.usefixtures("no_gpu")
def test_auto_without_gpu() -> None:
    model, said = load("auto")
    assert model.name == "mobile"
    assert said == ["Model mobile: TensorFlow finds no GPU."]


@pytest.mark.usefixtures("gpu")
def test_auto_with_device_cpu() -> None:
    model, said = load("auto", "cpu")
    assert model.name == "mobile"
    assert said == ["Model mobile: the CPU was asked for."]


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(("cached", "how"), [(True, "is cached"), (False, "was downloaded")])
@pytest.mark.parametrize("device", ["auto", "gpu"])
def test_auto_with_gpu(
    monkeypatch: pytest.MonkeyPatch, small_folder: Path, cached: bool, how: str, device: str
) -> None:
    hub_comes_from(monkeypatch, small_folder, cached=cached)

    model, said = load("auto", device)

    assert model.name == "hub"
    assert model.fingerprint == model_fingerprint(small_folder)
    assert said == [f"Model hub: there is a GPU, and the model {how}."]


@pytest.mark.usefixtures("gpu")
def test_auto_with_gpu_but_failed_download(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub_comes_from(monkeypatch, DownloadError("The server did not answer."), cached=False)

    model, said = load("auto")

    assert model.name == "mobile"
    (line,) = said
    assert line.startswith("Model mobile: there is a GPU, but")
    assert line.endswith("The server did not answer.")


@pytest.mark.usefixtures("gpu")
def test_load_hub_has_no_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    hub_comes_from(monkeypatch, DownloadError("The server did not answer."), cached=False)
    with pytest.raises(DownloadError, match="did not answer"):
        load("hub")


def test_load_other_content(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        load("nonsense")
    with pytest.raises(ModelError, match=r"saved_model\.pb is missing"):
        load(str(tmp_path))


def test_load_unsplittable_model(tmp_path: Path) -> None:
    folder = modules.save(modules.concatenated, tmp_path / "module")
    with pytest.raises(ModelError, match="from the first layer on"):
        load(str(folder))


def test_programs_compute_what_the_model_does(small_folder: Path) -> None:
    model, _ = load(str(small_folder))
    random = np.random.default_rng(0)
    content, style = (random.random((1, *hw, 3), np.float32) for hw in ((20, 24), (256, 256)))

    tensors = modules.run_program(
        model.programs.expand, *modules.run_program(model.programs.encode, style)
    )
    (painted,) = modules.run_program(model.programs.frame, content, *tensors)

    np.testing.assert_allclose(painted, modules.whole(modules.plain, content, style), atol=1e-5)
