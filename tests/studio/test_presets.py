"""Presets over HTTP: names only, and the session starts again only if it must."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from live_nst.errors import SourceError, VirtualCameraError
from live_nst.presets.files import named_preset
from tests.studio.conftest import FakeModel, StudioHarness, jpeg
from tests.studio.test_api import problem


def write(name: str, text: str) -> Path:
    path = named_preset(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def load(studio: StudioHarness, name: str) -> Any:
    answer = studio.client.put(f"/api/presets/{name}/load")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_save_and_load(studio: StudioHarness) -> None:
    studio.start()
    assert studio.client.get("/api/presets").json() == []
    style = {"wave": 0.5, "ink": 0.5}
    studio.client.patch("/api/settings", json={"strength": 0.3, "style": style, "size": 256})
    saved = studio.client.post("/api/presets", json={"name": "quiet"})
    assert (saved.status_code, saved.json()) == (201, ["quiet"])
    studio.client.patch("/api/settings", json={"strength": 1.0, "style": "starry", "size": "auto"})
    state = load(studio, "quiet")
    assert state["settings"]["style"] == style
    assert (state["settings"]["strength"], state["settings"]["size"]) == (0.3, 256)
    assert len(FakeModel.made) == 1  # the session went on
    table = tomllib.loads(named_preset("quiet").read_text())
    assert table["style"] == ["wave:0.5+ink:0.5"]
    assert table["source"] == "demo"


def test_save_without_a_session(studio: StudioHarness) -> None:
    studio.client.post("/api/presets", json={"name": "start"})
    assert tomllib.loads(named_preset("start").read_text())["style"] == ["starry"]


def test_uploaded_picture_outlives_the_studio(studio: StudioHarness) -> None:
    studio.start()
    headers = {"content-type": "image/jpeg", "x-label": "../../evil"}
    upload = studio.client.post("/api/styles", content=jpeg(), headers=headers).json()
    studio.client.patch("/api/settings", json={"style": upload["id"]})
    assert studio.client.post("/api/presets", json={"name": "mine"}).status_code == 201
    path = named_preset("mine")
    (style,) = tomllib.loads(path.read_text())["style"]
    assert style == f"mine/{upload['id']}.png" and (path.parent / style).is_file()
    studio.client.patch("/api/settings", json={"style": "starry"})
    state = load(studio, "mine")
    (style_id,) = state["settings"]["style"]
    assert style_id.startswith("given-")
    assert style_id in [entry["id"] for entry in studio.client.get("/api/styles").json()]


def test_key_writes_a_preset_with_its_uploaded_picture(studio: StudioHarness) -> None:
    studio.start()
    headers = {"content-type": "image/jpeg", "x-label": "mine"}
    upload = studio.client.post("/api/styles", content=jpeg(), headers=headers).json()
    studio.client.patch("/api/settings", json={"style": upload["id"]})
    assert studio.client.post("/api/keys", json={"key": "w"}).status_code == 200
    (path,) = studio.folder.glob("*.toml")
    (style,) = tomllib.loads(path.read_text())["style"]
    assert style == f"{path.stem}/upload-1.png" and (studio.folder / style).is_file()


@pytest.mark.parametrize("key", ["w", "s", "r"])
def test_key_whose_file_cannot_be_written(studio: StudioHarness, key: str) -> None:
    studio.start()
    studio.wait(lambda: studio.state()["figures"]["frames"] > 0)
    studio.host.session.control._folder = Path("/nowhere")  # type: ignore[union-attr]
    assert problem(studio.client.post("/api/keys", json={"key": key}), 409)


def test_other_model_starts_the_session_again(studio: StudioHarness) -> None:
    studio.start()
    write("other", 'engine = "tensorflow"\nfps = 25\nstrength = 0.5\nsource = "clip.mp4"\n')
    state = load(studio, "other")
    assert [model.options.engine for model in FakeModel.made] == ["auto", "tensorflow"]
    assert state["settings"]["strength"] == 0.5
    assert state["session"]["source"]["name"].endswith("clip.mp4")
    changed = studio.client.put("/api/session", json={"fps": 20})  # the source is known now
    assert changed.status_code == 200, changed.text


def test_load_starts_a_session(studio: StudioHarness) -> None:
    write("first", 'style = "ink"\nmirror = true\nsource = "demo"\n')
    state = load(studio, "first")
    assert state["session"]["running"]
    assert state["settings"]["style"] == {"ink": 1.0} and state["settings"]["mirror"]


def test_what_belongs_to_this_run_stays(studio: StudioHarness, tmp_path: Path) -> None:
    studio.start()
    write("run", 'source = "demo"\nwindow = true\nrecord = "a.mp4"\nframes = 1\nfolder = "/"\n')
    load(studio, "run")
    assert studio.host.session is not None
    assert studio.host.session.control.folder == tmp_path
    assert studio.state()["session"]["running"] and not studio.state()["recording"]["on"]


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        ("strenght = 1", 422, "no option called 'strenght'"),
        ("strength = 7", 422, "Invalid strength 7"),
        ('style = "/etc/passwd"', 422, "passwd"),
        ("x", 422, "no valid TOML"),
    ],
)
def test_preset_that_cannot_be_used(
    studio: StudioHarness, text: str, status: int, words: str
) -> None:
    studio.start()
    write("bad", text)
    before = studio.state()["settings"]
    assert words in problem(studio.client.put("/api/presets/bad/load"), status)
    assert studio.state()["settings"] == before


@pytest.mark.parametrize("more", ['source = "2"', 'stream = "http://host/app/key"'])
def test_preset_of_which_a_part_fails_changes_nothing(studio: StudioHarness, more: str) -> None:
    studio.start()
    studio.refused["2"] = SourceError("busy")
    write("half", f"style = 'wave'\nmirror = true\nstrength = 0.2\n{more}\n")
    before = studio.state()["settings"]
    problem(studio.client.put("/api/presets/half/load"), 409 if "source" in more else 422)
    assert studio.state()["settings"] == before and len(FakeModel.made) == 1


def test_preset_whose_virtual_camera_is_missing_starts_its_streams(
    studio: StudioHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(device: str | None) -> str:
        raise VirtualCameraError("there is no virtual camera", "install one")

    studio.start()
    assert studio.host.session is not None
    monkeypatch.setattr(studio.host.session, "start_virtual_camera", refuse)
    write("show", "source = 'demo'\nvirtual-camera = '/dev/video7'\nstream = 'udp://127.0.0.1:9'\n")
    answer = studio.client.put("/api/presets/show/load")
    assert problem(answer, 409) == "There is no virtual camera."
    assert len(studio.state()["streams"]) == 1


def test_preset_that_names_no_source_keeps_it(studio: StudioHarness) -> None:
    studio.host.options = replace(
        studio.host.options, request=replace(studio.host.options.request, width=320, height=180)
    )
    studio.start()
    write("look", 'style = "wave"\nstrength = 0.5\n')
    state = load(studio, "look")
    assert (state["session"]["source"]["id"], state["settings"]["strength"]) == ("demo", 0.5)
    assert len(FakeModel.made) == 1  # the session went on


@pytest.mark.parametrize("name", ["gone", "..", "a.b", "%2e%2e%2fx", "x" * 65])
def test_names(studio: StudioHarness, name: str) -> None:
    answer = studio.client.put(f"/api/presets/{name}/load")
    assert answer.status_code in (404, 405, 422)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a.toml", "x" * 65, 5, None])
def test_names_to_save(studio: StudioHarness, name: Any, own_config: Path) -> None:
    problem(studio.client.post("/api/presets", json={"name": name}), 422)
    assert not own_config.exists()
