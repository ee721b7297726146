"""kagglehub is played by a package of that name, in the process of its own that runs it."""

import errno
import textwrap
import time

import pytest

from live_nst.errors import DownloadError
from live_nst.models import kaggle
from tests.models.fake_saved_models import FILES, read_module, write_module

FAKE = """
    import os, time
    from pathlib import Path
    import requests
    from kagglehub import exceptions

    def model_download(handle):
        owner, case = handle.split("/")[:2]
        print("Downloading ...")
        folder = Path(os.environ["KAGGLEHUB_CACHE"]) / "models" / handle
        folder.mkdir(parents=True)
        return globals()[case](folder)

    def whole(folder):
        os.symlink(os.environ["FAKE_MODULE"], folder / "link", target_is_directory=True)
        for path in sorted((folder / "link").rglob("*")):
            target = folder / path.relative_to(folder / "link")
            if path.is_dir():
                target.mkdir()
            else:
                target.write_bytes(path.read_bytes())
        (folder / "link").unlink()
        return str(folder)

    def elsewhere(folder):
        return os.environ["FAKE_MODULE"]

    def hang(folder):
        (folder / "part").write_bytes(b"x" * 100)
        time.sleep(60)

    def http(folder):
        response = requests.Response()
        response.status_code = int(folder.name)
        raise requests.HTTPError("403 Client Error.\\n\\nlong text", response=response)

    def offline(folder):
        raise requests.ConnectionError("Max retries exceeded")

    def strange(folder):
        raise requests.exceptions.InvalidJSONError("no JSON")

    def corrupt(folder):
        raise exceptions.DataCorruptionError("checksums\\n differ")

    def full(folder):
        raise OSError(28, "No space left on device")

    def crash(folder):
        raise RuntimeError("something new")

    def vanish(folder):
        os._exit(3)
"""
ERRORS = """
    class BackendError(Exception): pass
    class CredentialError(Exception): pass
    class DataCorruptionError(Exception): pass
    class NotFoundError(Exception): pass
    class UnauthenticatedError(Exception): pass
"""


@pytest.fixture(autouse=True)
def fake_kagglehub(tmp_path, monkeypatch):
    package = tmp_path / "path" / "kagglehub"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(textwrap.dedent(FAKE))
    (package / "exceptions.py").write_text(textwrap.dedent(ERRORS))
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    monkeypatch.setenv("FAKE_MODULE", str(write_module(tmp_path / "elsewhere")))


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "partial" / "module"
    folder.mkdir(parents=True)
    return folder


def download(case, into, *, version="1", stall=20.0):
    progress = []
    kaggle.download(
        f"owner/{case}/tensorFlow2/variation/{version}",
        into,
        progress=progress.append,
        stall=stall,
        hint="ways out",
    )
    return progress


def test_download(into, capfd):
    progress = download("whole", into)
    assert read_module(into) == FILES
    assert progress == sorted(progress)
    assert capfd.readouterr() == ("", "")


def test_progress_ends_with_total(into):
    assert download("whole", into)[-1] == sum(map(len, FILES.values()))


def test_foreign_folder_is_copied(into, tmp_path):
    download("elsewhere", into)
    assert read_module(into) == FILES
    assert read_module(tmp_path / "elsewhere") == FILES


def test_stalled_download_is_killed(into):
    start = time.monotonic()
    with pytest.raises(DownloadError, match=r"Kaggle sent nothing for 0\.5 s") as caught:
        download("hang", into, stall=0.5)
    assert time.monotonic() - start < 10
    assert caught.value.hint == "ways out"


@pytest.mark.parametrize(
    ("case", "version", "words"),
    [
        ("http", "404", r"has no model owner/http/.* \(HTTP 404\)"),
        ("http", "403", r"refused the download .* \(HTTP 403\)"),
        ("http", "503", r"cannot send .* now \(HTTP 503\)"),
        ("offline", "1", "could not be reached"),
        ("strange", "1", "kagglehub could not download .*: no JSON$"),
        ("corrupt", "1", "kagglehub could not download .*: checksums$"),
        ("crash", "1", "kagglehub could not download .*: RuntimeError: something new$"),
        ("vanish", "1", "kagglehub could not download .*: exit code 3$"),
    ],
)
def test_errors(into, case, version, words):
    with pytest.raises(DownloadError) as caught:
        download(case, into, version=version)
    assert caught.match(words.replace("$", r" \("))
    assert caught.value.hint.endswith("ways out")


def test_full_disk(into):
    with pytest.raises(OSError) as caught:
        download("full", into)
    assert caught.value.errno == errno.ENOSPC
