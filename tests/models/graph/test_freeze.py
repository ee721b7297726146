import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from live_nst.errors import ModelError, SplitError
from live_nst.models.graph.freeze import STYLE_SIDE, FrozenGraph, freeze_saved_model
from tests.conftest import PACKAGED
from tests.models import tiny_models as modules
from tests.models.tiny_models import FREE, save, save_signature, whole


def run(module: FrozenGraph, content: Any, style: Any) -> Any:
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(module.graph_def, name="")
    feeds = {f"{module.content}:0": content, f"{module.style}:0": style}
    with tf.compat.v1.Session(graph=graph) as session:
        return session.run(module.output, feeds)


def noise(*shape: int) -> Any:
    return np.random.default_rng(2).random((1, *shape, 3), np.float32)


def save_function(folder: Path, function: Any, *specs: Any) -> Path:
    """Write a module whose `__call__` is `function`."""
    module = tf.Module()
    module.__call__ = tf.function(function, input_signature=specs, autograph=False)
    tf.saved_model.save(module, str(folder))
    return folder


PICTURE = tf.TensorSpec(FREE, tf.float32)


def test_graph_is_flat(tmp_path: Path) -> None:
    module = freeze_saved_model(save(modules.plain, tmp_path / "module"))

    by_name = {node.name: node for node in module.graph_def.node}
    placeholders = {name for name, node in by_name.items() if node.op == "Placeholder"}
    assert placeholders == {module.content, module.style}
    content, style = (
        [dim.size for dim in by_name[name].attr["shape"].shape.dim]
        for name in (module.content, module.style)
    )
    assert content == [1, -1, -1, 3]
    assert style == [1, STYLE_SIDE, STYLE_SIDE, 3]
    kinds = {node.op for node in module.graph_def.node}
    assert not {kind for kind in kinds if "Variable" in kind or "Call" in kind}


def test_variables_become_constants(tmp_path: Path) -> None:
    class Trained(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.share = tf.Variable(0.25)

        @tf.function(input_signature=[PICTURE, PICTURE], autograph=False)
        def __call__(self, content: Any, style: Any) -> Any:
            return {"stylized": content * self.share + tf.reduce_mean(style, [1, 2], True)}

    tf.saved_model.save(Trained(), str(tmp_path / "module"))
    content, style = noise(9, 7), noise(STYLE_SIDE, STYLE_SIDE)

    result = run(freeze_saved_model(tmp_path / "module"), content, style)

    expected = content * 0.25 + style.mean((1, 2), keepdims=True)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_call_takes_content_first(tmp_path: Path) -> None:
    """Sizes alike and names in the other order, in a module that captures a variable."""
    fixed = tf.TensorSpec((None, 64, 64, 3), tf.float32)

    class Trained(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.share = tf.Variable(0.5)

        @tf.function(input_signature=[fixed, fixed], autograph=False)
        def __call__(self, zebra: Any, apple: Any) -> Any:
            return [zebra * self.share + tf.reduce_mean(apple, [1, 2], True)]

    tf.saved_model.save(Trained(), str(tmp_path / "module"))
    content, style = noise(64, 64), noise(64, 64) ** 2

    result = run(freeze_saved_model(tmp_path / "module"), content, style)

    np.testing.assert_allclose(result, content * 0.5 + style.mean((1, 2), keepdims=True), atol=1e-5)


@pytest.mark.parametrize("names", [("z_content", "a_style"), ("a_content", "z_style")])
def test_signature_content_has_size_of_output(names: tuple[str, str], tmp_path: Path) -> None:
    folder = save_signature(modules.plain, tmp_path / "module", names)
    content, style = noise(24, 36), noise(STYLE_SIDE, STYLE_SIDE)

    result = run(freeze_saved_model(folder), content, style)

    np.testing.assert_allclose(result, whole(modules.plain, content, style), atol=1e-5)


def test_call_before_signature(tmp_path: Path) -> None:
    module = modules.PaintModule(modules.plain, FREE, FREE)
    other = tf.function(lambda one, two: {"picture": two}, input_signature=[PICTURE, PICTURE])
    folder = tmp_path / "module"
    tf.saved_model.save(module, str(folder), signatures=other.get_concrete_function())
    content, style = noise(24, 36), noise(STYLE_SIDE, STYLE_SIDE)

    result = run(freeze_saved_model(folder), content, style)

    np.testing.assert_allclose(result, whole(modules.plain, content, style), atol=1e-5)


def test_image_among_several_outputs(tmp_path: Path) -> None:
    def paint(content: Any, style: Any) -> Any:
        return {"picture": modules.plain(content, style), "loss": tf.reduce_mean(style)}

    folder = save_function(tmp_path / "module", paint, PICTURE, PICTURE)
    content, style = noise(24, 36), noise(STYLE_SIDE, STYLE_SIDE)

    result = run(freeze_saved_model(folder), content, style)

    np.testing.assert_allclose(result, whole(modules.plain, content, style), atol=1e-5)


OTHER_KINDS = {
    "one input": (lambda content: content, [PICTURE]),
    "three inputs": (lambda a, b, c: a + b + c, [PICTURE] * 3),
    "no picture in": (lambda a, b: a + b, [tf.TensorSpec([None, 5], tf.float32)] * 2),
    "gray in": (lambda a, b: a + b, [tf.TensorSpec([None, None, None, 1], tf.float32)] * 2),
    "bytes in": (lambda a, b: a + b, [tf.TensorSpec(FREE, tf.uint8)] * 2),
    "text in": (lambda text: text, [tf.TensorSpec([None], tf.string)]),
    "no picture out": (lambda a, b: tf.reduce_mean(a) + tf.reduce_mean(b), [PICTURE] * 2),
    "two pictures out": (lambda a, b: [a, b], [PICTURE] * 2),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_other_functions(kind: str, tmp_path: Path) -> None:
    function, specs = OTHER_KINDS[kind]
    folder = save_function(tmp_path / "module", function, *specs)

    with pytest.raises(ModelError, match="is a SavedModel of another kind") as caught:
        freeze_saved_model(folder)

    assert not isinstance(caught.value, SplitError)
    assert str(folder) in caught.value.message
    assert "\n" not in caught.value.message
    assert "a content and a style image" in caught.value.hint


def test_module_without_functions(tmp_path: Path) -> None:
    module = tf.Module()
    module.weights = tf.Variable([1.0, 2.0])
    tf.saved_model.save(module, str(tmp_path / "module"))

    with pytest.raises(ModelError, match="it has no function of two RGB images"):
        freeze_saved_model(tmp_path / "module")


def _nothing(folder: Path) -> None:
    folder.mkdir()


def _text(folder: Path) -> None:
    folder.mkdir()
    (folder / "saved_model.pb").write_text("this is no graph at all, only text\n" * 50)


def _half_a_graph(folder: Path) -> None:
    shutil.copytree(PACKAGED, folder)
    graph = (folder / "saved_model.pb").read_bytes()
    (folder / "saved_model.pb").write_bytes(graph[: len(graph) // 2])


def _lost_variables(folder: Path) -> None:
    _with_a_variable(folder)
    shutil.rmtree(folder / "variables")


def _half_the_variables(folder: Path) -> None:
    _with_a_variable(folder)
    (shard,) = (folder / "variables").glob("*.data-*")
    shard.write_bytes(shard.read_bytes()[:1000])


def _with_a_variable(folder: Path) -> None:
    module = tf.Module()
    module.weights = tf.Variable(np.random.default_rng(0).random(5000, np.float32))
    tf.saved_model.save(module, str(folder))


@pytest.mark.parametrize(
    "damage", [_nothing, _text, _half_a_graph, _lost_variables, _half_the_variables]
)
def test_damaged_folders(damage: Any, tmp_path: Path) -> None:
    folder = tmp_path / "module"
    damage(folder)

    with pytest.raises(ModelError, match="cannot be loaded as a SavedModel") as caught:
        freeze_saved_model(folder)

    assert "\n" not in caught.value.message
    assert "saved_model.pb" in caught.value.hint


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        freeze_saved_model(tmp_path / "missing")
