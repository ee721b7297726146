"""The HTTP requests of pages and programs, with a fake source and model."""

import io
import re
import socket
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import av
import pytest
from PIL import Image as Pillow

from live_nst.engines.choice import ENGINES
from live_nst.errors import ModelError, SourceError
from live_nst.models.handles import no_model
from live_nst.studio.models import SessionRequest
from live_nst.styles.builtin import builtin_styles
from tests.studio.conftest import FakeModel, StudioHarness, jpeg


def problem(answer: Any, status: int) -> str:
    """Check that an answer is an error as all are; return its sentence."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error", "hint"} and body["error"].endswith(".")
    assert "Traceback" not in answer.text
    return str(body["error"])


def test_state_without_a_session(studio: StudioHarness) -> None:
    state = studio.state()
    assert not state["session"]["running"] and state["session"]["source"]["id"] == "demo"
    assert state["settings"]["style"] == {"starry": 1.0}
    assert state["settings"]["size"] == "auto" and state["secure"]
    for request in (
        studio.client.patch("/api/settings", json={"strength": 0.5}),
        studio.client.post("/api/keys", json={"key": "n"}),
        studio.client.post("/api/snapshot"),
        studio.client.put("/api/recording", json={"on": True}),
        studio.client.put("/api/virtual-camera", json={"on": True}),
    ):
        assert problem(request, 409) == "No session runs."


def test_state_of_a_session(studio: StudioHarness) -> None:
    studio.start()
    state = studio.state()
    assert state["session"]["running"] and state["session"]["problem"] == ""
    assert state["session"]["source"] == {
        "id": "demo", "name": "fake demo", "width": 64, "height": 48, "fps": 30.0,
    }  # fmt: skip
    assert state["runs"]["model"] == "fake" and state["runs"]["size"] == [64, 48]
    again = studio.state()
    assert again["version"] == state["version"]
    studio.client.patch("/api/settings", json={"mirror": True})
    assert studio.state()["version"] > state["version"]


def test_settings(studio: StudioHarness) -> None:
    studio.start()
    body = {"strength": 0.6, "style": "wave", "size": 256, "only": "everywhere", "split_at": 0.3}
    settings = studio.client.patch("/api/settings", json=body).json()["settings"]
    assert settings["style"] == {"wave": 1.0} and settings["style_label"] == "wave"
    assert (settings["strength"], settings["size"], settings["split_at"]) == (0.6, 256, 0.3)
    mixed = studio.client.patch("/api/settings", json={"style": {"wave": 3, "starry": 1}}).json()
    assert mixed["settings"]["style"] == {"wave": 0.75, "starry": 0.25}
    assert mixed["settings"]["style_label"] == "wave 75% + starry 25%"
    studio.wait(lambda: FakeModel.made[-1].style == "wave 75% + starry 25%")


INVALID_SETTINGS: list[Any] = [
    {"strength": 1.5}, {"strength": "1"}, {"strength": None, "x": 1}, {"size": 10},
    {"size": "automatic"}, {"style": "nosuch"}, {"style": {"starry": -1}}, {"style": {}},
    {"style": {"starry": 0}}, {"style": "../../etc/passwd"}, {"style": ["starry"]},
    {"only": "/etc/passwd"}, {"blend": "x"}, {"stroke": 9}, {"mirror": 1}, {"split_at": -1},
    {"style": {f"upload-{n}": 1 for n in range(20)}}, [], "text", 3, None,
]  # fmt: skip


def test_invalid_settings_change_nothing(studio: StudioHarness) -> None:
    studio.start()
    before = studio.state()["settings"]
    for body in INVALID_SETTINGS:
        if isinstance(body, dict):
            body = {"detail": 0.5, **body}
        problem(studio.client.patch("/api/settings", json=body), 422)
    assert studio.state()["settings"] == before


def test_malformed_json(studio: StudioHarness) -> None:
    for body in (b"{", b"\xff\xfe", b"NaN", b'{"strength": NaN}'):
        answer = studio.client.patch(
            "/api/settings", content=body, headers={"content-type": "application/json"}
        )
        problem(answer, 422)
    deep = studio.client.patch(
        "/api/settings", content=b"[" * 5000, headers={"content-type": "application/json"}
    )
    # Python 3.13 reads deeper than 3.11 before it gives up.
    problem(deep, 422 if "JSON" in deep.text else 400)
    plain = studio.client.patch(
        "/api/settings", content=b'{"strength": 0.5}', headers={"content-type": "text/plain"}
    )
    problem(plain, 422)  # what a form of another site can send


def test_keys(studio: StudioHarness) -> None:
    studio.start()
    first = studio.client.post("/api/keys", json={"key": "n"}).json()["settings"]["style"]
    names = list(builtin_styles())
    assert first == {names[names.index("starry") + 1]: 1.0}
    assert studio.client.post("/api/keys", json={"key": "m"}).json()["settings"]["mirror"]
    problem(studio.client.post("/api/keys", json={"key": "ä"}), 422)
    problem(studio.client.post("/api/keys", json={"key": "unheard of"}), 422)


def test_styles(studio: StudioHarness) -> None:
    styles = studio.client.get("/api/styles").json()
    assert [style["id"] for style in styles] == list(builtin_styles())
    picture = studio.client.get(styles[0]["picture"])
    assert picture.headers["content-type"] == "image/jpeg"
    assert max(Pillow.open(io.BytesIO(picture.content)).size) == 320
    problem(studio.client.get("/api/styles/nosuch/picture"), 404)
    problem(studio.client.get("/api/styles/%2e%2e%2fpasswd/picture"), 404)
    problem(studio.client.delete("/api/styles/starry"), 404)


def test_uploaded_picture_becomes_a_style(studio: StudioHarness) -> None:
    studio.start()
    headers = {"content-type": "image/jpeg", "x-label": quote("my <b>käse</b>\n.jpg")}
    answer = studio.client.post("/api/styles", content=jpeg(), headers=headers)
    assert answer.status_code == 201
    style = answer.json()
    assert (style["id"], style["label"], style["kind"]) == (
        "upload-1", "my <b>käse</b> .jpg", "upload",
    )  # fmt: skip
    again = studio.client.post("/api/styles", content=jpeg(), headers=headers).json()
    assert again["label"] == "my <b>käse</b> .jpg (2)"
    state = studio.client.patch("/api/settings", json={"style": "upload-1"}).json()
    assert state["settings"]["style"] == {"upload-1": 1.0}
    studio.wait(lambda: FakeModel.made[-1].style == style["label"])
    assert studio.client.delete("/api/styles/upload-1").status_code == 204
    problem(studio.client.delete("/api/styles/upload-1"), 404)
    assert studio.state()["settings"]["style_label"] == style["label"]  # it stays in use
    assert list(studio.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"not a picture", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (jpeg()[:300], "damaged"),
        (jpeg()[:20], "not a picture"),
    ],
)
def test_uploads_that_are_no_pictures(studio: StudioHarness, data: bytes, says: str) -> None:
    answer = studio.client.post("/api/styles", content=data, headers={"content-type": "image/png"})
    assert says in problem(answer, 422)
    assert len(studio.client.get("/api/styles").json()) == len(builtin_styles())


def test_upload_of_too_many_pixels(studio: StudioHarness) -> None:
    buffer = io.BytesIO()
    Pillow.new("1", (9000, 9000)).save(buffer, "PNG")
    headers = {"content-type": "image/png"}
    answer = studio.client.post("/api/styles", content=buffer.getvalue(), headers=headers)
    assert "million pixels" in problem(answer, 422)
    problem(studio.client.post("/api/styles", content=jpeg()), 422)  # without its type


def test_thumbnails_are_made_while_somebody_looks(studio: StudioHarness) -> None:
    studio.start()
    problem(studio.client.get("/api/styles/starry/thumbnail"), 404)
    assert FakeModel.made[-1].previews == []
    with studio.connect("/api/events"):
        studio.wait(lambda: len(studio.state()["thumbnails"]) >= 2)
        headers = {"content-type": "image/jpeg"}
        studio.client.post("/api/styles", content=jpeg(), headers=headers)
        studio.wait(lambda: "upload-1" in studio.state()["thumbnails"])
        assert len(studio.state()["thumbnails"]) < len(builtin_styles())  # it did not wait
    name = next(iter(studio.state()["thumbnails"]))
    picture = studio.client.get(f"/api/styles/{name}/thumbnail?v=3").content
    assert Pillow.open(io.BytesIO(picture)).size == (192, 144)


def test_snapshot(studio: StudioHarness) -> None:
    studio.start()
    answer = studio.client.post("/api/snapshot")
    assert answer.headers["content-type"] == "image/png"
    assert Pillow.open(io.BytesIO(answer.content)).size == (64, 48)
    assert list(studio.folder.iterdir()) == []
    studio.client.post("/api/snapshot?save=1")
    (saved,) = studio.folder.iterdir()
    assert re.fullmatch(r"live-nst-[\d-]+\.png", saved.name)


def test_recording(studio: StudioHarness) -> None:
    studio.start()
    state = studio.client.put("/api/recording", json={"on": True}).json()["recording"]
    assert state["on"] and re.fullmatch(r"live-nst-[\d-]+\.mp4", state["file"])
    problem(studio.client.get(f"/api/recordings/{state['file']}"), 404)  # not finished
    frames = studio.state()["figures"]["frames"]
    studio.wait(lambda: studio.state()["figures"]["frames"] > frames + 5)
    assert studio.state()["recording"]["seconds"] > 0
    assert not studio.client.put("/api/recording", json={"on": False}).json()["recording"]["on"]
    studio.wait(lambda: studio.state()["recording"]["finished"] == [state["file"]])
    answer = studio.client.get(f"/api/recordings/{state['file']}")
    assert answer.headers["content-disposition"].startswith("attachment")
    with av.open(io.BytesIO(answer.content)) as container:
        assert len(list(container.decode(video=0))) > 3


def test_only_recordings_of_the_studio_can_be_downloaded(studio: StudioHarness) -> None:
    (studio.folder / "secret.mp4").write_bytes(b"secret")
    for name in ("secret.mp4", "..", "../secret.mp4", "%2e%2e%2fsecret.mp4", "a%00b", "x" * 500):
        answer = studio.client.get(f"/api/recordings/{name}")
        assert answer.status_code in (404, 422) and b"secret" not in answer.content


def test_recording_that_cannot_be_written(studio: StudioHarness) -> None:
    studio.start()
    studio.host.session.control._folder = Path("/nowhere")  # type: ignore[union-attr]
    problem(studio.client.put("/api/recording", json={"on": True}), 409)
    assert not studio.state()["recording"]["on"]


def test_virtual_camera_that_is_not_there(studio: StudioHarness) -> None:
    studio.start()
    assert not studio.state()["virtual_camera"]["available"]
    body = {"on": True, "device": "/etc/passwd"}
    problem(studio.client.put("/api/virtual-camera", json=body), 422)


def test_streams(studio: StudioHarness) -> None:
    problem(studio.client.post("/api/streams", json={"url": "udp://127.0.0.1:9"}), 409)
    studio.start()
    for url in ("foo", "/etc/passwd", "out/live.m3u8", "file:///etc/x", "rtmp://", "x" * 3000):
        sentence = problem(studio.client.post("/api/streams", json={"url": url}), 422)
        assert "/etc" not in sentence
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        url = f"udp://127.0.0.1:{receiver.getsockname()[1]}?pkt_size=1316"
        answer = studio.client.post("/api/streams", json={"url": url})
        assert answer.status_code == 201
        (stream,) = answer.json()["streams"]
        assert stream["url"].endswith("/***")
        assert receiver.recv(2000)[0] == 0x47  # the sync byte of MPEG-TS
        assert studio.state()["streams"][0]["id"] == stream["id"]
        assert studio.client.delete(f"/api/streams/{stream['id']}").json()["streams"] == []
    problem(studio.client.delete(f"/api/streams/{stream['id']}"), 404)
    problem(studio.client.delete("/api/streams/x"), 422)


def test_sources(studio: StudioHarness) -> None:
    sources = studio.client.get("/api/sources").json()
    assert [(source["id"], source["kind"]) for source in sources] == [
        ("0", "camera"), ("1", "camera"), ("browser", "browser"), ("demo", "demo"),
    ]  # fmt: skip


def test_change_of_the_source_keeps_the_session(studio: StudioHarness) -> None:
    studio.start()
    state = studio.client.put("/api/session", json={"source": "1"}).json()
    assert state["session"]["source"]["name"] == "fake 1"
    assert len(FakeModel.made) == 1  # no model was loaded again
    studio.refused["0"] = SourceError("camera 0 is busy", "close the other program")
    answer = studio.client.put("/api/session", json={"source": "0"})
    assert answer.status_code == 409
    assert answer.json() == {"error": "Camera 0 is busy.", "hint": "close the other program"}
    assert studio.state()["session"]["source"]["id"] == "1"
    for source in ("/etc/passwd", "file:///etc/passwd", "2", "", "x" * 999):
        problem(studio.client.put("/api/session", json={"source": source}), 422)


def test_restart_keeps_the_settings(studio: StudioHarness) -> None:
    studio.start()
    body = {"strength": 0.4, "style": {"wave": 1, "ink": 1}, "size": 256, "mirror": True}
    studio.client.patch("/api/settings", json=body)
    settings = studio.state()["settings"]
    state = studio.client.put("/api/session", json={"engine": "tensorflow"}).json()
    assert len(FakeModel.made) == 2 and FakeModel.made[0].closed
    assert FakeModel.made[1].options.engine == "tensorflow"
    assert state["settings"] == settings and state["session"]["running"]


def test_restart_that_fails_goes_back(studio: StudioHarness) -> None:
    studio.start()
    error = ModelError("there is no such model", "use mobile")

    class Failing(FakeModel):
        def __init__(self, options: Any, **more: Any) -> None:
            if options.model == "hub":
                raise error
            super().__init__(options, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("live_nst.live.session.StylizerCore", Failing)
        answer = studio.client.put("/api/session", json={"model": "hub"})
        assert answer.status_code == 409 and answer.json()["error"] == "There is no such model."
        state = studio.state()
        assert state["session"]["running"] and state["session"]["problem"] == ""


def test_restart_on_a_device_that_is_not_there_ends_nothing(studio: StudioHarness) -> None:
    studio.start()
    before = studio.host.session
    problem(studio.client.put("/api/session", json={"device": "gpu:7"}), 409)
    assert studio.host.session is before and len(FakeModel.made) == 1
    assert studio.state()["session"]["problem"] == ""


@pytest.mark.parametrize("name", ["wrong", "moblie", "", "/etc", "https://host/model"])
def test_model_that_is_none(studio: StudioHarness, name: str) -> None:
    studio.start()
    answer = studio.client.put("/api/session", json={"model": name})
    command_line = no_model(name)
    assert problem(answer, 422) == f"{command_line.message}."
    guess = command_line.hint.partition("give")[0]  # "did you mean `mobile`? "
    assert answer.json()["hint"].startswith(f"{guess}give `auto`, `mobile`, `fine`, `live`, `hub`;")
    assert len(FakeModel.made) == 1  # the session went on


def test_other_values_that_no_session_takes(studio: StudioHarness) -> None:
    answer = studio.client.put("/api/session", json={"device": "gpux"})
    assert problem(answer, 422) == "Invalid device 'gpux'."
    assert "gpu:1 (the second GPU)" in answer.json()["hint"]
    engines, _ = get_args(SessionRequest.model_fields["engine"].annotation)
    assert set(get_args(engines)) == set(ENGINES)


def test_change_while_the_session_starts(studio: StudioHarness) -> None:
    studio.host.starting = True
    change = studio.client.patch("/api/settings", json={"strength": 0.5})
    key = studio.client.post("/api/keys", json={"key": "n"})
    for answer in (change, key):
        assert problem(answer, 409) == "The session is just starting."
    studio.host.starting = False
    change = studio.client.patch("/api/settings", json={"strength": 0.5})
    assert problem(change, 409) == "No session runs."


def test_stop_and_start(studio: StudioHarness) -> None:
    studio.start()
    studio.client.put("/api/recording", json={"on": True})
    studio.wait(lambda: studio.state()["recording"]["seconds"] > 0.2)
    state = studio.client.delete("/api/session").json()
    assert not state["session"]["running"] and state["session"]["problem"] == ""
    assert len(state["recording"]["finished"]) == 1  # the session has finished it
    assert studio.client.get(f"/api/recordings/{state['recording']['finished'][0]}").content
    assert studio.client.put("/api/session", json={}).json()["session"]["running"]


def test_settings_outlive_a_stop_and_a_failed_restart(studio: StudioHarness) -> None:
    studio.start()
    studio.client.patch("/api/settings", json={"style": "wave", "strength": 0.3})
    assert studio.client.delete("/api/session").json()["settings"]["style"] == {"wave": 1.0}
    settings = studio.client.put("/api/session", json={}).json()["settings"]
    assert (settings["style"], settings["strength"]) == ({"wave": 1.0}, 0.3)
    studio.client.patch("/api/settings", json={"strength": 0.2})
    studio.refused["1"] = SourceError("busy")
    problem(studio.client.put("/api/session", json={"source": "1", "fps": 20}), 409)
    state = studio.state()
    assert state["session"]["running"] and state["session"]["source"]["id"] == "demo"
    assert state["settings"]["strength"] == 0.2


def test_key_that_ends_the_session(studio: StudioHarness) -> None:
    studio.start()
    studio.client.post("/api/keys", json={"key": "q"})
    studio.wait(lambda: not studio.state()["session"]["running"])
    assert studio.state()["session"]["problem"] == ""


def test_session_that_ends_by_itself(
    studio: StudioHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.studio.conftest.FRAMES", 10)
    studio.host.start(studio.host.options)
    studio.wait(lambda: not studio.state()["session"]["running"])
    assert studio.state()["session"]["problem"] == "The source has ended."


def test_session_that_cannot_start(studio: StudioHarness) -> None:
    studio.refused["demo"] = SourceError("no camera", "plug one in")
    studio.host.begin()
    studio.wait(lambda: studio.state()["session"]["problem"])
    assert studio.state()["session"]["problem"] == "No camera (plug one in)."
    assert not studio.state()["session"]["starting"]


def test_pictures_for_obs(studio: StudioHarness) -> None:
    studio.start()
    problem(studio.client.get("/stream.mjpeg?fps=0"), 422)
    problem(studio.client.get("/stream.mjpeg?width=1"), 422)


def test_page_and_description(studio: StudioHarness) -> None:
    page = studio.client.get("/")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    assert "<script>" not in page.text and " style=" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    for path in re.findall(r'(?:src|href)="(/static/[^"#?]+)', page.text):
        assert studio.client.get(path).status_code == 200, path
    description = studio.client.get("/api/openapi.json").json()
    assert "/api/state" in description["paths"]
    problem(studio.client.get("/docs"), 404)
    problem(studio.client.get("/static/../app.py"), 404)
    problem(studio.client.get("/static/%2e%2e/app.py"), 404)
    problem(studio.client.post("/api/state"), 405)
