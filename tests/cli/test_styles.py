import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

import live_nst.styles
import live_nst.stylizer.core
from live_nst.cli.app import app
from live_nst.cli.styles import styles
from live_nst.errors import ModelError, UsageError
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Closeable, Image

DESCRIBED: dict[str, str] = json.loads(
    (Path(live_nst.styles.__file__).parent / "pictures" / "styles.json").read_text("utf-8")
)


class FakeStylizer(Closeable):
    """Paints every picture in one color, another one for each style."""

    made: list[StylizerOptions]
    photos: list[Image]

    def __init__(self, options: StylizerOptions, **_: Any) -> None:
        self.made.append(options)
        self._styles = [str(style) for style in options.styles]
        self._style = self._styles[0]

    def select(self, style: str) -> None:
        self._style = style

    def __call__(self, image: Image) -> Image:
        self.photos.append(image)
        painted: Image = np.full_like(image, 40 + 10 * self._styles.index(self._style))
        return painted

    def close(self) -> None: ...


@pytest.fixture
def stylizer(monkeypatch: pytest.MonkeyPatch) -> type[FakeStylizer]:
    monkeypatch.setattr(FakeStylizer, "made", [], raising=False)
    monkeypatch.setattr(FakeStylizer, "photos", [], raising=False)
    monkeypatch.setattr(live_nst.stylizer.core, "StylizerCore", FakeStylizer)
    return FakeStylizer


def test_styles_in_a_pipe() -> None:
    result = CliRunner().invoke(app, ["styles"])
    assert result.exit_code == 0
    lines = [line.split("  ", 1) for line in result.stdout.splitlines()]
    assert {name: description for name, description in lines} == DESCRIBED


def test_styles_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    styles()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(DESCRIBED)
    starts = {line.index(text) for line, text in zip(lines, DESCRIBED.values(), strict=True)}
    assert len(starts) == 1


def test_styles_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom live_nst.cli.styles import styles\nstyles()\n"
        "print({'tensorflow', 'cv2', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()", done.stderr


def test_sheet_has_the_photo_in_every_style(
    tmp_path: Path, stylizer: type[FakeStylizer], capsys: pytest.CaptureFixture[str]
) -> None:
    photo, sheet = tmp_path / "photo.png", tmp_path / "sheet.png"
    cv2.imwrite(str(photo), np.full((300, 400, 3), (200, 100, 50), np.uint8))
    styles(sheet=sheet, photo=photo, model="mobile", device="cpu", size=256)

    assert len(stylizer.made) == 1
    made = stylizer.made[0]
    assert (made.model, made.device, made.size) == ("mobile", "cpu", 256)
    assert made.styles == tuple(DESCRIBED)
    assert len(stylizer.photos) == len(DESCRIBED)
    assert all((picture == (200, 100, 50)).all() for picture in stylizer.photos)
    picture = cv2.imread(str(sheet))
    assert picture is not None
    for number in range(len(DESCRIBED)):
        share = (picture == 40 + 10 * number).all(axis=2).sum()
        assert share >= stylizer.photos[0][..., 0].size
    assert (picture == (200, 100, 50)).all(axis=2).sum() > 4 * stylizer.photos[0][..., 0].size
    assert str(sheet) in capsys.readouterr().out


def test_sheet_of_the_demo(tmp_path: Path, stylizer: type[FakeStylizer]) -> None:
    styles(sheet=tmp_path / "sheet.jpg")
    height, width, _ = stylizer.photos[0].shape
    assert width / height == pytest.approx(16 / 9, rel=0.01)
    assert stylizer.photos[0].std() > 30
    assert (tmp_path / "sheet.jpg").exists()


def test_photo_without_sheet(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        styles(photo=tmp_path / "photo.jpg")
    assert "--sheet" in caught.value.hint


def existing_file(folder: Path) -> dict[str, Path]:
    (folder / "sheet.png").write_bytes(b"precious")
    return {"sheet": folder / "sheet.png"}


def existing_folder(folder: Path) -> dict[str, Path]:
    return {"sheet": folder}


def no_folder(folder: Path) -> dict[str, Path]:
    return {"sheet": folder / "missing" / "sheet.png"}


def wrong_suffix(folder: Path) -> dict[str, Path]:
    return {"sheet": folder / "sheet.mp4"}


def no_photo(folder: Path) -> dict[str, Path]:
    return {"sheet": folder / "sheet.png", "photo": folder / "photo.jpg"}


def text_as_photo(folder: Path) -> dict[str, Path]:
    (folder / "photo.jpg").write_text("no picture")
    return {"sheet": folder / "sheet.png", "photo": folder / "photo.jpg"}


@pytest.mark.parametrize(
    "prepare", [existing_file, existing_folder, wrong_suffix, no_folder, no_photo, text_as_photo]
)
def test_invalid_paths_are_refused_before_the_model_is_loaded(
    tmp_path: Path, stylizer: type[FakeStylizer], prepare: Callable[[Path], dict[str, Path]]
) -> None:
    options = prepare(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UsageError) as caught:
        styles(**options)
    assert caught.value.hint
    assert stylizer.made == []
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_sheet_is_not_written_after_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise ModelError("no such model")

    monkeypatch.setattr(live_nst.stylizer.core, "StylizerCore", refuse)
    with pytest.raises(ModelError):
        styles(sheet=tmp_path / "sheet.png")
    assert list(tmp_path.iterdir()) == []
