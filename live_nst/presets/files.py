"""Read and write presets, in files that the user names and in the folder of settings."""

import filecmp
import itertools
import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from live_nst.errors import SinkError, UsageError
from live_nst.files.atomic import write_bytes
from live_nst.files.config import config_root
from live_nst.files.output import check_output, write_errors
from live_nst.files.temporary import is_temporary
from live_nst.live.control import timestamp
from live_nst.live.options import LiveOptions
from live_nst.live.session import LiveSession
from live_nst.presets.keys import apply_table
from live_nst.presets.paths import locate
from live_nst.presets.show import current_options, make_table

SUFFIX = ".toml"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME_HINT = "use letters, digits, - and _, at most 64"
_MAX_BYTES = 1_000_000
_HEADER = "A preset of live-nst: its keys are the options of the command. Use it with --preset."


def presets_folder() -> Path:
    """Return the folder of the presets that have a name."""
    return config_root() / "presets"


def defaults_path() -> Path:
    """Return the file of the user's own defaults, whether it is there or not."""
    return config_root() / "defaults.toml"


def list_presets() -> list[str]:
    """Return the names of the presets in the folder of settings, sorted."""
    paths = presets_folder().glob(f"*{SUFFIX}")
    return sorted(path.stem for path in paths if _NAME.fullmatch(path.stem))


def named_preset(name: str) -> Path:
    """Return the path of a preset in the folder of settings, whether it is there or not.

    Raises:
        UsageError: The name has other characters than letters, digits, - and _.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"Invalid name {name[:80]!r} of a preset", _NAME_HINT)
    return presets_folder() / f"{name}{SUFFIX}"


def find_preset(which: str) -> Path:
    """Return the path of a preset, given a file or the name of one in the folder of settings.

    Raises:
        UsageError: There is none.
    """
    path = os.path.expanduser(which)
    if os.path.isfile(path):  # unlike that of `Path`, it takes any text
        return Path(path)
    names = list_presets()
    if which in names:
        return named_preset(which)
    known = f"saved are {', '.join(names)}" if names else "the key w writes one"
    raise UsageError(f"There is no preset {which[:80]!r}", f"name a {SUFFIX} file; {known}")


def apply_preset(options: LiveOptions, path: Path) -> LiveOptions:
    """Return options with those of a preset in place of theirs.

    Args:
        options: The options.
        path: The file. Relative paths in it are relative to its folder.

    Raises:
        UsageError: It cannot be read, or has an unknown key or an invalid value.
    """
    table = _read_table(path)
    try:
        return apply_table(options, table, partial(locate, path.parent))
    except UsageError as exc:
        raise UsageError(f"{path.name}: {exc.message}", exc.hint) from exc


def load_defaults(base: LiveOptions | None = None) -> LiveOptions:
    """Return the options of a session that is asked for nothing: the user's defaults.

    Args:
        base: What they are applied to; None for the built-in defaults.

    Raises:
        UsageError: Their file cannot be read, or has an unknown key or an invalid value.
    """
    base = base or LiveOptions()
    path = defaults_path()
    return apply_preset(base, path) if path.is_file() else base


def write_preset(path: Path, options: LiveOptions) -> None:
    """Write options into a file that nobody else can read.

    Files that lie in its folder are named relative to it. Those that will be gone with this
    process, such as uploaded pictures, are copied into a folder beside it, which has its name.

    Args:
        path: The file; replaced if it is there.
        options: The options.

    Raises:
        StyleError: A style cannot be written as text.
        SinkError: The file cannot be written.
    """
    check_output(path, kind="a preset", suffixes=[SUFFIX], error=SinkError)
    with write_errors(path):
        table = make_table(options, partial(_keep_file, path))
        write_bytes(path, _to_toml(table).encode(), mode=0o600)  # an address has a password


def write_session(session: LiveSession) -> Path:
    """Write what a session is set to into a file in the folder of the session.

    Returns:
        The file.

    Raises:
        StyleError: A style cannot be written as text.
        SinkError: It cannot be written.
    """
    path = session.control.folder / f"live-nst-{timestamp()}{SUFFIX}"
    write_preset(path, current_options(session))
    return path


def save_preset(name: str, options: LiveOptions) -> Path:
    """Write options as a preset with a name, in the folder of settings.

    Args:
        name: Its name; a preset of this name is replaced.
        options: The options.

    Returns:
        The file.

    Raises:
        UsageError: The name has other characters than letters, digits, - and _.
        StyleError: A style cannot be written as text.
        SinkError: It cannot be written.
    """
    path = named_preset(name)
    with write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_preset(path, options)
    return path


def _read_table(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise UsageError(f"{path.name} is too large for a preset", "name another file")
        return tomllib.loads(data.decode())
    except OSError as exc:
        raise UsageError(
            f"The preset {path} cannot be read: {(exc.strerror or str(exc)).lower()}",
            "name another file",
        ) from exc
    except (ValueError, RecursionError) as exc:  # wrong TOML, or no text at all
        reason = str(exc)
        if isinstance(exc, UnicodeDecodeError):
            reason = "it is no text"
        elif isinstance(exc, RecursionError):
            reason = "its brackets go too deep"
        raise UsageError(
            f"{path.name} is no valid TOML: {reason}", 'a line looks like `style = "wave"`'
        ) from exc


def _name_file(folder: Path, path: Path) -> str:
    """Return a path relative to a folder if it lies in there, else the whole path."""
    path = path.expanduser().absolute()
    folder = folder.absolute()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _keep_file(preset: Path, path: Path) -> str:
    """Return how a preset names a file; one that will be gone is copied beside it."""
    if is_temporary(path):
        path = _copy(path, preset.with_suffix(""))
    return _name_file(preset.parent, path)


def _copy(path: Path, folder: Path) -> Path:
    """Copy a file into a folder in which another file of its name stays; return the copy."""
    folder.mkdir(exist_ok=True)
    copy, numbers = folder / path.name, itertools.count(2)
    while copy.exists() and not filecmp.cmp(path, copy, shallow=False):
        copy = folder / f"{path.stem}-{next(numbers)}{path.suffix}"
    shutil.copyfile(path, copy)
    return copy


def _to_toml(table: Mapping[str, Any]) -> str:
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment(_HEADER))
    for name, value in table.items():
        document.add(name, value)
    return tomlkit.dumps(document)
