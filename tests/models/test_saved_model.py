"""SavedModel folders: checks, fingerprints and archives."""

import io
import os
import re
import tarfile
from pathlib import Path

import pytest

from live_nst.errors import DownloadError, ModelError
from live_nst.models.saved_model import (
    inner_saved_model,
    model_fingerprint,
    require_saved_model,
    saved_model_problem,
    unpack_saved_model,
)
from tests.models.fake_saved_models import FILES, archive, read_module, write_module


@pytest.fixture
def module(tmp_path):
    return write_module(tmp_path / "module")


def test_complete_model(module):
    assert saved_model_problem(module) == ""
    require_saved_model(module, "it")


@pytest.mark.parametrize("leave_folder", [True, False])
def test_model_without_variables(module, leave_folder):
    for path in (module / "variables").iterdir():
        path.unlink()
    if not leave_folder:
        (module / "variables").rmdir()
    assert saved_model_problem(module) == ""


@pytest.mark.parametrize(
    "name",
    [
        "saved_model.pb",
        "variables/variables.index",
        "variables/variables.data-00000-of-00002",
        "variables/variables.data-00001-of-00002",
    ],
)
def test_missing_and_empty_files(module, name):
    (module / name).write_bytes(b"")
    assert saved_model_problem(module) == f"{name} is empty"
    (module / name).unlink()
    assert saved_model_problem(module) == f"{name} is missing"


def test_index_without_shards(module):
    for path in (module / "variables").glob("*.data-*"):
        path.unlink()
    assert saved_model_problem(module) == ("variables/variables.data-00000-of-00001 is missing")


def test_first_byte_of_graph(module):
    (module / "saved_model.pb").write_bytes(b"<html>")
    assert saved_model_problem(module) == "saved_model.pb does not hold a graph"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("model.tflite", "it holds a TensorFlow Lite model (model.tflite)"),
        ("model.ONNX", "an ONNX model"),
        ("ckpt-1.index", "a training checkpoint"),
        ("weights.h5", "a Keras model"),
    ],
)
def test_other_model_formats(tmp_path, name, words):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelError, match=r"saved_model\.pb is missing") as caught:
        require_saved_model(tmp_path, "it")
    assert words in caught.value.message


def test_empty_folder(tmp_path):
    assert saved_model_problem(tmp_path) == "saved_model.pb is missing, the folder is empty"


def test_tf1_hub_format(module):
    (module / "tfhub_module.pb").write_bytes(b"\x08\x03")
    with pytest.raises(ModelError, match="old TF1 Hub format") as caught:
        require_saved_model(module, "it")
    assert "--model hub" in caught.value.hint


def test_hint_names_subfolder(module):
    with pytest.raises(ModelError) as caught:
        require_saved_model(module.parent, "it")
    assert str(module) in caught.value.hint
    assert inner_saved_model(module.parent) == module
    write_module(module.parent / "another")
    assert inner_saved_model(module.parent) is None


def test_unreadable_file(module, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert saved_model_problem(module) == "it cannot be read (Permission denied)"


# Fingerprints


def test_fingerprint_is_sha256(module):
    assert re.fullmatch("[0-9a-f]{64}", model_fingerprint(module))


def test_fingerprint_ignores_place_and_time(module, tmp_path):
    other = write_module(tmp_path / "else" / "where")
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    assert model_fingerprint(other) == model_fingerprint(module)


@pytest.mark.parametrize(
    "name",
    ["saved_model.pb", "variables/variables.index", "variables/variables.data-00001-of-00002"],
)
def test_fingerprint_depends_on_every_byte(module, name):
    before = model_fingerprint(module)
    content = bytearray((module / name).read_bytes())
    content[-1] ^= 1
    (module / name).write_bytes(content)
    assert model_fingerprint(module) != before


def test_fingerprint_depends_on_names(module):
    before = model_fingerprint(module)
    (module / "variables/variables.index").rename(module / "variables/other")
    assert model_fingerprint(module) != before


def test_fingerprint_depends_on_file_boundaries(module):
    first, second = (module / f"variables/{name}" for name in "ab")
    first.write_bytes(b"one")
    second.write_bytes(b"two")
    before = model_fingerprint(module)
    first.write_bytes(b"onet")
    second.write_bytes(b"wo")
    assert model_fingerprint(module) != before


def test_fingerprint_ignores_other_files(module):
    before = model_fingerprint(module)
    (module / "README.md").write_bytes(b"hello")
    (module / "assets/words.txt").unlink()
    assert model_fingerprint(module) == before


def test_fingerprint_without_graph(module):
    (module / "saved_model.pb").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        model_fingerprint(module)


# Archives


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "deep" / "into"
    folder.mkdir(parents=True)
    return folder


def put(into, content):
    path = into.with_name("archive")
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_unpack(into, mode):
    unpack_saved_model(put(into, archive(mode=mode)), into, "hint")
    assert read_module(into) == FILES


@pytest.mark.parametrize("prefix", ["", "./", "some-module/", "./assets/"])
def test_unpack_moves_subfolder_to_top(into, prefix):
    unpack_saved_model(put(into, archive(prefix=prefix)), into, "hint")
    assert read_module(into) == FILES


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "../into-too/evil"])
def test_unpack_refuses_names_outside_folder(into, name):
    evil = put(into, archive({name: b"x", **FILES}, prefix=""))
    with pytest.raises(DownloadError, match="not safe to unpack"):
        unpack_saved_model(evil, into, "hint")
    assert list(into.parent.parent.rglob("evil")) == []
    assert not Path("/evil").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_unpack_refuses_links_and_devices(into, kind):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("link")
        member.type = kind
        member.linkname = "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(DownloadError, match="holds 'link'"):
        unpack_saved_model(put(into, buffer.getvalue()), into, "hint")
    assert list(into.iterdir()) == []


def damaged_middle(content):
    middle = len(content) // 2
    return content[:middle] + bytes(64) + content[middle + 64 :]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive at all",
        b"\x1f\x8b\x08",
        archive()[:-20],
        archive()[:300],
        archive(mode="w")[:5000],
        damaged_middle(archive()),
        archive()[:-4] + b"size",
    ],
    ids=["empty", "text", "gzip head", "cut end", "cut", "cut tar", "flipped", "trailer"],
)
def test_unpack_damaged_archive(into, content):
    with pytest.raises(DownloadError, match="damaged") as caught:
        unpack_saved_model(put(into, content), into, "try again")
    assert caught.value.hint == "try again"


def test_unpack_passes_on_disk_errors(into):
    archive_file = put(into, archive())
    into.rmdir()
    into.write_bytes(b"a file in the way")
    with pytest.raises(FileExistsError):
        unpack_saved_model(archive_file, into, "hint")
