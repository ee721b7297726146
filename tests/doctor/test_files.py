import json
import os
from pathlib import Path

import pytest

from live_nst.doctor.files import check_cache, check_model, check_styles
from live_nst.doctor.finding import Finding, Severity
from live_nst.errors import ModelError
from live_nst.models.cache import ModelCache
from live_nst.models.handles import parse_handle
from tests.doctor.fakes import only, severities


def test_check_model(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(bytes(2_500_000))

    def broken() -> Path:
        raise ModelError("The packaged model is not whole", "install live-nst again")

    whole = only(check_model(lambda: tmp_path))
    assert whole.severity is Severity.OK
    assert "2.5 MB" in whole.text
    assert only(check_model(broken)) == Finding(
        "model", Severity.FAULT, "The packaged model is not whole", "install live-nst again"
    )


def test_check_styles_with_missing_pictures(tmp_path: Path) -> None:
    (tmp_path / "ink.jpg").touch()
    findings = check_styles(["ink", "wave"], lambda name: tmp_path / f"{name}.jpg")
    finding = only(findings)
    assert finding.severity is Severity.FAULT
    assert "wave" in finding.text


MODULE = {
    "saved_model.pb": b"\x08\x01\x12\x03abc",
    "variables/variables.index": b"index",
    "variables/variables.data-00000-of-00001": b"weights",
}


def keep(cache: ModelCache, address: str) -> Path:
    """Install a made-up module."""

    def fetch(folder: Path) -> None:
        for name, content in MODULE.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)

    return cache.install(parse_handle(address), fetch)


def test_check_cache(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path / "models")
    keep(cache, "hub")
    damaged = keep(cache, "https://example.org/module.tar.gz")
    (damaged / "variables" / "variables.index").unlink()
    no_list = keep(cache, "owner/model/tensorFlow2/default/1").parent
    (no_list / "complete.json").write_text("[]")
    (tmp_path / "models" / ".partial-abc").mkdir()
    (tmp_path / "bottlenecks" / "abc").mkdir(parents=True)
    (tmp_path / "bottlenecks" / "abc" / "one.npy").touch()

    first, *entries = check_cache(tmp_path)
    assert first.severity is Severity.OK
    assert "styles kept: 1, downloaded models kept: 3" in first.text
    assert len(entries) == 4
    told = {finding.text: finding for finding in entries}
    hub = next(finding for text, finding in told.items() if text.startswith("hub (https://"))
    assert hub.severity is Severity.OK
    assert "is kept" in hub.text
    wrong = next(finding for text, finding in told.items() if "example.org" in text)
    assert wrong.severity is Severity.NOTE
    assert "variables.index is missing" in wrong.text
    assert str(damaged.parent) in wrong.hint
    unlisted = next(finding for text, finding in told.items() if no_list.name in text)
    assert unlisted.severity is Severity.NOTE
    assert "list of files" in unlisted.text
    partial = next(finding for text, finding in told.items() if ".partial-abc" in text)
    assert partial.severity is Severity.NOTE


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"{}", b"null", b'{"address": 3}', b'{"address": "ftp://x"}']
)
def test_check_cache_with_damaged_list_of_files(tmp_path: Path, content: bytes) -> None:
    entry = tmp_path / "models" / "entry"
    entry.mkdir(parents=True)
    (entry / "complete.json").write_bytes(content)
    assert severities(check_cache(tmp_path)) == [Severity.OK, Severity.NOTE]


def test_check_cache_with_wrong_address(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path / "models")
    entry = keep(cache, "hub").parent
    marker = json.loads((entry / "complete.json").read_text())
    marker["address"] = "https://example.org/other.tar.gz"
    (entry / "complete.json").write_text(json.dumps(marker))
    assert severities(check_cache(tmp_path)) == [Severity.OK, Severity.NOTE]


def test_check_cache_does_not_create_it(tmp_path: Path) -> None:
    finding = only(check_cache(tmp_path / "new" / "cache"))
    assert finding.severity is Severity.OK
    assert list(tmp_path.iterdir()) == []


def test_check_cache_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert only(check_cache(file)).severity is Severity.NOTE
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    closed = only(check_cache(tmp_path / "cache"))
    assert closed.severity is Severity.NOTE
    assert "LIVE_NST_CACHE" in closed.hint
