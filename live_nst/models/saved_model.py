"""SavedModel folders on disk: check, unpack and fingerprint them. Nothing is loaded here."""

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
# A SavedModel message starts with its schema version (field 1) or its graphs (field 2).
_FIRST_BYTES = (b"\x08", b"\x12")
_TF1_HUB_FILE = "tfhub_module.pb"
_OTHER_FORMATS = {
    ".tflite": "a TensorFlow Lite model",
    ".onnx": "an ONNX model",
    ".h5": "a Keras model",
    ".keras": "a Keras model",
    ".pt": "a PyTorch model",
    ".pth": "a PyTorch model",
    ".safetensors": "a weights file",
    ".ckpt": "a training checkpoint",
    ".index": "a training checkpoint",
}
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 1 << 20
# ValueError: a name that no file can have.
_ARCHIVE_ERRORS = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError)


def saved_model_problem(folder: Path) -> str:
    """Return why `folder` does not hold a complete SavedModel.

    The names and sizes of the files are checked, and the first byte of `saved_model.pb`.

    Args:
        folder: A folder; it need not exist.

    Returns:
        A clause such as "saved_model.pb is empty"; "" if the model is complete.
    """
    try:
        return _graph_problem(folder) or _variables_problem(folder / VARIABLES_FOLDER)
    except OSError as exc:
        return f"it cannot be read ({exc.strerror or exc})"


def require_saved_model(folder: Path, name: str) -> None:
    """Raise an error unless `folder` holds a complete SavedModel that can be called.

    Args:
        folder: The folder to check.
        name: What the error message calls it.

    Raises:
        ModelError: The folder holds something else, or files are missing.
    """
    problem = saved_model_problem(folder)
    if problem:
        raise ModelError(f"{name} is not a complete SavedModel: {problem}", _hint(folder))
    if (folder / _TF1_HUB_FILE).exists():
        raise ModelError(
            f"{name} is a module in the old TF1 Hub format ({_TF1_HUB_FILE}), which cannot be "
            "called with two images",
            "use a SavedModel, `--model hub` or `--model mobile`",
        )


def inner_saved_model(folder: Path) -> Path | None:
    """Return the only subfolder of `folder` with a SavedModel; None unless there is just one."""
    found = [path.parent for path in folder.glob(f"*/{GRAPH_FILE}")]
    return found[0] if len(found) == 1 else None


def _graph_problem(folder: Path) -> str:
    path = folder / GRAPH_FILE
    if not path.is_file():
        return f"{GRAPH_FILE} is missing{_other_content(folder)}"
    with path.open("rb") as file:
        first = file.read(1)
    if not first:
        return f"{GRAPH_FILE} is empty"
    return "" if first in _FIRST_BYTES else f"{GRAPH_FILE} does not hold a graph"


def _variables_problem(folder: Path) -> str:
    """Check the variables. A model without any has no such folder, or an empty one."""
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


def _other_content(folder: Path) -> str:
    """Return what a folder without a graph holds, as the end of a sentence, or ""."""
    if not folder.is_dir():
        return ""
    names = sorted(path.name for path in folder.iterdir())
    if not names:
        return ", the folder is empty"
    for name in names:
        kind = _OTHER_FORMATS.get(Path(name).suffix.lower())
        if kind:
            return f", it holds {kind} ({name})"
    return ""


def _hint(folder: Path) -> str:
    inner = inner_saved_model(folder)
    if inner:
        return f"did you mean `--model {inner}`?"
    return f"give a folder that holds {GRAPH_FILE} and its {VARIABLES_FOLDER} folder"


def model_fingerprint(folder: Path) -> str:
    """Hash everything that decides what a SavedModel computes.

    These are `saved_model.pb` and all files under `variables/`, with their names and contents.
    The place of the folder and the dates of its files do not matter.

    Args:
        folder: A SavedModel folder.

    Returns:
        The SHA-256 as 64 hexadecimal digits.

    Raises:
        ModelError: A file is missing or cannot be read.
    """
    digest = hashlib.sha256()
    try:
        variables = [path for path in (folder / VARIABLES_FOLDER).rglob("*") if path.is_file()]
        by_name = {path.relative_to(folder).as_posix(): path for path in variables}
        by_name[GRAPH_FILE] = folder / GRAPH_FILE
        for name, path in sorted(by_name.items()):
            # The size marks where one file ends and the next one begins.
            digest.update(f"{name}\0{path.stat().st_size}\0".encode())
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    digest.update(chunk)
    except OSError as exc:
        raise ModelError(
            f"The model in {folder} cannot be read: {exc.strerror or exc}",
            "check the folder and its permissions",
        ) from exc
    return digest.hexdigest()


def unpack_saved_model(archive: Path, into: Path, hint: str) -> None:
    """Unpack a .tar.gz or .tar archive that holds a SavedModel.

    A model in a subfolder of the archive is moved to the top. The archive comes from the network
    and is not trusted: only plain files and folders below `into` are written. (The `data` filter
    of `tarfile` allows links, and Python 3.11.3 and earlier do not have it.)

    Args:
        archive: The archive file.
        into: An existing, empty folder.
        hint: The hint of the error, if there is one.

    Raises:
        DownloadError: The file is damaged or no archive, or a name in it points outside `into`.
        OSError: The files cannot be written.
    """
    try:
        with _open_archive(archive) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                for member in tar:
                    _write_member(tar, member, into, hint)
            # tarfile takes a damaged header for the end. Reading on checks gzip's checksum, too.
            while stream.read(_CHUNK_BYTES):
                pass
    except _ARCHIVE_ERRORS as exc:
        raise DownloadError("The download is not a .tar.gz archive, or is damaged", hint) from exc
    move_to_top(into)


def move_to_top(folder: Path) -> None:
    """Move a SavedModel that lies in a subfolder of `folder` up into `folder` itself."""
    inner = inner_saved_model(folder)
    if (folder / GRAPH_FILE).exists() or inner is None:
        return
    # The subfolder is renamed first: one of its files may have the name of the subfolder.
    inner = inner.rename(folder / ".inner")
    for path in inner.iterdir():
        path.rename(folder / path.name)
    inner.rmdir()


def _open_archive(archive: Path) -> gzip.GzipFile | io.BufferedReader:
    with archive.open("rb") as file:
        is_compressed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    return gzip.open(archive) if is_compressed else archive.open("rb")


def _write_member(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path, hint: str) -> None:
    root = into.resolve()
    target = (root / member.name).resolve()
    if not target.is_relative_to(root) or not (member.isfile() or member.isdir()):
        raise DownloadError(
            f"The downloaded archive is not safe to unpack: it holds {member.name!r}", hint
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
