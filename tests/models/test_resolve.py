from pathlib import Path

import pytest

from live_nst.errors import DownloadError, ModelError, UsageError
from live_nst.files.cache import CACHE_VARIABLE
from live_nst.models import loading as resolve_module
from live_nst.models.cache import ModelCache
from live_nst.models.handles import HUB_URL
from live_nst.models.loading import default_model_cache, is_available_offline, resolve
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

    monkeypatch.setattr(resolve_module, "fetch", fake)
    return fetched


@pytest.fixture
def offline(monkeypatch):
    def fake(handle, into, **_kwargs):
        write_module(into)
        raise DownloadError("no network")

    monkeypatch.setattr(resolve_module, "fetch", fake)


def test_mobile_is_in_the_package(fetched, cache):
    model = resolve("mobile", cache=cache)
    assert model.name == "mobile"
    assert (model.folder / "saved_model.pb").stat().st_size > 1_000_000
    assert is_available_offline("mobile", cache=cache)
    assert fetched == []


def test_a_package_without_its_model(monkeypatch, tmp_path):
    monkeypatch.setattr(resolve_module, "_PACKAGED_FOLDER", tmp_path)
    assert not is_available_offline("mobile")
    with pytest.raises(ModelError, match="packaged model is not whole") as caught:
        resolve("mobile")
    assert caught.value.hint == "install live-nst again"


def test_a_local_folder_is_used_where_it_lies(tmp_path, fetched, cache):
    folder = write_module(tmp_path / "mine")
    model = resolve(str(folder), cache=cache)
    assert model.folder == folder
    assert model.name == str(folder)
    assert is_available_offline(str(folder))
    assert not cache.root.exists()


def test_a_local_folder_that_is_no_model(tmp_path):
    assert not is_available_offline(str(tmp_path))
    with pytest.raises(ModelError, match=r"saved_model\.pb is missing"):
        resolve(str(tmp_path))


def test_a_model_is_fetched_once(fetched, cache):
    said, progress = [], []
    assert not is_available_offline("hub", cache=cache)
    model = resolve(
        "hub", cache=cache, progress=lambda *step: progress.append(step), notify=said.append
    )
    assert model.name == "hub"
    assert read_module(model.folder) == FILES
    assert said == [f"Fetching hub; it is kept in {cache.root}."]
    assert progress == [(1, 2)]

    assert is_available_offline(HUB_URL, cache=cache)
    assert resolve(HUB_URL, cache=cache, notify=said.append) == model
    assert fetched == [HUB_URL]
    assert len(said) == 1


def test_a_damaged_copy_is_fetched_again_and_said(fetched, cache):
    said = []
    folder = resolve(NETWORK_MODEL, cache=cache).folder
    (folder / "variables/variables.data-00000-of-00002").unlink()
    assert not is_available_offline(NETWORK_MODEL, cache=cache)
    assert read_module(resolve(NETWORK_MODEL, cache=cache, notify=said.append).folder) == FILES
    (line,) = said
    assert "variables/variables.data-00000-of-00002 is missing" in line
    assert "fetched again" in line


def test_a_failed_download_leaves_the_cache_clean(offline, cache):
    with pytest.raises(DownloadError, match="no network"):
        resolve(NETWORK_MODEL, cache=cache)
    assert list(cache.root.iterdir()) == []
    assert not is_available_offline(NETWORK_MODEL, cache=cache)


def test_the_default_cache_is_the_users(fetched, tmp_path, monkeypatch):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "mine"))
    assert default_model_cache().root == tmp_path / "mine" / "models"
    assert resolve(NETWORK_MODEL).folder.is_relative_to(tmp_path / "mine")
    assert is_available_offline(NETWORK_MODEL)


def test_nonsense():
    for ask in (resolve, is_available_offline):
        with pytest.raises(UsageError):
            ask("nonsense")


def test_all_of_it_over_a_real_connection(cache, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with ModuleServer() as server:
        url = server.answer("/m/1", lambda request: request.send(archive()))
        folder = resolve(url, cache=cache).folder
    assert read_module(folder) == FILES
    # The server is gone: what is found now was kept.
    assert resolve(url, cache=cache).folder == folder
    assert isinstance(folder, Path)
