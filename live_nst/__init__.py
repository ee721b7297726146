"""Stylize your webcam, your videos or your livestream in the style of any picture, live.

`__all__` lists the public names. Those that need NumPy and OpenCV are loaded at their first use, so
that `live-nst --help` is fast.
"""

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING

from live_nst.errors import (
    ConversionCancelled,
    ConversionError,
    DeviceError,
    DisplayError,
    DownloadError,
    LiveNstError,
    ModelError,
    RecordingError,
    SinkError,
    SourceError,
    SourceLostError,
    StreamError,
    StyleError,
    UsageError,
    VirtualCameraError,
)
from live_nst.stylizer.look import Look

if TYPE_CHECKING:
    from live_nst.conversion.api import convert
    from live_nst.conversion.progress import ConversionProgress, ConversionReport
    from live_nst.stylizer.stylizer import Stylizer

__version__ = version("live-nst")
__all__ = [
    "ConversionCancelled",
    "ConversionError",
    "ConversionProgress",
    "ConversionReport",
    "DeviceError",
    "DisplayError",
    "DownloadError",
    "LiveNstError",
    "Look",
    "ModelError",
    "RecordingError",
    "SinkError",
    "SourceError",
    "SourceLostError",
    "StreamError",
    "StyleError",
    "Stylizer",
    "UsageError",
    "VirtualCameraError",
    "__version__",
    "convert",
]

_LAZY_MODULES = {
    "ConversionProgress": "live_nst.conversion.progress",
    "ConversionReport": "live_nst.conversion.progress",
    "Stylizer": "live_nst.stylizer.stylizer",
    "convert": "live_nst.conversion.api",
}


def __getattr__(name: str) -> object:
    module = _LAZY_MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(module), name)


def __dir__() -> list[str]:
    return __all__
