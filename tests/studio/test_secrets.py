"""Neither an answer nor a message shows a password, the key of a stream, or the token."""

import re
import stat
import sys
from dataclasses import replace

import pytest

from live_nst.errors import ControlError
from live_nst.presets.files import named_preset
from live_nst.remote.client import SessionClient, read_link
from live_nst.studio.figures import figure_routes
from tests.studio.conftest import StudioHarness
from tests.studio.test_api import problem

PASSWORD = "g3heim"
KEY = "k3y-of-a-stream"
TOKEN = "the-token-of-the-studio"
CAMERA = f"rtsp://admin:{PASSWORD}@cam.local:554/ch1?pw={PASSWORD}"
OTHER = f"http://cam2.local/user=admin_{PASSWORD}/video"
SECRETS = (PASSWORD, KEY, TOKEN, "admin")


@pytest.fixture
def token() -> str:
    return TOKEN


@pytest.fixture
def guarded(studio: StudioHarness) -> StudioHarness:
    """A studio that shows a camera with a password and streams with a key."""
    studio.client.headers["authorization"] = f"Bearer {TOKEN}"
    studio.host.options = replace(studio.host.options, source=CAMERA)
    studio.start()
    return studio


def hides(text: str) -> bool:
    return not any(secret in text for secret in SECRETS)


def test_no_answer_shows_a_secret(guarded: StudioHarness) -> None:
    client = guarded.client
    url = f"rtmp://127.0.0.1:9/app/{KEY}"
    texts = [client.post("/api/streams", json={"url": url}).text]
    texts.append(client.post("/api/streams", json={"url": url}).text)  # it is streamed to already
    guarded.parts.studio.sources.add(OTHER)
    description = client.get("/api/openapi.json").json()
    for path, methods in description["paths"].items():
        if "get" in methods and path != "/stream.mjpeg":
            texts.append(client.get(re.sub(r"{.*?}", "starry", path)).text)
    texts += [client.get(path).text for path in ("/", "/static/js/main.js", "/nothing")]
    with guarded.connect("/api/events", Authorization=f"Bearer {TOKEN}") as events:
        texts += [str(events.receive()) for _ in range(3)]
    assert len(texts) > 12
    assert all(map(hides, texts)), [text for text in texts if not hides(text)]
    assert all(map(hides, guarded.notes)), guarded.notes
    assert any("cam.local" in text for text in texts)


def test_a_camera_is_chosen_by_its_id(guarded: StudioHarness) -> None:
    guarded.parts.studio.sources.add(OTHER)
    entries = {entry["label"]: entry for entry in guarded.client.get("/api/sources").json()}
    current = guarded.state()["session"]["source"]["id"]
    assert current == entries["rtsp://***@cam.local:554/ch1?***"]["id"]
    other = entries["http://cam2.local/***/video"]
    state = guarded.client.put("/api/session", json={"source": other["id"]}).json()
    assert state["session"]["source"]["id"] == other["id"] != current
    # Who knows the address may name it, but gets the id back.
    state = guarded.client.put("/api/session", json={"source": CAMERA}).json()
    assert state["session"]["source"]["id"] == current
    assert guarded.names == [CAMERA, OTHER, CAMERA]
    unknown = guarded.client.put("/api/session", json={"source": CAMERA + PASSWORD})
    assert hides(problem(unknown, 422))
    for path in ("/etc/passwd", "given-9", "given-0"):
        problem(guarded.client.put("/api/session", json={"source": path}), 422)


def test_an_unexpected_error_hides_addresses(
    guarded: StudioHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError(f"{CAMERA} rtmp://host/app/{KEY}")

    monkeypatch.setattr("live_nst.studio.host.LiveSession", fail)
    answer = guarded.client.put("/api/session", json={"fps": 20})
    assert "cam.local" in problem(answer, 409) and hides(answer.text)
    assert hides(guarded.client.get("/api/state").text)
    monkeypatch.setattr(guarded.parts.studio, "snapshot", fail)
    answer = guarded.client.post("/api/snapshot")
    problem(answer, 500)
    assert hides(answer.text) and all(map(hides, guarded.notes))


def test_figures_hide_the_login(guarded: StudioHarness) -> None:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    app = FastAPI()
    app.include_router(figure_routes(lambda: guarded.host.session))
    text = TestClient(app).get("/metrics").text
    assert "cam.local" in text and hides(text)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
@pytest.mark.parametrize("way", ["key", "page"])
def test_presets_are_for_their_user_alone(guarded: StudioHarness, way: str) -> None:
    if way == "page":
        assert guarded.client.post("/api/presets", json={"name": "mine"}).status_code == 201
        path = named_preset("mine")
    else:
        session = guarded.host.session
        assert session is not None
        from live_nst.presets.files import write_session

        path = write_session(session)
    assert PASSWORD in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_preset_that_cannot_be_used_shows_no_key(guarded: StudioHarness) -> None:
    path = named_preset("bad")
    path.parent.mkdir(parents=True, exist_ok=True)
    for line in (
        f'stream = [{{ url = "{KEY}" }}]',
        f'stream = "{KEY}"',
        f'source = ["{CAMERA}"]',
        f'stream = "rtmp://host:{KEY}/app"',
    ):
        path.write_text(line)
        answer = guarded.client.put("/api/presets/bad/load")
        assert answer.status_code >= 400 and hides(answer.text), answer.text


def test_link_with_a_login_is_not_shown() -> None:
    client = SessionClient(read_link(f"http://admin:{PASSWORD}@127.0.0.1:9/?token={TOKEN}"))
    with pytest.raises(ControlError) as caught:
        client.ask("GET", "/api/state")
    assert hides(f"{caught.value} {caught.value.hint}") and "127.0.0.1:9" in str(caught.value)
