from dataclasses import replace
from pathlib import Path

import pytest

from live_nst.models import loading, program_files
from live_nst.models.graph.split import build_split_model
from live_nst.models.handles import PACKAGED as PACKAGED_MODELS
from live_nst.models.loading import PROGRAMS_FOLDER, load_model
from live_nst.models.program import SplitModel
from live_nst.models.program_files import read_programs, stored_fingerprint, write_programs
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
    assert stored_fingerprint(place) == "def"
    assert [path.name for path in place.parent.iterdir()] == ["programs"]


def test_read_missing_folder(tmp_path: Path) -> None:
    assert read_programs(tmp_path / "nowhere", "abc") is None
    assert stored_fingerprint(tmp_path / "nowhere") is None


@pytest.mark.parametrize("name", ["programs.bin", "programs.json"])
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
    monkeypatch.setattr(program_files, "PROGRAMS_FORMAT", program_files.PROGRAMS_FORMAT + 1)
    write_programs(tmp_path / "p", "abc", model)
    monkeypatch.undo()
    assert read_programs(tmp_path / "p", "abc") is None
    assert stored_fingerprint(tmp_path / "p") is None


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


@pytest.fixture(scope="module")
def packaged() -> SplitModel:
    return load_model("mobile", "cpu", notify=lambda line: None, progress=None).programs


def test_a_weight_is_stored_once(packaged: SplitModel, tmp_path: Path) -> None:
    write_programs(tmp_path / "p", "a", packaged)
    stored = (tmp_path / "p" / "programs.bin").stat().st_size
    variants = sum(len(each.graph) for each in packaged.variants.values())
    alone = sum(len(getattr(packaged, name).graph) for name in ("encode", "expand", "frame"))
    assert alone < stored < alone + 0.6 * variants


def test_what_two_models_have_in_common_is_stored_once(
    packaged: SplitModel, tmp_path: Path
) -> None:
    other = replace(packaged, frame=packaged.variants["blocks"])
    write_programs(tmp_path / "one" / "programs", "a", packaged)
    write_programs(tmp_path / "two" / "programs", "b", other, shared=tmp_path / "one" / "programs")
    moved = tmp_path.rename(tmp_path.with_name("elsewhere"))  # both together

    assert read_programs(moved / "two" / "programs", "b") == other
    assert (moved / "two" / "programs" / "programs.bin").stat().st_size == 0

    (moved / "one" / "programs" / "programs.bin").unlink()
    assert read_programs(moved / "two" / "programs", "b") is None


@pytest.mark.parametrize("name", PACKAGED_MODELS)
def test_every_packaged_model_has_its_programs(name: str) -> None:
    folder = PACKAGED.with_name(name) / PROGRAMS_FOLDER
    found = read_programs(folder, stored_fingerprint(folder) or "")
    assert found is not None and found.staged_frame is not None
    assert set(found.variants) == {"blocks", "transposed", "fused"}
