import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.errors import ModelError, SinkError, StyleError, UsageError
from live_nst.export import write
from live_nst.export.card import license_of, model_card
from live_nst.export.options import ExportOptions
from live_nst.export.write import CARD, ENCODE, EXPAND, FRAME, STYLES, export_model
from live_nst.sources.demo_video import DemoVideo
from live_nst.styles.builtin import builtin_image_path, builtin_styles
from live_nst.styles.image import center_crop, read_style_image
from tests.models import tiny_models as modules

SIZE = (96, 64)
IMAGE = DemoVideo(*SIZE).image_at(1.0)
RGB = np.float32(IMAGE[None, ..., ::-1]) / 255


def run(path: Path, **inputs: Any) -> Any:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (output,) = session.run(None, inputs)
    return output


def metadata(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def stylized(engine: TensorFlowEngine, style: str) -> Any:
    """What live-nst makes of `IMAGE`, RGB uint8."""
    picture = center_crop(read_style_image(builtin_image_path(style)), engine.style_size)
    run = engine.compile(SIZE, SIZE)
    return run(IMAGE, engine.expand(engine.encode(picture))).stylized[..., ::-1].astype(int)


def test_file_with_a_style(tmp_path: Path, mobile_engine: TensorFlowEngine) -> None:
    path = tmp_path / "ink.onnx"
    report = export_model(path, ExportOptions(size=SIZE, styles=("ink",)))

    assert report.files == {"ink.onnx": path.stat().st_size}
    assert report.styles == ("ink",)
    result = run(path, image=RGB)
    assert result.dtype == np.float32
    assert np.abs(result[0] * 255 - stylized(mobile_engine, "ink")).max() < 1
    facts = {"model": "mobile", "style": "ink", "license": "Apache-2.0", "precision": "float32"}
    assert metadata(path) == facts
    assert onnx.load(path).producer_name == "live-nst"


def test_file_of_bytes_in_float16(tmp_path: Path, mobile_engine: TensorFlowEngine) -> None:
    path = tmp_path / "ink.onnx"
    options = ExportOptions(size=SIZE, styles=("ink",), precision="float16", images="uint8")
    export_model(path, options)
    result = run(path, image=np.ascontiguousarray(IMAGE[None, ..., ::-1]))
    assert result.dtype == np.uint8
    assert np.abs(result[0] - stylized(mobile_engine, "ink")).mean() < 0.004 * 255


def test_folder(tmp_path: Path, mobile_engine: TensorFlowEngine) -> None:
    folder = tmp_path / "painter"
    report = export_model(folder, ExportOptions(size=SIZE))

    assert sorted(report.files) == sorted([FRAME, ENCODE, EXPAND, STYLES, CARD])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["painter"]
    styles = json.loads((folder / STYLES).read_text())
    assert list(styles) == list(builtin_styles())

    picture = center_crop(read_style_image(builtin_image_path("wave")), (256, 256))
    bottleneck = run(folder / ENCODE, image=np.float32(picture[None, ..., ::-1]) / 255)
    style = run(folder / EXPAND, bottleneck=bottleneck)
    np.testing.assert_allclose(styles["wave"]["bottleneck"], bottleneck.ravel(), atol=1e-4)
    np.testing.assert_allclose(styles["wave"]["style"], style.ravel(), atol=1e-3)

    expected = stylized(mobile_engine, "wave")
    for tensor in (style, np.float32(styles["wave"]["style"]).reshape(style.shape)):
        result = run(folder / FRAME, image=RGB, style=tensor)
        assert np.abs(result[0] * 255 - expected).max() < 1


def test_card(tmp_path: Path) -> None:
    export_model(tmp_path / "out", ExportOptions(size=SIZE, styles=("ink", "wave")))
    card = (tmp_path / "out" / CARD).read_text("utf-8")
    assert "Apache License, Version 2.0. Copyright The Magenta Authors" in card
    assert "styles of ink, wave" in card
    assert "| `frame.onnx` | input | `image` | float32 | `[1, 64, 96, 3]` |" in card
    assert "| `frame.onnx` | input | `style` | float32 | `[1, 1, 1, 694]` |" in card


def test_model_of_others(tmp_path: Path) -> None:
    """Several style tensors, one of them an integer; an author who is not known."""
    folder = modules.save(modules.chosen_by_style, tmp_path / "mine")
    options = ExportOptions(model=str(folder), size=(48, 32), styles=("ink",))
    export_model(tmp_path / "out", options)
    styles = json.loads((tmp_path / "out" / STYLES).read_text())
    assert list(styles["ink"]) == ["bottleneck", "style_0", "style_1", "style_2"]
    card = (tmp_path / "out" / CARD).read_text("utf-8")
    assert card.startswith("# mine,")
    assert "does not know the license" in card
    assert str(tmp_path) not in card
    assert "license" not in metadata(tmp_path / "out" / FRAME)
    assert metadata(tmp_path / "out" / FRAME)["model"] == "mine"


def test_model_that_cannot_be_written(tmp_path: Path) -> None:
    def sums(content: Any, style: Any) -> Any:
        import tensorflow as tf

        return tf.sigmoid(tf.cumsum(modules.plain(content, style), 1))

    options = ExportOptions(model=str(modules.save(sums, tmp_path / "mine")), size=(48, 32))
    with pytest.raises(ModelError, match="Cumsum"):
        export_model(tmp_path / "out.onnx", options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]


# Wrong options and outputs


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("a.onnx", {"size": (8, 64)}, "Invalid size 8x64"),
        ("a.onnx", {"size": (96, 5000)}, "Invalid size"),
        ("a.onnx", {"styles": ("ink", "wave")}, "one style at most"),
        ("a.onnx", {"precision": "bfloat16"}, "Invalid precision 'bfloat16'"),
        ("a.onnx", {"images": "int8"}, "Invalid images 'int8'"),
        ("a.onnx", {"stroke": 9.0}, "Invalid stroke"),
        ("a.pb", {}, "Invalid suffix"),
        ("missing/a.onnx", {}, "no folder"),
        ("missing/out", {}, "no folder"),
        ("full", {}, "is not empty"),
        ("file", {}, "There is a file"),
        ("there.onnx", {}, "There is a file"),
    ],
)
def test_wrong_options(tmp_path: Path, name: str, values: dict[str, Any], message: str) -> None:
    (tmp_path / "full").mkdir()
    for each in ("full/x", "file", "there.onnx"):
        (tmp_path / each).touch()
    with pytest.raises(UsageError, match=message) as caught:
        export_model(tmp_path / name, ExportOptions(**values))
    assert caught.value.hint
    assert len(list(tmp_path.iterdir())) == 3


def test_empty_folder_and_one_with_a_dot(tmp_path: Path) -> None:
    (tmp_path / "v1.0").mkdir()
    for name in ("v1.0", "v1.1"):
        export_model(tmp_path / name, ExportOptions(size=(32, 32), styles=("ink",)))
        assert (tmp_path / name / FRAME).exists()


def test_unknown_style(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match="nix"):
        export_model(tmp_path / "a.onnx", ExportOptions(styles=("nix",)))
    assert not list(tmp_path.iterdir())


def test_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write.os, "replace", full)
    with pytest.raises(SinkError, match="disk is full"):
        export_model(tmp_path / "out", ExportOptions(size=(32, 32), styles=("ink",)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mobile", "stylization-v1-256/int8 of TensorFlow Hub, as floats, and rebuilt"),
        ("fine", "stylization-v1-256/int8 of TensorFlow Hub, as floats; live-nst trained"),
        ("live", "int8 of TensorFlow Hub, as floats; live-nst trained a smaller network"),
        ("hub", "stylization-v1-256/2 of TensorFlow Hub. Whoever"),
        ("mine", "does not know the license"),
    ],
)
def test_the_license_of_each_model(name: str, words: str) -> None:
    card = model_card(name, {}, ["ink"], size=(64, 64), precision="float32", version="1", opset=17)
    assert words in " ".join(card.split())
    assert license_of(name) == ("" if name == "mine" else "Apache-2.0")
