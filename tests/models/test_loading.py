from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_nst.errors import DownloadError, ModelError, UsageError
from live_nst.models import loading
from live_nst.models.handles import parse_handle
from live_nst.models.loading import LoadedModel, ResolvedModel, load_model, resolve
from live_nst.models.saved_model import fingerprint
from tests.conftest import PACKAGED
from tests.models import tiny_models as modules


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
            return resolve(text, **keywords)
        if isinstance(folder, DownloadError):
            raise folder
        return ResolvedModel("hub", folder, parse_handle("hub"))

    monkeypatch.setattr(loading, "resolve", fake)
    monkeypatch.setattr(loading, "is_available_offline", lambda text: cached)


def test_mobile_is_said_by_name() -> None:
    model, said = load("mobile", "cpu")

    assert model.name == "mobile"
    assert model.fingerprint == fingerprint(PACKAGED)
    assert model.programs.bottleneck_size == 100
    assert said == ["Model mobile."]


def test_a_folder(small_folder: Path) -> None:
    model, said = load(str(small_folder))

    assert model.name == str(small_folder)
    assert model.fingerprint == fingerprint(small_folder) != fingerprint(PACKAGED)
    assert model.programs.bottleneck_size == modules.CODE
    assert said == [f"Model {small_folder}."]


@pytest.mark.usefixtures("no_gpu")
def test_auto_is_mobile_where_there_is_no_gpu() -> None:
    model, said = load("auto")
    assert model.name == "mobile"
    assert said == ["Model mobile: TensorFlow finds no GPU."]


@pytest.mark.usefixtures("gpu")
def test_auto_is_mobile_where_the_cpu_is_asked_for() -> None:
    model, said = load("auto", "cpu")
    assert model.name == "mobile"
    assert said == ["Model mobile: the CPU was asked for."]


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(("cached", "how"), [(True, "is cached"), (False, "was fetched")])
@pytest.mark.parametrize("device", ["auto", "gpu"])
def test_auto_is_hub_where_there_is_a_gpu(
    monkeypatch: pytest.MonkeyPatch, small_folder: Path, cached: bool, how: str, device: str
) -> None:
    hub_comes_from(monkeypatch, small_folder, cached=cached)

    model, said = load("auto", device)

    assert model.name == "hub"
    assert model.fingerprint == fingerprint(small_folder)
    assert said == [f"Model hub: there is a GPU, and the module {how}."]


@pytest.mark.usefixtures("gpu")
def test_auto_is_mobile_where_hub_cannot_be_fetched_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub_comes_from(monkeypatch, DownloadError("The server did not answer."), cached=False)

    model, said = load("auto")

    assert model.name == "mobile"
    (line,) = said
    assert line.startswith("Model mobile: there is a GPU, but")
    assert line.endswith("The server did not answer.")


@pytest.mark.usefixtures("gpu")
def test_hub_by_name_never_becomes_another_model(monkeypatch: pytest.MonkeyPatch) -> None:
    hub_comes_from(monkeypatch, DownloadError("The server did not answer."), cached=False)
    with pytest.raises(DownloadError, match="did not answer"):
        load("hub")


def test_what_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        load("nonsense")
    with pytest.raises(ModelError, match=r"saved_model\.pb is missing"):
        load(str(tmp_path))


def test_a_model_that_cannot_be_split(tmp_path: Path) -> None:
    folder = modules.save(modules.concatenated, tmp_path / "module")
    with pytest.raises(ModelError, match="from the first layer on"):
        load(str(folder))


def test_the_programs_are_those_of_the_folder(small_folder: Path) -> None:
    model, _ = load(str(small_folder))
    random = np.random.default_rng(0)
    content, style = (random.random((1, *hw, 3), np.float32) for hw in ((20, 24), (256, 256)))

    tensors = modules.run_program(
        model.programs.expand, *modules.run_program(model.programs.encode, style)
    )
    (painted,) = modules.run_program(model.programs.frame, content, *tensors)

    np.testing.assert_allclose(painted, modules.whole(modules.plain, content, style), atol=1e-5)
