"""Unpacks the archive of a module, which comes from the network and is not trusted."""

import lzma
import shutil
import tarfile
import zlib
from pathlib import Path

from live_nst.errors import DownloadError
from live_nst.models.saved_model import GRAPH_FILE, inner_saved_model

_DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, ValueError)


def unpack(archive: Path, into: Path, hint: str) -> None:
    """Unpack a tar archive, compressed or not, that holds a SavedModel.

    A module that lies in a folder of its own within the archive is taken out of it. Only plain
    files and folders are written, and only below `into`: the `data` filter of `tarfile` does less
    and is missing from Python 3.11.3 and earlier.

    Args:
        archive: The file.
        into: An existing, empty folder.
        hint: What the user can do when it fails.

    Raises:
        DownloadError: The archive is damaged or none, or holds names that lead elsewhere.
        OSError: Its content cannot be written.
    """
    try:
        with tarfile.open(archive, "r:*") as tar:
            for member in tar:
                _write(tar, member, into, hint)
        lift(into)
    except _DAMAGED as exc:
        raise DownloadError("The archive that was fetched is damaged", hint) from exc
    except OSError as exc:
        # gzip and bz2 report broken data as an OSError without a number.
        if exc.errno is not None:
            raise
        raise DownloadError("The archive that was fetched is damaged", hint) from exc


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


def lift(into: Path) -> None:
    """Move a module that lies one folder down up to `into`."""
    inner = inner_saved_model(into)
    if (into / GRAPH_FILE).exists() or inner is None:
        return
    # The folder gets another name first: one of its files may have the folder's own name.
    inner = inner.rename(into / ".inner")
    for path in inner.iterdir():
        path.rename(into / path.name)
    inner.rmdir()
