from pathlib import Path

import pytest

from live_nst.files.atomic import atomic_write, write_bytes


@pytest.mark.parametrize("sync", [True, False])
def test_write(tmp_path: Path, sync: bool) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old", sync=sync)
    with atomic_write(path, sync=sync) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_error_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_nested_writes_in_one_folder(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a") as first, atomic_write(tmp_path / "b") as second:
        first.write(b"1")
        second.write(b"2")
    assert (tmp_path / "a").read_bytes() == b"1" and (tmp_path / "b").read_bytes() == b"2"


def test_longest_name(tmp_path: Path) -> None:
    write_bytes(tmp_path / ("n" * 255), b"content")
    assert [len(path.name) for path in tmp_path.iterdir()] == [255]


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_bytes(tmp_path / "missing" / "file", b"content")
