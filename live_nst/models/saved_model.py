"""What a SavedModel looks like on disk, judged without loading it."""

import re
from pathlib import Path

from live_nst.errors import ModelError

GRAPH_FILE = "saved_model.pb"
VARIABLES_FOLDER = "variables"

_INDEX_FILE = "variables.index"
_SHARD = re.compile(r"variables\.data-\d{5}-of-(\d{5})")
# A SavedModel message opens with its schema version (field 1) or its graphs (field 2).
_FIRST_BYTES = (b"\x08", b"\x12")
_OLD_HUB_FILE = "tfhub_module.pb"
_OTHER_KINDS = {
    ".tflite": "a TensorFlow Lite model",
    ".onnx": "an ONNX model",
    ".h5": "a Keras model",
    ".keras": "a Keras model",
    ".pt": "a PyTorch model",
    ".pth": "a PyTorch model",
    ".safetensors": "a file of bare weights",
    ".ckpt": "a training checkpoint",
    ".index": "a training checkpoint",
}


def saved_model_problem(folder: Path) -> str:
    """Why `folder` does not hold a whole SavedModel.

    Looks at names and sizes, and at the first byte of `saved_model.pb`; nothing is loaded.

    Args:
        folder: A folder; it need not exist.

    Returns:
        A clause such as "saved_model.pb is empty"; "" when nothing is amiss.
    """
    try:
        return _graph_problem(folder) or _variables_problem(folder / VARIABLES_FOLDER)
    except OSError as exc:
        return f"it cannot be read ({exc.strerror or exc})"


def require_saved_model(folder: Path, name: str) -> None:
    """Raise unless `folder` holds a whole SavedModel of the kind that can be called.

    Args:
        folder: The folder to look at.
        name: What to call it in the message.

    Raises:
        ModelError: It holds something else, or not all of it.
    """
    problem = saved_model_problem(folder)
    if problem:
        raise ModelError(f"{name} is not a whole SavedModel: {problem}", _hint(folder))
    if (folder / _OLD_HUB_FILE).exists():
        raise ModelError(
            f"{name} is a module of the old TF1 Hub format ({_OLD_HUB_FILE}), which cannot be "
            "called with two pictures",
            "use a SavedModel, `--model hub` or `--model mobile`",
        )


def inner_saved_model(folder: Path) -> Path | None:
    """The only subfolder of `folder` that holds a SavedModel; None when there is not just one."""
    found = [path.parent for path in folder.glob(f"*/{GRAPH_FILE}")]
    return found[0] if len(found) == 1 else None


def _graph_problem(folder: Path) -> str:
    path = folder / GRAPH_FILE
    if not path.is_file():
        return f"{GRAPH_FILE} is missing{_looks_like(folder)}"
    with path.open("rb") as file:
        first = file.read(1)
    if not first:
        return f"{GRAPH_FILE} is empty"
    return "" if first in _FIRST_BYTES else f"{GRAPH_FILE} does not hold a graph"


def _variables_problem(folder: Path) -> str:
    """Judge the variables; a model of constants has no such folder, or an empty one."""
    sizes = {path.name: path.stat().st_size for path in folder.glob("variables.*")}
    if not sizes:
        return ""
    counts = {int(match[1]) for match in map(_SHARD.fullmatch, sizes) if match}
    count = max(counts, default=1)
    shards = [f"variables.data-{number:05d}-of-{count:05d}" for number in range(count)]
    for name in (_INDEX_FILE, *shards):
        if name not in sizes:
            return f"{VARIABLES_FOLDER}/{name} is missing"
        if not sizes[name]:
            return f"{VARIABLES_FOLDER}/{name} is empty"
    return ""


def _looks_like(folder: Path) -> str:
    """What a folder without a graph holds instead, as the end of a sentence; may be empty."""
    if not folder.is_dir():
        return ""
    names = sorted(path.name for path in folder.iterdir())
    if not names:
        return ", the folder is empty"
    for name in names:
        kind = _OTHER_KINDS.get(Path(name).suffix.lower())
        if kind:
            return f", it holds {kind} ({name})"
    return ""


def _hint(folder: Path) -> str:
    inner = inner_saved_model(folder)
    if inner:
        return f"did you mean `--model {inner}`?"
    return f"give a folder that holds {GRAPH_FILE} and its {VARIABLES_FOLDER} folder"
