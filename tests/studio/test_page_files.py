"""The page's files: from memory, and only they."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from live_nst.studio.page_files import PAGE, page_routes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><p>ü</p>", "utf-8")
    (tmp_path / "js" / "a.js").write_text("a();")
    (tmp_path.parent / "secret.js").write_text("secret")
    return tmp_path


@pytest.fixture
def client(folder: Path) -> TestClient:
    app = FastAPI()
    app.include_router(page_routes(folder))
    return TestClient(app)


def test_files_have_their_type(client: TestClient) -> None:
    page = client.get("/")
    assert page.text == "<!doctype html><p>ü</p>"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    script = client.get("/static/js/a.js")
    assert script.text == "a();" and script.headers["content-type"].startswith("text/javascript")
    assert client.head("/").headers["content-length"] == str(len(page.content))


def test_a_known_file_is_not_sent_again(client: TestClient) -> None:
    tag = client.get("/static/js/a.js").headers["etag"]
    again = client.get("/static/js/a.js", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = client.get("/static/js/a.js", headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.text) == (200, "a();")


@pytest.mark.parametrize(
    "path", ["js", "js/", "", "js/b.js", "../secret.js", "%2e%2e/secret.js", "js/../../secret.js"]
)
def test_nothing_else_is_there(client: TestClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


def test_files_are_read_once(client: TestClient, folder: Path) -> None:
    (folder / "js" / "a.js").unlink()
    assert client.get("/static/js/a.js").text == "a();"


def test_the_page_is_whole() -> None:
    app = FastAPI()
    app.include_router(page_routes())
    client = TestClient(app)
    for path in PAGE.rglob("*.*"):
        found = client.get(f"/static/{path.relative_to(PAGE).as_posix()}")
        assert found.content == path.read_bytes()
