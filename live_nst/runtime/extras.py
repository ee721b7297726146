"""Packages that are not installed with live-nst itself, but with one of its extras."""

import importlib
from types import ModuleType

from live_nst.errors import DeviceError


def import_extra(module: str, extra: str, purpose: str) -> ModuleType:
    """Import a module that an extra of live-nst brings.

    Args:
        module: Name of the module.
        extra: Name of the extra.
        purpose: What needs it, as the beginning of a sentence: "--osc".

    Raises:
        DeviceError: It is not installed. The hint has the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as exc:
        missing = (exc.name or module).partition(".")[0]
        raise DeviceError(
            f"{purpose} needs the package {missing}, which is not installed",
            f"run `pip install 'live-nst[{extra}]'`, or `pip install '.[{extra}]'` in a copy of "
            "the source",
        ) from exc
