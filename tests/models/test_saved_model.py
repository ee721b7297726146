import pytest

from live_nst.errors import ModelError
from live_nst.models.saved_model import (
    inner_saved_model,
    require_saved_model,
    saved_model_problem,
)
from tests.models.fake_saved_models import write_module


@pytest.fixture
def module(tmp_path):
    return write_module(tmp_path / "module")


def test_a_whole_module_has_no_problem(module):
    assert saved_model_problem(module) == ""
    require_saved_model(module, "it")


@pytest.mark.parametrize("leave_folder", [True, False])
def test_a_module_of_constants_needs_no_variables(module, leave_folder):
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
def test_each_file_must_be_there_and_hold_something(module, name):
    (module / name).write_bytes(b"")
    assert saved_model_problem(module) == f"{name} is empty"
    (module / name).unlink()
    assert saved_model_problem(module) == f"{name} is missing"


def test_an_index_without_any_shard(module):
    for path in (module / "variables").glob("*.data-*"):
        path.unlink()
    assert saved_model_problem(module) == ("variables/variables.data-00000-of-00001 is missing")


def test_a_graph_must_begin_like_one(module):
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
def test_other_kinds_of_model_are_named(tmp_path, name, words):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ModelError, match=r"saved_model\.pb is missing") as caught:
        require_saved_model(tmp_path, "it")
    assert words in caught.value.message


def test_an_empty_folder(tmp_path):
    assert saved_model_problem(tmp_path) == "saved_model.pb is missing, the folder is empty"


def test_the_old_hub_format_is_refused(module):
    (module / "tfhub_module.pb").write_bytes(b"\x08\x03")
    with pytest.raises(ModelError, match="old TF1 Hub format") as caught:
        require_saved_model(module, "it")
    assert "--model hub" in caught.value.hint


def test_a_folder_around_the_module_is_pointed_at(module):
    with pytest.raises(ModelError) as caught:
        require_saved_model(module.parent, "it")
    assert str(module) in caught.value.hint
    assert inner_saved_model(module.parent) == module
    write_module(module.parent / "another")
    assert inner_saved_model(module.parent) is None


def test_trouble_in_reading_is_a_problem(module, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert saved_model_problem(module) == "it cannot be read (Permission denied)"
