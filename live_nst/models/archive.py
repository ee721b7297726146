"""Unpacks the archive of a module, which comes from the network and is not trusted."""

import gzip
import io
import shutil
import tarfile
import zlib
from pathlib import Path

from live_nst.errors import DownloadError
from live_nst.models.saved_model import GRAPH_FILE, inner_saved_model

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 16
# ValueError: a name that no file can have.
_DAMAGED = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError)


def unpack(archive: Path, into: Path, hint: str) -> None:
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
            while stream.read(_CHUNK):
                pass
    except _DAMAGED as exc:
        raise DownloadError("What was fetched is a damaged .tar.gz archive or none", hint) from exc
    lift(into)


def lift(into: Path) -> None:
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
