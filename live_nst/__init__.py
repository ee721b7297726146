"""Stylize a webcam, videos and images in the style of any picture."""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

from live_nst.errors import (
    ConversionCancelled,
    ConversionError,
    DeviceError,
    LiveNstError,
    ModelError,
    SinkError,
    SourceError,
    StyleError,
    UsageError,
)
from live_nst.stylizer.look import Look

if TYPE_CHECKING:
    from live_nst.conversion.api import convert
    from live_nst.stylizer.stylizer import Stylizer

__version__ = version("live-nst")
__all__ = [
    "ConversionCancelled",
    "ConversionError",
    "DeviceError",
    "LiveNstError",
    "Look",
    "ModelError",
    "SinkError",
    "SourceError",
    "StyleError",
    "Stylizer",
    "UsageError",
    "__version__",
    "convert",
]

# Imported when used, so that `live-nst --help` does not wait for NumPy and OpenCV.
_LAZY = {"Stylizer": "live_nst.stylizer.stylizer", "convert": "live_nst.conversion.api"}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
