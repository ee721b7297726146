import errno
import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from live_nst.errors import DownloadError, ModelError
from live_nst.files.cache import CACHE_VARIABLE
from live_nst.models.cache import ModelCache
from live_nst.models.handles import HandleKind, ModelHandle
from tests.models.fake_saved_models import FILES, read_module, write_module

HANDLE = ModelHandle(HandleKind.URL, "https://example.org/some-module/1")


@pytest.fixture
def cache(tmp_path):
    return ModelCache(tmp_path / "cache")


def never(_into: Path) -> None:
    raise AssertionError("nothing was to be fetched")


def leftovers(cache: ModelCache) -> list[str]:
    return [path.name for path in cache.root.iterdir() if path.name.startswith(".")]


def test_find_in_empty_cache(cache):
    assert cache.find(HANDLE) is None
    assert cache.damage_reason(HANDLE) == ""
    assert not cache.root.exists()


def test_install_then_find(cache):
    folder = cache.install(HANDLE, write_module)
    assert read_module(folder) == FILES
    assert cache.find(HANDLE) == folder
    assert ModelCache(cache.root).find(HANDLE) == folder
    assert cache.install(HANDLE, never) == folder
    assert leftovers(cache) == []


def test_entries_are_separate(cache):
    other = ModelHandle(HandleKind.URL, "https://example.org/some-module/2")
    assert cache.install(HANDLE, write_module) != cache.install(other, write_module)
    assert cache.find(ModelHandle(HandleKind.KAGGLE, "a/b/keras/c/1")) is None


def remove(name):
    return lambda entry: (entry / name).unlink()


def truncate(name):
    return lambda entry: os.truncate(entry / name, 3)


def empty(name):
    return lambda entry: os.truncate(entry / name, 0)


def rewrite(name, content):
    return lambda entry: (entry / name).write_bytes(content)


def replace_by_a_file(entry):
    shutil.rmtree(entry)
    entry.write_bytes(b"")


DAMAGE = {
    "no graph": remove("module/saved_model.pb"),
    "empty graph": empty("module/saved_model.pb"),
    "cut graph": truncate("module/saved_model.pb"),
    "a page as graph": rewrite("module/saved_model.pb", b"<html>  "),
    "no index": remove("module/variables/variables.index"),
    "no first shard": remove("module/variables/variables.data-00000-of-00002"),
    "no last shard": remove("module/variables/variables.data-00001-of-00002"),
    "cut shard": truncate("module/variables/variables.data-00000-of-00002"),
    "empty shard": empty("module/variables/variables.data-00001-of-00002"),
    "no asset": remove("module/assets/words.txt"),
    "no variables": lambda entry: shutil.rmtree(entry / "module/variables"),
    "no module": lambda entry: shutil.rmtree(entry / "module"),
    "no marker": remove("complete.json"),
    "cut marker": truncate("complete.json"),
    "empty marker": empty("complete.json"),
    "binary marker": rewrite("complete.json", b"\xff\xfe\x00"),
    "marker of another kind": rewrite("complete.json", b"[]"),
    "marker of another model": rewrite(
        "complete.json", b'{"address": "x", "files": {"saved_model.pb": 8}}'
    ),
    "marker without files": rewrite(
        "complete.json", b'{"address": "https://example.org/some-module/1", "files": {}}'
    ),
    "empty folder": lambda entry: (shutil.rmtree(entry), entry.mkdir()),
    "a file": replace_by_a_file,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_install_replaces_damaged_copy(cache, damage):
    entry = cache.install(HANDLE, write_module).parent
    damage(entry)
    assert cache.find(HANDLE) is None
    assert cache.damage_reason(HANDLE) != ""
    folder = cache.install(HANDLE, write_module)
    assert read_module(folder) == FILES
    assert cache.find(HANDLE) == folder
    assert leftovers(cache) == []


def test_install_cleans_up_after_error(cache):
    def fail(into: Path) -> None:
        write_module(into)
        (into.parent / "archive").write_bytes(b"scratch")
        raise DownloadError("no")

    with pytest.raises(DownloadError, match="no"):
        cache.install(HANDLE, fail)
    assert list(cache.root.iterdir()) == []


def test_install_cleans_up_after_ctrl_c(cache):
    def interrupt(_into: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.install(HANDLE, interrupt)
    assert list(cache.root.iterdir()) == []


def test_install_refuses_other_content(cache):
    with pytest.raises(ModelError, match=r"saved_model.pb is missing.*TensorFlow Lite"):
        cache.install(HANDLE, lambda into: (into / "m.tflite").write_bytes(b"x") and None)
    assert list(cache.root.iterdir()) == []


def test_concurrent_installs_share_one_copy(cache):
    """Both fetch before either is done: what happens when two processes start together."""
    both_fetching = threading.Barrier(2, timeout=10)
    folders: list[Path] = []

    def fetch(into: Path) -> None:
        write_module(into)
        both_fetching.wait()

    def install() -> None:
        folders.append(ModelCache(cache.root).install(HANDLE, fetch))

    threads = [threading.Thread(target=install) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert folders == [cache.find(HANDLE)] * 2
    assert read_module(folders[0]) == FILES
    assert leftovers(cache) == []


def test_slower_install_keeps_first_copy(cache):
    def lose(into: Path) -> None:
        write_module(into)
        winner = ModelCache(cache.root).install(HANDLE, write_module)
        os.utime(winner / "saved_model.pb", (1, 1))

    folder = cache.install(HANDLE, lose)
    assert (folder / "saved_model.pb").stat().st_mtime == 1


def test_install_removes_stale_partial_folders(cache):
    old, young = cache.root / ".partial-old", cache.root / ".partial-young"
    for path in (old, young):
        write_module(path / "module")
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    cache.install(HANDLE, write_module)
    assert leftovers(cache) == [young.name]


@pytest.mark.parametrize("below", ["", "further/down"])
def test_unwritable_cache(tmp_path, below):
    (tmp_path / "file").write_bytes(b"")
    cache = ModelCache(tmp_path / "file" / below)
    assert cache.find(HANDLE) is None
    with pytest.raises(ModelError, match="cannot be written") as caught:
        cache.install(HANDLE, never)
    assert CACHE_VARIABLE in caught.value.hint
    assert "--model mobile" in caught.value.hint


def test_install_on_full_disk(cache):
    def fill(_into: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DownloadError, match="disk is full") as caught:
        cache.install(HANDLE, fill)
    assert CACHE_VARIABLE in caught.value.hint
    assert list(cache.root.iterdir()) == []
