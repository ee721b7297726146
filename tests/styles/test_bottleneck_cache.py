import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from live_nst.styles.bottlenecks import BottleneckCache

SIZE = 100
PICTURE = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
BOTTLENECK = np.random.default_rng(1).normal(size=SIZE).astype(np.float32)


@pytest.fixture
def cache(tmp_path: Path) -> BottleneckCache:
    return BottleneckCache(tmp_path / "cache", "f" * 64)


def the_file(root: Path) -> Path:
    (path,) = (path for path in root.rglob("*") if path.is_file())
    return path


def test_store_and_load(cache: BottleneckCache, tmp_path: Path) -> None:
    assert cache.load(PICTURE, SIZE) is None

    cache.store(PICTURE, BOTTLENECK)

    for again in (cache, BottleneckCache(tmp_path / "cache", "f" * 64)):
        found = again.load(PICTURE.copy(), SIZE)
        assert found is not None
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, BOTTLENECK)


def test_load_writes_nothing(cache: BottleneckCache, tmp_path: Path) -> None:
    cache.load(PICTURE, SIZE)
    assert list(tmp_path.iterdir()) == []


def test_store_replaces_the_file(cache: BottleneckCache, tmp_path: Path) -> None:
    cache.store(PICTURE, BOTTLENECK)
    first = the_file(tmp_path)
    cache.store(PICTURE, BOTTLENECK * 2)

    assert the_file(tmp_path) == first
    np.testing.assert_array_equal(cache.load(PICTURE, SIZE), BOTTLENECK * 2)


def test_other_model(cache: BottleneckCache, tmp_path: Path) -> None:
    cache.store(PICTURE, BOTTLENECK)
    assert BottleneckCache(tmp_path / "cache", "e" * 64).load(PICTURE, SIZE) is None


def one_pixel(picture: np.ndarray) -> np.ndarray:
    changed = picture.copy()
    changed[7, 7, 2] ^= 1
    return changed


@pytest.mark.parametrize(
    "change",
    [
        one_pixel,
        lambda p: p[::-1].copy(),
        lambda p: p[..., ::-1].copy(),
        lambda p: p.reshape(4, 16, 3),
    ],
    ids=["one bit", "upside down", "other colors", "same bytes, another shape"],
)
def test_other_image(cache: BottleneckCache, change: Callable[[np.ndarray], np.ndarray]) -> None:
    cache.store(PICTURE, BOTTLENECK)
    assert cache.load(change(PICTURE), SIZE) is None


def test_same_image_in_other_memory_layout(cache: BottleneckCache) -> None:
    cache.store(PICTURE, BOTTLENECK)
    assert cache.load(np.asfortranarray(PICTURE), SIZE) is not None


def saved(values: np.ndarray) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, values)

    return damage


def with_one(value: float) -> np.ndarray:
    values = BOTTLENECK.copy()
    values[50] = value
    return values


def zipped(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, values=BOTTLENECK)


def huge(path: Path) -> None:
    """The header declares 400 GB."""
    content = path.read_bytes()
    shape = f"({SIZE},), }}".encode()
    declared = b"(100000000000,), }"
    padding = b" " * (len(declared) - len(shape))
    assert shape + padding in content
    path.write_bytes(content.replace(shape + padding, declared))


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("not an array"),
    "half-written": lambda path: path.write_bytes(path.read_bytes()[:300]),
    "half a header": lambda path: path.write_bytes(path.read_bytes()[:30]),
    "one number short": lambda path: path.write_bytes(path.read_bytes()[:-4]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "an archive's first bytes": lambda path: path.write_bytes(b"PK\x03\x04" + bytes(500)),
    "an archive": zipped,
    "a pickle": lambda path: path.write_bytes(b"\x80\x04\x95" + bytes(100)),
    "objects": saved(np.array([{}] * SIZE, dtype=object)),
    "too long": saved(np.zeros(SIZE + 1, np.float32)),
    "two axes": saved(np.zeros((1, SIZE), np.float32)),
    "a number": saved(np.float32(1)),
    "double precision": saved(BOTTLENECK.astype(np.float64)),
    "NaN": saved(with_one(np.nan)),
    "infinity": saved(with_one(-np.inf)),
    "a shape beyond all memory": huge,
    "a folder": folder,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_file_is_not_loaded(
    cache: BottleneckCache, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    cache.store(PICTURE, BOTTLENECK)
    path = the_file(tmp_path)
    damage(path)

    assert cache.load(PICTURE, SIZE) is None

    cache.store(PICTURE, BOTTLENECK)
    if not path.is_dir():
        np.testing.assert_array_equal(cache.load(PICTURE, SIZE), BOTTLENECK)
    assert not list(tmp_path.rglob("*.part"))


def test_folder_that_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    cache = BottleneckCache(tmp_path / "cache", "f" * 64)

    cache.store(PICTURE, BOTTLENECK)

    assert cache.load(PICTURE, SIZE) is None
    assert (tmp_path / "cache").read_text() == "in the way"


def test_full_disk_leaves_no_file(
    cache: BottleneckCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    cache.store(PICTURE, BOTTLENECK)

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
