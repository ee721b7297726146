from pathlib import Path

import pytest
from typer.testing import CliRunner

from live_nst.cli import export
from live_nst.cli.app import app
from live_nst.errors import UsageError
from live_nst.export.options import ExportOptions


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, ExportOptions]]:
    calls: list[tuple[Path, ExportOptions]] = []
    monkeypatch.setattr(export, "run", lambda *call: calls.append(call))
    return calls


def test_defaults(given: list[tuple[Path, ExportOptions]]) -> None:
    assert CliRunner().invoke(app, ["export", "a.onnx"]).exit_code == 0
    assert given == [(Path("a.onnx"), ExportOptions())]


def test_options(given: list[tuple[Path, ExportOptions]]) -> None:
    words = "export out --model hub --size 640x360 --style ink --style wave --stroke 2"
    words += " --precision float16 --images uint8"
    assert CliRunner().invoke(app, words.split()).exit_code == 0
    options = ExportOptions(
        model="hub", size=(640, 360), styles=("ink", "wave"), stroke=2.0,
        precision="float16", images="uint8",
    )  # fmt: skip
    assert given == [(Path("out"), options)]


@pytest.mark.parametrize(
    "words", ["--size 640", "--size 8x8", "--precision int8", "--style ink --style wave"]
)
def test_invalid_options(given: list[tuple[Path, ExportOptions]], words: str) -> None:
    result = CliRunner().invoke(app, ["export", "a.onnx", *words.split()])
    assert isinstance(result.exception, UsageError)
    assert not given


def test_output_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ink.onnx"
    result = CliRunner().invoke(app, ["export", str(path), "--style", "ink", "--size", "64x48"])
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{path}: mobile, 64x48, float32, style ink; 0.4 MB\n"
