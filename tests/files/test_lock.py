from pathlib import Path

import pytest

from live_nst.errors import ConversionError
from live_nst.files.lock import FileLock


def test_only_one_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        FileLock(path, tmp_path / "film.mp4"),
        pytest.raises(ConversionError, match=r"film\.mp4 is being written"),
    ):
        FileLock(path, tmp_path / "film.mp4")
    lock = FileLock(path, tmp_path / "film.mp4")
    lock.close()
    lock.close()


def test_file_that_its_holder_removed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = FileLock(path, path)
    path.unlink()
    with FileLock(path, path):
        first.close()
        with pytest.raises(ConversionError):
            FileLock(path, path)
