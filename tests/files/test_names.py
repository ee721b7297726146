"""Names of the files beside an output."""

import os
from pathlib import Path

import pytest

from live_nst.files.names import max_name_bytes, sibling


def test_sibling_adds_to_the_name(tmp_path: Path) -> None:
    output = tmp_path / "film.mp4"
    assert sibling(output, prefix=".", suffix=".live-nst") == tmp_path / ".film.mp4.live-nst"
    assert sibling(output, suffix=".incomplete.mp4", stem=True) == tmp_path / "film.incomplete.mp4"
    assert sibling(Path("a.ppm"), suffix=".png") == Path("a.ppm.png")


@pytest.mark.parametrize("letter", ["x", "\u00e9", "\u6f22", "\U0001f600"])
def test_sibling_of_a_long_name_can_be_created(letter: str, tmp_path: Path) -> None:
    limit = max_name_bytes(tmp_path)
    long = letter * ((limit - 5) // len(letter.encode())) + "a.mp4"
    outputs = [tmp_path / long, tmp_path / long.replace("a.mp4", "b.mp4")]
    siblings = [
        sibling(path, prefix=".", suffix=suffix)
        for path in outputs
        for suffix in (".live-nst", ".png")
    ]
    for path in siblings:
        path.touch()
        assert path.name.startswith(f".{letter}") and path.suffix in (".live-nst", ".png")
        assert len(os.fsencode(path.name)) <= limit
    assert len(set(siblings)) == 4


def test_sibling_of_a_name_that_is_no_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff" * (max_name_bytes(tmp_path) - 4) + b".mp4")
    sibling(tmp_path / name, suffix=".painting").touch()


def test_max_name_bytes_of_a_missing_folder(tmp_path: Path) -> None:
    assert max_name_bytes(tmp_path / "missing") == 255
