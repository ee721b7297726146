"""The one place where OpenVINO is imported, only when it is needed."""

import sys
from functools import cache
from typing import Any

from live_nst.errors import DeviceError

_TELEMETRY = "openvino_telemetry"


@cache
def import_openvino() -> Any:
    """Return the module `openvino`, imported at the first call (0.25 seconds).

    Raises:
        DeviceError: OpenVINO is not installed or cannot be loaded.
    """
    # Without this package, OpenVINO does not report its import to its maker.
    sys.modules.setdefault(_TELEMETRY, None)  # type: ignore[arg-type]
    try:
        import openvino
    except (ImportError, OSError) as exc:
        raise DeviceError(
            f"OpenVINO cannot be used here: {exc}.",
            "install it with: pip install openvino, or use --engine tensorflow",
        ) from exc
    finally:
        if sys.modules[_TELEMETRY] is None:
            del sys.modules[_TELEMETRY]
    return openvino


@cache
def openvino_core() -> Any:
    """Return the `openvino.Core` of this process."""
    return import_openvino().Core()
