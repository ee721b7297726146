"""`--control` and `live-nst ctl`: real requests through real sockets."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import av
import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from live_nst.cli.app import app
from live_nst.cli.ctl_words import SETTINGS
from live_nst.errors import ControlError, LiveNstError, UsageError
from live_nst.remote.addresses import ListenAddress
from live_nst.remote.client import SessionClient, choose_endpoint
from live_nst.remote.endpoints import Endpoint, find_endpoints, write_endpoint
from live_nst.studio.control import ControlServer
from live_nst.studio.models import SettingsPatch
from tests.live.fakes import wait_until
from tests.remote.conftest import Controlled

PORT = ListenAddress("127.0.0.1", 0)
posix = pytest.mark.skipif(os.name != "posix", reason="there are no Unix sockets")


def ctl(*words: str) -> str:
    """Run `live-nst ctl` in this process; its output."""
    result = CliRunner().invoke(app, ["ctl", *words], catch_exceptions=True)
    if isinstance(result.exception, LiveNstError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@posix
def test_socket_is_for_the_user_alone(controlled: Controlled, runtime: Path) -> None:
    (endpoint,) = find_endpoints()
    assert endpoint.pid == os.getpid() and endpoint.token == "" and endpoint.url == ""
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in runtime.iterdir()}
    assert modes == {f"{os.getpid()}.json": 0o600, f"{os.getpid()}.sock": 0o600}
    assert stat.S_IMODE(runtime.stat().st_mode) == 0o700
    assert "through a socket" in controlled.server.describe()


@pytest.mark.parametrize("controlled", [PORT], indirect=True)
def test_port_needs_the_token(controlled: Controlled, runtime: Path) -> None:
    (endpoint,) = find_endpoints()
    assert endpoint.url.startswith("http://127.0.0.1:") and len(endpoint.token) > 20
    assert endpoint.token not in controlled.server.describe()
    if os.name == "posix":
        assert stat.S_IMODE((runtime / f"{os.getpid()}.json").stat().st_mode) == 0o600
    assert SessionClient(endpoint).ask("GET", "/api/state")["session"]["running"]
    for token in ("", "wrong", endpoint.token[:-1]):
        with pytest.raises(ControlError, match="token"):
            SessionClient(Endpoint(pid=1, url=endpoint.url, token=token)).ask("GET", "/api/state")
    ctl("mirror", "on")
    assert controlled.settings.mirror
    assert "64x48" in ctl("--url", endpoint.url, "--token", endpoint.token, "status")
    assert "64x48" in ctl("--url", f"{endpoint.url}/?token={endpoint.token}", "status")


def test_there_is_no_page(controlled: Controlled) -> None:
    client = SessionClient(choose_endpoint())
    with pytest.raises(ControlError, match="nothing at this address"):
        client.ask("GET", "/")
    paths = client.ask("GET", "/api/openapi.json")["paths"]
    assert {"/api/state", "/api/settings", "/api/presets/{name}/load"} <= set(paths)


def test_settings(controlled: Controlled) -> None:
    for words, field, expected in (
        (("style", "wave"), "style", "wave"),
        (("style", "wave:1+ink:3"), "style", "wave 25% + ink 75%"),
        (("strength", "0.6"), "strength", 0.6),
        (("strength", "1"), "strength", 1.0),
        (("keep-colors", "0.5"), "keep_colors", 0.5),
        (("stroke", "1.5"), "stroke", 1.5),
        (("blend", "styles"), "blend", "styles"),
        (("only", "person"), "only", "person"),
        (("size", "256"), "size", 256),
        (("size", "auto"), "automatic_size", True),
        (("mirror", "on"), "mirror", True),
        (("mirror", "off"), "mirror", False),
        (("split-at", "0.25"), "split_at", 0.25),
        (("frozen", "on"), "frozen", True),
    ):
        assert ctl(*words) == ""
        value = getattr(controlled.settings, field)
        assert (value.label if field == "style" else value) == expected, words


def test_every_setting_has_a_command() -> None:
    assert {name.replace("-", "_") for name in SETTINGS} | {"style"} == set(
        SettingsPatch.model_fields
    )


def test_key_status_and_lists(controlled: Controlled) -> None:
    ctl("key", "n")
    assert controlled.settings.style.label == "wave"
    lines = ctl("status").splitlines()
    assert lines[0].startswith("fake camera: 64x48, ")
    assert lines[1] == "style wave, strength 100%"
    state = json.loads(ctl("status", "--json"))
    assert state["settings"]["style"] == {"wave": 1.0}
    assert "wave  " in ctl("styles")
    assert "demo  demo" in ctl("sources")


def test_snapshot(controlled: Controlled, tmp_path: Path) -> None:
    path = tmp_path / "shot.png"
    ctl("snapshot", str(path))
    with Pillow.open(path) as picture:
        assert picture.size == (64, 48)
    ctl("snapshot")
    assert len(list(tmp_path.glob("live-nst-*.png"))) == 1


def test_key_that_writes_a_preset(controlled: Controlled, tmp_path: Path) -> None:
    ctl("key", "w")
    assert len(list(tmp_path.glob("live-nst-*.toml"))) == 1
    controlled.session.control._folder = Path("/nowhere")
    with pytest.raises(ControlError, match="no folder"):
        ctl("key", "w")


def test_record(controlled: Controlled, tmp_path: Path) -> None:
    name = ctl("record", "on").strip()
    wait_until(lambda: (tmp_path / name).exists())
    assert ctl("record", "off").strip() == name
    assert ctl("record", "off") == ""

    def finished() -> bool:
        return name in json.loads(ctl("status", "--json"))["recording"]["finished"]

    wait_until(finished)
    with av.open(str(tmp_path / name)) as container:
        assert sum(1 for _ in container.decode(video=0)) > 0


def test_presets(controlled: Controlled) -> None:
    ctl("strength", "0.3")
    ctl("style", "ink")
    ctl("preset", "save", "quiet")
    ctl("strength", "1")
    ctl("style", "wave")
    assert ctl("preset", "list") == "quiet\n"
    ctl("preset", "load", "quiet")
    assert controlled.settings.strength == 0.3
    assert controlled.settings.style.label == "ink"


def test_stop(controlled: Controlled) -> None:
    ctl("stop")
    wait_until(lambda: controlled.session.pipeline.stopping)


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (("style", "wavy"), "no style 'wavy'", "did you mean wave?"),
        (("style", "/etc/passwd"), "no style '/etc/passwd'", "ctl styles"),
        (("strength", "much"), "Invalid strength 'much'", "0..1"),
        (("strength", "7"), "Invalid strength '7'", "0..1"),
        (("stroke", "nan"), "Invalid stroke", "0.3..3"),
        (("size", "10"), "Size: Input", "openapi"),
        (("mirror", "maybe"), "neither on nor off", "on or off"),
        (("only", "/etc/passwd"), "Invalid only", "everywhere|person|background"),
        (("key", "zz"), "no such key", "h"),
        (("source", "/etc/passwd"), "no source '/etc/passwd'", "list"),
        (("preset", "load", "gone"), "no preset 'gone'", "list"),
        (("preset", "load", "../../etc/passwd"), "nothing at this address", "openapi"),
        (("preset", "save", "a/b"), "Name: ", "openapi"),
        (("preset", "load"), "names no preset", "NAME"),
        (("snapshot", "no/such/folder/x.png"), "no folder", "mkdir"),
        (("snapshot", "x.jpg"), "cannot write a picture", ".png"),
        (("--session", "1", "status"), "no session 1", "these run"),
        (("--url", "ftp://x", "status"), "no address of a session", ""),
        (("--url", "http://127.0.0.1:1/?token=x", "status"), "at http://127.0.0.1:1 does not", ""),
    ],
)
def test_bad_requests(
    controlled: Controlled, words: tuple[str, ...], message: str, hint: str
) -> None:
    with pytest.raises(LiveNstError, match=message) as caught:
        ctl(*words)
    assert hint in caught.value.hint
    assert controlled.session.pipeline.newest is not None


def test_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SessionClient, "read", lambda *_: b"<html>")
    with pytest.raises(ControlError, match="is no session"):
        ctl("--url", "http://127.0.0.1:1", "status")


def test_no_session(runtime: Path) -> None:
    assert find_endpoints() == []
    with pytest.raises(ControlError, match="No session runs") as caught:
        ctl("status")
    assert "--control" in caught.value.hint and "studio" in caught.value.hint


def test_several_sessions(controlled: Controlled, runtime: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"http://127.0.0.1:{other.getsockname()[1]}"
        path = write_endpoint(Endpoint(pid=99, kind="studio", url=url))
        with pytest.raises(ControlError) as caught:
            ctl("status")
        message = caught.value.message
        assert f"{os.getpid()} (live, a socket)" in message and f"99 (studio, {url})" in message
        assert "--session 99" in caught.value.hint
        assert "fake camera" in ctl("--session", str(os.getpid()), "status")
    assert "fake camera" in ctl("status")  # the other one has gone
    assert not path.exists()


@posix
def test_what_crashed_sessions_left(runtime: Path) -> None:
    runtime.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(runtime / "77.sock"))
    write_endpoint(Endpoint(pid=77, socket=str(runtime / "77.sock")))
    assert find_endpoints() == []
    assert list(runtime.iterdir()) == []


FOREIGN = {
    "0": "",
    "12": "[]",
    "2": '{"pid": 2}x',
    "3": '{"pid": "3", "url": 5}',
    "4": "{}",
    "5": '{"pid": 5}',
    "6": '{"pid": 6, "url": "http://127.0.0.1:1", "more": 1}',
    "7": '{"pid": 8, "url": "http://127.0.0.1:1"}',
    "notes": '{"pid": 9, "url": "http://127.0.0.1:1"}',
    "10": '{"pid": 10, "socket": "/nowhere/other.sock"}',
    "11": "[" * 9000,
    "1": '{"pid": true, "url": "http://127.0.0.1:1"}',
}
"""What we did not write, by the names of the files."""


@posix
def test_what_others_have_written_stays(runtime: Path) -> None:
    runtime.mkdir(mode=0o700)
    for name, text in FOREIGN.items():
        (runtime / f"{name}.json").write_text(text)
        (runtime / f"{name}.sock").touch()
    assert find_endpoints() == []
    assert len(list(runtime.iterdir())) == 2 * len(FOREIGN)


@posix
def test_folder_of_someone_else(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(ControlError, match="belongs to someone else"):
        ControlServer(None, print)
    assert find_endpoints() == []


def test_port_in_use(runtime: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = ListenAddress("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(UsageError, match="another program uses port") as caught:
            ControlServer(address, print)
    assert "--control" in caught.value.hint
    assert find_endpoints() == []


def test_nothing_is_left(runtime: Path) -> None:
    with ControlServer(None, print):
        assert len(list(runtime.iterdir())) == (2 if os.name == "posix" else 1)
    assert list(runtime.iterdir()) == []


def test_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    from live_nst.cli.options import require_studio

    with pytest.raises(LiveNstError, match="--control needs the package uvicorn") as caught:
        require_studio("--control")
    assert "pip install 'live-nst[studio]'" in caught.value.hint


def test_ctl_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom live_nst.cli.app import app\nimport live_nst.remote.client\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    heavy = {"numpy", "cv2", "av", "tensorflow", "fastapi", "pydantic", "requests", "uvicorn"}
    assert not heavy & set(done.stdout.split())
