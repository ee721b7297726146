"""What outlives a restart of the session in the page, and what is off visibly."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from live_nst.errors import SourceError, VirtualCameraError
from tests.studio.conftest import FakeModel, StudioHarness
from tests.studio.test_api import problem

STREAMS = ["udp://127.0.0.1:9?pkt_size=1316", "udp://127.0.0.1:11"]


class FakeCamera:
    """A virtual camera that takes every frame.

    Attributes:
        opened: The devices that were opened, in order.
        failure: Raised when one is opened.
    """

    rate = None
    opened: list[str | None] = []  # noqa: RUF012
    failure: VirtualCameraError | None = None

    def __init__(self, device: str | None, rate: float, size: tuple[int, int]) -> None:
        FakeCamera.opened.append(device)
        if FakeCamera.failure is not None:
            raise FakeCamera.failure
        self.name = f"virtual camera {device or '/dev/video10'}"
        self.size = size

    def write(self, frame: Any) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def busy(studio: StudioHarness, monkeypatch: pytest.MonkeyPatch) -> Iterator[StudioHarness]:
    """A studio with everything on."""
    monkeypatch.setattr("live_nst.sinks.virtual_camera.VirtualCamera", FakeCamera)
    studio.start()
    client = studio.client
    client.patch("/api/settings", json={"split": True, "split_at": 0.3, "frozen": True})
    assert client.put("/api/virtual-camera", json={"on": True}).status_code == 200
    for url in STREAMS:
        assert client.post("/api/streams", json={"url": url}).status_code == 201
    yield studio
    FakeCamera.opened.clear()
    FakeCamera.failure = None


def outputs(state: Any) -> tuple[bool, list[str]]:
    """Whether the virtual camera is on, and the streams."""
    return state["virtual_camera"]["on"], [stream["url"] for stream in state["streams"]]


def restart(studio: StudioHarness, fps: int = 20) -> Any:
    answer = studio.client.put("/api/session", json={"fps": fps})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_restart_keeps_view_and_outputs(busy: StudioHarness) -> None:
    before = busy.state()
    assert outputs(before)[0] and len(before["streams"]) == 2
    models = len(FakeModel.made)
    state = restart(busy)
    assert len(FakeModel.made) == models + 1
    assert outputs(state) == outputs(before)
    assert FakeCamera.opened == [None, "/dev/video10"]
    settings = state["settings"]
    assert (settings["split"], settings["split_at"], settings["frozen"]) == (True, 0.3, False)
    # What was switched off stays off.
    busy.client.put("/api/virtual-camera", json={"on": False})
    busy.client.delete(f"/api/streams/{state['streams'][0]['id']}")
    busy.client.patch("/api/settings", json={"split": False})
    state = restart(busy, 24)
    assert outputs(state) == (False, outputs(before)[1][1:])
    assert not state["settings"]["split"]


def test_restart_ends_the_recording_with_a_sentence(studio: StudioHarness) -> None:
    studio.start()
    studio.client.put("/api/recording", json={"on": True})
    frames = studio.state()["figures"]["frames"]
    studio.wait(lambda: studio.state()["figures"]["frames"] > frames + 3)
    recording = restart(studio)["recording"]
    assert not recording["on"] and len(recording["finished"]) == 1
    (name,) = recording["finished"]
    assert [note for note in studio.notes if name in note and "has ended" in note]


def test_all_tabs_show_the_same(busy: StudioHarness) -> None:
    with busy.connect("/api/events") as first, busy.connect("/api/events") as second:
        restart(busy)
        wanted = busy.state()

        def shown(tab: Any) -> Any:
            while True:
                message = tab.receive_json()
                if message["type"] == "state" and message["state"]["version"] >= wanted["version"]:
                    return message["state"]

        for tab in (first, second):
            state = shown(tab)
            assert outputs(state) == outputs(wanted)
            assert state["settings"] == wanted["settings"]


def test_outputs_that_cannot_be_opened_again_are_off(busy: StudioHarness) -> None:
    FakeCamera.failure = VirtualCameraError("the device is busy", "close the other program")
    state = restart(busy)
    assert state["session"]["running"] and outputs(state) == (False, outputs(state)[1])
    assert len(state["streams"]) == 2
    assert [note for note in busy.notes if "is off now: the device is busy" in note]


def test_stop_turns_outputs_off_and_keeps_the_view(busy: StudioHarness) -> None:
    state = busy.client.delete("/api/session").json()
    assert outputs(state) == (False, [])
    assert (state["settings"]["split"], state["settings"]["split_at"]) == (True, 0.3)
    state = busy.client.put("/api/session", json={}).json()
    assert state["session"]["running"] and outputs(state) == (False, [])
    assert (state["settings"]["split"], state["settings"]["split_at"]) == (True, 0.3)
    assert not state["settings"]["frozen"]


def test_failed_restart_goes_back_with_the_outputs(busy: StudioHarness) -> None:
    before = busy.state()
    busy.refused["1"] = SourceError("busy")
    problem(busy.client.put("/api/session", json={"source": "1", "fps": 20}), 409)
    assert outputs(busy.state()) == outputs(before)
    assert busy.state()["settings"]["split"]


def test_a_session_that_breaks_leaves_its_settings(
    studio: StudioHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.start()
    studio.client.patch("/api/settings", json={"strength": 0.3, "split": True})
    session = studio.host.session
    assert session is not None
    broken = threading.Event()

    def check() -> str:
        broken.set()
        raise SourceError("the camera burns")

    monkeypatch.setattr(session._capture, "check", check)
    assert broken.wait(20)
    studio.wait(lambda: not studio.state()["session"]["running"])
    state = studio.state()
    assert "burns" in state["session"]["problem"]
    assert (state["settings"]["strength"], state["settings"]["split"]) == (0.3, True)


def test_source_changed_by_a_preset_outlives_a_stop(studio: StudioHarness) -> None:
    from live_nst.presets.files import named_preset

    studio.start()
    path = named_preset("other")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('source = "1"\n')
    assert studio.client.put("/api/presets/other/load").status_code == 200
    studio.client.delete("/api/session")
    assert studio.state()["session"]["source"]["id"] == "1"
    state = studio.client.put("/api/session", json={}).json()
    assert state["session"]["source"]["name"] == "fake 1"
