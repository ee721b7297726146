from dataclasses import replace
from pathlib import Path

import pytest

from live_nst.models import loading
from live_nst.models import program as program_module
from live_nst.models.graph.split import build_split_model
from live_nst.models.handles import PACKAGED as PACKAGED_MODELS
from live_nst.models.loading import PROGRAMS_FOLDER, load_model
from live_nst.models.program import SplitModel, read_programs, write_programs
from live_nst.models.saved_model import model_fingerprint
from tests.conftest import PACKAGED
from tests.models import tiny_models as modules


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return modules.save(modules.two_paths, tmp_path_factory.mktemp("small") / "module")


@pytest.fixture(scope="module")
def model(folder: Path) -> SplitModel:
    return build_split_model(folder)


def load(folder: Path) -> SplitModel:
    return load_model(str(folder), "cpu", notify=lambda line: None, progress=None).programs


def test_write_then_read(model: SplitModel, tmp_path: Path) -> None:
    place = tmp_path / "some" / "programs"
    write_programs(place, "abc", model)
    assert read_programs(place, "abc") == model
    write_programs(place, "def", model)  # over it
    assert read_programs(place, "abc") is None
    assert read_programs(place, "def") == model
    assert [path.name for path in place.parent.iterdir()] == ["programs"]


def test_read_missing_folder(tmp_path: Path) -> None:
    assert read_programs(tmp_path / "nowhere", "abc") is None


@pytest.mark.parametrize(
    "name", ["encode.pb", "expand.pb", "frame.pb", "blocks.pb", "stage_00.pb", "programs.json"]
)
def test_read_damaged_files(model: SplitModel, tmp_path: Path, name: str) -> None:
    write_programs(tmp_path / "p", "abc", model)
    file = tmp_path / "p" / name
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert read_programs(tmp_path / "p", "abc") is None
    file.unlink()
    assert read_programs(tmp_path / "p", "abc") is None


def test_read_other_format(
    model: SplitModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program_module, "PROGRAMS_FORMAT", program_module.PROGRAMS_FORMAT + 1)
    write_programs(tmp_path / "p", "abc", model)
    monkeypatch.undo()
    assert read_programs(tmp_path / "p", "abc") is None


def test_programs_are_built_once(
    folder: Path, model: SplitModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(folder) == model
    monkeypatch.setattr(loading, "build_split_model", lambda folder: 1 / 0)
    assert load(folder) == model


def test_programs_without_cache(
    folder: Path, model: SplitModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIVE_NST_CACHE", str(tmp_path / "file"))
    assert load(folder) == model
    assert load(folder) == model


def test_packaged_programs(monkeypatch: pytest.MonkeyPatch, mobile_programs: SplitModel) -> None:
    monkeypatch.setattr(loading, "build_split_model", lambda folder: 1 / 0)
    packaged = load_model("mobile", "cpu", notify=lambda line: None, progress=None)
    assert read_programs(PACKAGED / PROGRAMS_FOLDER, packaged.fingerprint) == packaged.programs
    assert packaged.programs.encode == mobile_programs.encode
    assert set(packaged.programs.variants) == {"blocks", "transposed", "fused"}
    assert packaged.programs.staged_frame is not None


def test_a_program_of_two_models_is_stored_once(tmp_path: Path, model: SplitModel) -> None:
    other = replace(model, frame=replace(model.frame, graph=model.frame.graph + b"\x00"))
    write_programs(tmp_path / "one" / "programs", "a", model)
    write_programs(tmp_path / "two" / "programs", "b", other, shared=tmp_path / "one" / "programs")
    moved = tmp_path.rename(tmp_path.with_name("elsewhere"))  # both together

    assert read_programs(moved / "two" / "programs", "b") == other
    assert not (moved / "two" / "programs" / "encode.pb").exists()
    assert (moved / "two" / "programs" / "frame.pb").exists()

    (moved / "one" / "programs" / "encode.pb").unlink()
    assert read_programs(moved / "two" / "programs", "b") is None


@pytest.mark.parametrize("name", PACKAGED_MODELS)
def test_every_packaged_model_has_its_programs(name: str) -> None:
    folder = PACKAGED.with_name(name)
    found = read_programs(folder / PROGRAMS_FOLDER, model_fingerprint(folder))
    assert found is not None and found.staged_frame is not None
    assert set(found.variants) == {"blocks", "transposed", "fused"}
