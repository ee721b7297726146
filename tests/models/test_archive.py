import io
import tarfile
from pathlib import Path

import pytest

from live_nst.errors import DownloadError
from live_nst.models.saved_model import unpack_saved_model
from tests.models.fake_saved_models import FILES, archive, read_module


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
def test_compressed_or_not(into, mode):
    unpack_saved_model(put(into, archive(mode=mode)), into, "hint")
    assert read_module(into) == FILES


@pytest.mark.parametrize("prefix", ["", "./", "some-module/", "./assets/"])
def test_a_folder_around_the_module_is_taken_off(into, prefix):
    unpack_saved_model(put(into, archive(prefix=prefix)), into, "hint")
    assert read_module(into) == FILES


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "../into-too/evil"])
def test_names_that_lead_out_are_refused(into, name):
    evil = put(into, archive({name: b"x", **FILES}, prefix=""))
    with pytest.raises(DownloadError, match="not safe to unpack"):
        unpack_saved_model(evil, into, "hint")
    assert list(into.parent.parent.rglob("evil")) == []
    assert not Path("/evil").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_refused(into, kind):
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
def test_damage_is_named(into, content):
    with pytest.raises(DownloadError, match="damaged") as caught:
        unpack_saved_model(put(into, content), into, "try again")
    assert caught.value.hint == "try again"


def test_a_disk_error_is_not_called_damage(into):
    archive_file = put(into, archive())
    into.rmdir()
    into.write_bytes(b"a file in the way")
    with pytest.raises(FileExistsError):
        unpack_saved_model(archive_file, into, "hint")
