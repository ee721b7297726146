"""Check Python, the packages that live-nst needs, and that they load.

A check imports what it looks at only while it runs, and so can report a broken package.
"""

import importlib
import importlib.util
import platform
from collections.abc import Callable, Iterator
from typing import Any

from live_nst.doctor.finding import Finding, Severity
from live_nst.runtime.machine import installed_version

_MODULES = {
    "numpy": "numpy",
    "tensorflow": "tensorflow",
    "tensorflow-hub": "tensorflow_hub",
    "tf-keras": "tf_keras",
    "av": "av",
    "pillow": "PIL",
    "pyvirtualcam": "pyvirtualcam",
}
"""The module of each package. OpenCV and setuptools have checks of their own."""

_OPENCV = ("opencv-python", "opencv-contrib-python")
_OPENCV_HEADLESS = ("opencv-python-headless", "opencv-contrib-python-headless")
_SETUPTOOLS_LIMIT = 81

VersionLookup = Callable[[str], str | None]
"""Returns the version of an installed package; None if it is not installed."""
ModuleLookup = Callable[[str], object | None]
"""Finds a module without importing it; None if it is missing."""
ModuleImport = Callable[[str], Any]
"""Imports a module by its name."""


def check_program(version: VersionLookup = installed_version) -> Iterator[Finding]:
    """Report the versions of live-nst, of Python and of the operating system."""
    text = f"{version('live-nst')}, Python {platform.python_version()}, {platform.platform()}"
    yield Finding("live-nst", Severity.OK, text)


def check_packages(
    version: VersionLookup = installed_version, find: ModuleLookup = importlib.util.find_spec
) -> Iterator[Finding]:
    """Check that the packages that live-nst needs are installed."""
    missing = [package for package, module in _MODULES.items() if find(module) is None]
    for package in missing:
        text, hint = f"{package} is not installed", f"pip install {package}"
        yield Finding("packages", Severity.FAULT, text, hint)
    installed = [
        f"{package} {version(package) or '?'}" for package in _MODULES if package not in missing
    ]
    if installed:
        yield Finding("packages", Severity.OK, ", ".join(installed))


def check_setuptools(
    version: VersionLookup = installed_version, find: ModuleLookup = importlib.util.find_spec
) -> Iterator[Finding]:
    """Check for pkg_resources: tensorflow-hub imports it, and new setuptools lack it."""
    found = version("setuptools")
    hint = f"pip install 'setuptools<{_SETUPTOOLS_LIMIT}'"
    if find("pkg_resources") is None:
        which = f"setuptools {found} has" if found else "without setuptools there is"
        text = f"{which} no pkg_resources, which tensorflow-hub imports"
        yield Finding("setuptools", Severity.FAULT, text, hint)
    elif found and int(found.split(".")[0]) >= _SETUPTOOLS_LIMIT:
        text = f"setuptools {found} is too new for tensorflow-hub"
        yield Finding("setuptools", Severity.NOTE, text, hint)
    else:
        yield Finding("setuptools", Severity.OK, found or "pkg_resources is there")


def check_opencv(
    version: VersionLookup = installed_version, load: ModuleImport = importlib.import_module
) -> Iterator[Finding]:
    """Check that OpenCV loads, and that only one of its four packages is installed."""
    installed = [name for name in (*_OPENCV, *_OPENCV_HEADLESS) if version(name)]
    hint = f"pip uninstall -y {' '.join(installed)} && pip install {_OPENCV[0]}"
    if len(installed) > 1:
        text = f"{' and '.join(installed)} are installed together and break each other"
        yield Finding("opencv", Severity.FAULT, text, hint)
    try:
        found = f"OpenCV {load('cv2').__version__}"
    except (ImportError, AttributeError) as exc:
        # Uninstalling one of two packages leaves a module that imports but is empty.
        hint = hint if installed else f"pip install {_OPENCV[0]}"
        if "libGL" in str(exc):
            hint = "sudo apt install libgl1 libglib2.0-0 (or your system's packages of them)"
        yield Finding("opencv", Severity.FAULT, f"OpenCV does not load: {exc}", hint)
        return
    if installed and not set(installed) & set(_OPENCV):
        yield Finding("opencv", Severity.NOTE, f"{installed[0]} cannot open windows", hint)
    yield Finding("opencv", Severity.OK, found)


def check_encoder(load: ModuleImport = importlib.import_module) -> Iterator[Finding]:
    """Check that PyAV loads, and that its FFmpeg encodes H.264."""
    hint = "pip install --force-reinstall --only-binary=:all: av"
    try:
        av = load("av")
    except ImportError as exc:
        yield Finding("encoder", Severity.FAULT, f"PyAV does not load: {exc}", hint)
        return
    found = f"PyAV {av.__version__} with FFmpeg {av.ffmpeg_version_info}"
    if "libx264" in av.codecs_available:
        yield Finding("encoder", Severity.OK, f"{found}, H.264 by libx264")
    else:
        text = f"{found} has no libx264, without which nothing can be recorded"
        yield Finding("encoder", Severity.FAULT, text, hint)
