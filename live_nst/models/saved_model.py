"""What a SavedModel looks like on disk, judged without loading it."""

import gzip
import hashlib
import io
import re
import shutil
import tarfile
import zlib
from pathlib import Path

from live_nst.errors import DownloadError, ModelError

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


_GZIP = b"\x1f\x8b"
_READ_BYTES = 1 << 16
# ValueError: a name that no file can have.
_DAMAGED = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError)


def unpack_saved_model(archive: Path, into: Path, hint: str) -> None:
    """Unpack a .tar.gz or .tar archive that holds a SavedModel.

    A module that lies in a folder of its own within the archive is taken out of it. Only plain
    files and folders are written, and only below `into`: the `data` filter of `tarfile` lets
    links pass, and is missing from Python 3.11.3 and earlier.

    Args:
        archive: The file.
        into: An existing, empty folder.
        hint: What the user can do when it fails.

    Raises:
        DownloadError: The archive is damaged or none, or holds names that lead elsewhere.
        OSError: Its content cannot be written.
    """
    try:
        with _decompressed(archive) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                for member in tar:
                    _write(tar, member, into, hint)
            # tarfile takes a broken header for the end. The checksum comes after the last byte.
            while stream.read(_READ_BYTES):
                pass
    except _DAMAGED as exc:
        raise DownloadError("What was fetched is a damaged .tar.gz archive or none", hint) from exc
    move_to_top(into)


def move_to_top(into: Path) -> None:
    """Move a module that lies one folder further down up to `into`."""
    inner = inner_saved_model(into)
    if (into / GRAPH_FILE).exists() or inner is None:
        return
    # The folder gets another name first: one of its files may have the folder's own name.
    inner = inner.rename(into / ".inner")
    for path in inner.iterdir():
        path.rename(into / path.name)
    inner.rmdir()


def _decompressed(archive: Path) -> gzip.GzipFile | io.BufferedReader:
    with archive.open("rb") as file:
        zipped = file.read(len(_GZIP)) == _GZIP
    return gzip.open(archive) if zipped else archive.open("rb")


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path, hint: str) -> None:
    root = into.resolve()
    target = (root / member.name).resolve()
    if not target.is_relative_to(root) or not (member.isfile() or member.isdir()):
        raise DownloadError(
            f"The archive that was fetched is not safe to unpack: it holds {member.name!r}", hint
        )
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    if content is None:
        raise tarfile.ReadError(f"{member.name} has no content")
    with content, target.open("wb") as file:
        shutil.copyfileobj(content, file)


_HASH_BYTES = 1 << 20


def fingerprint(folder: Path) -> str:
    """Hash what a SavedModel computes: `saved_model.pb` and everything under `variables/`.

    Two folders with the same such files, named alike, have the same fingerprint, wherever they
    lie and whenever they were written.

    Args:
        folder: A SavedModel folder.

    Returns:
        64 hexadecimal digits (SHA-256).

    Raises:
        ModelError: A file is missing or cannot be read.
    """
    digest = hashlib.sha256()
    try:
        variables = [path for path in (folder / VARIABLES_FOLDER).rglob("*") if path.is_file()]
        by_name = {path.relative_to(folder).as_posix(): path for path in variables}
        by_name[GRAPH_FILE] = folder / GRAPH_FILE
        for name, path in sorted(by_name.items()):
            _add_file(digest, name, path)
    except OSError as exc:
        raise ModelError(
            f"The model in {folder} cannot be read: {exc.strerror or exc}",
            "check the folder and its permissions",
        ) from exc
    return digest.hexdigest()


def _add_file(digest: "hashlib._Hash", name: str, path: Path) -> None:
    """Add a name, a size and a content; the size keeps neighboring files apart."""
    digest.update(f"{name}\0{path.stat().st_size}\0".encode())
    with path.open("rb") as file:
        while chunk := file.read(_HASH_BYTES):
            digest.update(chunk)
