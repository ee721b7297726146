"""Run all checks of `live-nst doctor`."""

from collections.abc import Iterator, Mapping

from live_nst.doctor.devices import check_cameras, check_display, check_virtual_camera
from live_nst.doctor.engines import check_engine, check_processor
from live_nst.doctor.files import check_cache, check_model, check_styles
from live_nst.doctor.finding import REINSTALL, Check, Finding, Severity
from live_nst.doctor.packages import (
    check_encoder,
    check_opencv,
    check_packages,
    check_program,
    check_setuptools,
)

CHECKS: dict[str, Check] = {
    "live-nst": check_program,
    "processor": check_processor,
    "packages": check_packages,
    "setuptools": check_setuptools,
    "opencv": check_opencv,
    "encoder": check_encoder,
    "model": check_model,
    "styles": check_styles,
    "cache": check_cache,
    "camera": check_cameras,
    "display": check_display,
    "virtual camera": check_virtual_camera,
    "engine": check_engine,
}
"""All checks by topic, the slow one last."""


def run_checks(checks: Mapping[str, Check] = CHECKS) -> Iterator[Finding]:
    """Run checks one after the other.

    Args:
        checks: Checks by topic.

    Yields:
        Each finding as soon as it is there.
    """
    for topic, check in checks.items():
        try:
            yield from check()
        except Exception as exc:  # an error in one check must not hide the others
            text = f"this check failed: {type(exc).__name__}: {exc}"
            hint = REINSTALL if isinstance(exc, ImportError) else "please report it"
            yield Finding(topic, Severity.FAULT, text, hint)
