"""Paint your webcam, your videos or your livestream in the style of any picture, live."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from live_nst.errors import LiveNstError
from live_nst.stylizer.look import Look

if TYPE_CHECKING:
    from live_nst.conversion.api import convert
    from live_nst.stylizer.core import StylizerCore as Stylizer

__version__ = version("live-nst")
__all__ = ["LiveNstError", "Look", "Stylizer", "__version__", "convert"]


def __getattr__(name: str) -> Any:
    # Late, so that `live-nst --help` need not wait for NumPy and OpenCV.
    if name == "Stylizer":
        from live_nst.stylizer.core import StylizerCore

        return StylizerCore
    if name == "convert":
        from live_nst.conversion.api import convert

        return convert
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
