"""The studio around a real session: the demo, the packaged model, a small size."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.live.options import LiveOptions
from live_nst.sources.base import SourceRequest
from live_nst.studio.app import create_app
from live_nst.studio.assemble import studio_parts
from live_nst.studio.security import Access, own_names
from live_nst.studio.server import Server, listen
from live_nst.studio.styles import StyleShelf
from live_nst.stylizer.options import StylizerOptions
from tests.studio.conftest import Socket

PATIENCE = 60.0


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A studio that shows the demo."""
    options = LiveOptions(
        stylizer=StylizerOptions(
            model="mobile", styles=("ink",), size=64, device="cpu", stabilize="fast"
        ),
        source="demo",
        request=SourceRequest(128, 72, 10.0),
        window=False,
        folder=tmp_path,
    )
    access = Access(own_names("127.0.0.1"))
    with StyleShelf() as shelf:
        host, parts = studio_parts(options, shelf, access, lambda _: None, lambda *_: None)
        with host, Server(create_app(parts), [listen("127.0.0.1", 0)]) as server:
            host.start(options)
            yield f"127.0.0.1:{server.port}"
            parts.hubs.end()


def test_style_changes_the_picture_and_thumbnails_differ(address: str) -> None:
    client = httpx.Client(base_url=f"http://{address}", timeout=PATIENCE)

    def picture() -> np.ndarray:
        with client.stream("GET", "/stream.mjpeg") as answer:
            data = b""
            for chunk in answer.iter_raw():
                data += chunk
                start, end = data.find(b"\xff\xd8\xff"), data.rfind(b"\xff\xd9")
                if 0 <= start < end:
                    break
        import io

        return np.asarray(Pillow.open(io.BytesIO(data[start : end + 2])), float)

    with client, Socket(f"ws://{address}/api/events", {}) as events:
        deadline = time.monotonic() + PATIENCE
        while len(events.receive_json().get("state", {}).get("thumbnails", ())) < 3:
            assert time.monotonic() < deadline
        versions = client.get("/api/state").json()["thumbnails"]
        thumbnails = {
            client.get(f"/api/styles/{name}/thumbnail?v={version}").content
            for name, version in versions.items()
        }
        assert len(thumbnails) == len(versions)
        before = picture()
        assert before.shape == (72, 128, 3) and np.ptp(before) > 50
        state = client.patch("/api/settings", json={"style": "candy"}).json()
        assert state["runs"]["model"] == "mobile" and state["runs"]["size"] == [64, 36]
        while abs(picture() - before).mean() < 20:  # ink has no color, candy has
            assert time.monotonic() < deadline
            time.sleep(0.05)
