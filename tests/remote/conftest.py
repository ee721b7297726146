"""What the tests of control share: a session with fakes, and a folder for sockets."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from live_nst.live import session
from live_nst.live.session import LiveSession
from live_nst.remote.addresses import ListenAddress
from live_nst.studio.control import ControlServer
from tests.live.fakes import Running, wait_until
from tests.live.test_session import SessionHarness, harness, live_options  # noqa: F401
from tests.studio.conftest import FakeModel


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder for sockets of this test alone."""
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    monkeypatch.setattr("live_nst.remote.endpoints.runtime_folder", lambda: folder / "live-nst")
    return folder / "live-nst"


class Controlled:
    """A session that runs and is controlled."""

    def __init__(self, stack: ExitStack, address: ListenAddress | None, folder: Path) -> None:
        self.messages: list[str] = []
        options = live_options(window=False, styles=("starry", "wave", "ink"), folder=folder)
        self.session = stack.enter_context(LiveSession(options, self.messages.append))
        self.server = stack.enter_context(ControlServer(address, self.messages.append))
        stack.enter_context(self.server.attach(self.session))
        stack.enter_context(Running(self.session.pipeline))
        wait_until(lambda: self.session.pipeline.newest is not None)

    @property
    def settings(self) -> Any:
        return self.session.control.settings


@pytest.fixture
def controlled(
    request: pytest.FixtureRequest,
    harness: SessionHarness,  # noqa: F811
    runtime: Path,
    tmp_path: Path,
) -> Iterator[Controlled]:
    """A session under control, through a socket unless a test asks for an address."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "StylizerCore", FakeModel)
        yield Controlled(stack, getattr(request, "param", None), tmp_path)
