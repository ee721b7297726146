from pathlib import Path

import pytest

from live_nst.files.cache import CACHE_VARIABLE, cache_root


def test_cache_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "mine"))
    assert cache_root() == tmp_path / "mine"
    monkeypatch.setenv(CACHE_VARIABLE, "~/mine")
    assert cache_root() == Path.home() / "mine"
    monkeypatch.setenv(CACHE_VARIABLE, "")
    assert cache_root().is_absolute()
    assert cache_root().name.lower() in ("live-nst", "cache")
