from pathlib import Path

import pytest

from live_nst.errors import ModelError, UsageError
from live_nst.models.handles import (
    HUB_URL,
    HandleKind,
    ModelHandle,
    check_model_folder,
    parse_handle,
)
from tests.models.fake_saved_models import write_module

KAGGLE = "google/arbitrary-image-stylization-v1/tensorFlow1/256/2"
KAGGLE_PAGE = "https://www.kaggle.com/models/google/arbitrary-image-stylization-v1"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Relative paths must not find anything by chance."""
    monkeypatch.chdir(tmp_path)


def test_short_names():
    assert parse_handle("mobile") == ModelHandle(HandleKind.PACKAGED, "mobile")
    assert parse_handle("fine") == ModelHandle(HandleKind.PACKAGED, "fine")
    assert parse_handle("live") == ModelHandle(HandleKind.PACKAGED, "live")
    assert parse_handle(" hub ") == ModelHandle(HandleKind.URL, HUB_URL)
    assert parse_handle("mobile").name == "mobile"
    assert parse_handle(HUB_URL).name == "hub"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (f"{HUB_URL}/?tf-hub-format=compressed", HUB_URL),
        ("tfhub.dev/google/some-module/1", "https://tfhub.dev/google/some-module/1"),
        ("https://www.tfhub.dev/google/some-module", "https://tfhub.dev/google/some-module"),
        ("https://example.org/m.tar.gz?x=1", "https://example.org/m.tar.gz?x=1"),
        ("http://127.0.0.1:8000/m", "http://127.0.0.1:8000/m"),
        ("http://localhost/m", "http://localhost/m"),
        ("http://[::1]:80/m", "http://[::1]:80/m"),
    ],
)
def test_urls(text, address):
    assert parse_handle(text) == ModelHandle(HandleKind.URL, address)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (KAGGLE, KAGGLE),
        ("google/arbitrary-image-stylization-v1/TensorFlow1/256/02", KAGGLE),
        ("a/b.c/keras/v-1", "a/b.c/keras/v-1"),
        (f"{KAGGLE_PAGE}/tensorFlow1/256/2?tfhub-redirect=true", KAGGLE),
        (f"{KAGGLE_PAGE}/frameworks/TensorFlow1/variations/256/versions/2", KAGGLE),
        (f"{KAGGLE_PAGE}/frameworks/tensorFlow1/variations/256/", KAGGLE.removesuffix("/2")),
        ("kaggle.com/models/a/b/tensorflow2/c/7", "a/b/tensorFlow2/c/7"),
    ],
)
def test_kaggle_handles(text, address):
    assert parse_handle(text) == ModelHandle(HandleKind.KAGGLE, address)


@pytest.mark.parametrize("text", ["./x", "../x", "~/x", "/x/y", "x/y", "x\\y", "a/b/tfLite/c/1"])
def test_paths(text):
    handle = parse_handle(text)
    assert handle.kind is HandleKind.FOLDER
    assert Path(handle.address) == Path(text).expanduser().absolute().resolve()


def test_existing_folder_before_kaggle_handle(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / KAGGLE).mkdir(parents=True)
    assert parse_handle("mine") == ModelHandle(HandleKind.FOLDER, str(tmp_path / "mine"))
    assert parse_handle(KAGGLE) == ModelHandle(HandleKind.FOLDER, str(tmp_path / KAGGLE))


def test_short_name_before_folder(tmp_path):
    (tmp_path / "mobile").mkdir()
    assert parse_handle("mobile").kind is HandleKind.PACKAGED
    assert parse_handle("./mobile").kind is HandleKind.FOLDER


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "gs://bucket/m", "file:///m", "https://", "https://:80/m", "https://h:port/"],
)
def test_invalid_handles(text):
    with pytest.raises(UsageError) as caught:
        parse_handle(text)
    for word in ("`mobile`", "`hub`", "tfhub.dev", "Kaggle", "SavedModel folder"):
        assert word in caught.value.hint


def test_suggestion_for_typo():
    with pytest.raises(UsageError) as caught:
        parse_handle("moble")
    assert "did you mean `mobile`?" in caught.value.hint


def test_plain_http():
    with pytest.raises(UsageError, match="plain http"):
        parse_handle("http://example.org/m.tar.gz")


def test_invalid_kaggle_pages():
    with pytest.raises(UsageError, match="which variation"):
        parse_handle(KAGGLE_PAGE)
    with pytest.raises(UsageError, match="tfLite variations are not SavedModels"):
        parse_handle(f"{KAGGLE_PAGE}/tfLite/256-int8-prediction/1")


class TestCheckModelFolder:
    def test_complete_model(self, tmp_path):
        check_model_folder(write_module(tmp_path / "m"))

    def test_missing(self, tmp_path):
        with pytest.raises(ModelError, match="There is no model folder") as caught:
            check_model_folder(tmp_path / "m")
        assert "--model mobile" in caught.value.hint or "`mobile`" in caught.value.hint

    @pytest.mark.parametrize(
        ("name", "way_out"),
        [
            ("saved_model.pb", "give its folder: `--model {folder}`"),
            ("model.tar.gz", "unpack it"),
            ("model.h5", "give a folder that holds saved_model.pb"),
        ],
    )
    def test_file(self, tmp_path, name, way_out):
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(ModelError, match="is a file") as caught:
            check_model_folder(tmp_path / name)
        assert way_out.format(folder=tmp_path) in caught.value.hint

    def test_other_folder(self, tmp_path):
        with pytest.raises(ModelError, match=r"saved_model\.pb is missing"):
            check_model_folder(tmp_path)
