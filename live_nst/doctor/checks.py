"""What this machine has, and what is wrong with it: the checks behind `live-nst doctor`.

Each check looks at one thing and tells what it found; it gets from its arguments whatever a test
needs to replace. A fault keeps live-nst from working; a note is worth knowing, such as a camera
that is missing while the demo and streams still work.
"""

import importlib
import importlib.util
import json
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from live_nst.doctor.tensorflow_probe import REINSTALL, nvidia_gpus, probe_tensorflow
from live_nst.errors import DisplayError, LiveNstError, ModelError, SourceError
from live_nst.sinks.virtual_camera_setup import HostSystem, virtual_camera_error
from live_nst.sinks.x11 import require_display
from live_nst.sources.devices import CameraDevice, find_camera, list_cameras
from live_nst.styles.builtin import builtin_image_path, builtin_styles

# What imports other packages is imported in the checks, which tell of a package that is broken.
if TYPE_CHECKING:
    from live_nst.models.cache import ModelCache

_PACKAGES = {
    "numpy": "numpy",
    "tensorflow": "tensorflow",
    "tensorflow-hub": "tensorflow_hub",
    "tf-keras": "tf_keras",
    "av": "av",
    "pillow": "PIL",
    "pyvirtualcam": "pyvirtualcam",
}
_OPENCV = ("opencv-python", "opencv-contrib-python")
_OPENCV_HEADLESS = ("opencv-python-headless", "opencv-contrib-python-headless")
_SETUPTOOLS_LIMIT = 81


class Severity(StrEnum):
    """What a finding means for the user."""

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found.

    Attributes:
        topic: What was looked at: "camera".
        state: OK; NOTE, worth knowing; or FAULT, live-nst cannot work so.
        text: One line.
        hint: What to do about it; may be empty.
    """

    topic: str
    severity: Severity
    text: str
    hint: str = ""


Check = Callable[[], Iterable[Finding]]
VersionLookup = Callable[[str], str | None]
"""Gives the version of an installed distribution; None when it is not installed."""


def run_checks(checks: Mapping[str, Check] | None = None) -> Iterator[Finding]:
    """Run the checks one after the other, and give each finding as soon as it is there.

    Args:
        checks: By topic; None for all there are, the slow one last.
    """
    for topic, check in (_CHECKS if checks is None else checks).items():
        try:
            yield from check()
        except Exception as exc:  # whatever one check runs into must not hide the others
            text = f"this check failed: {type(exc).__name__}: {exc}"
            hint = REINSTALL if isinstance(exc, ImportError) else "please report it"
            yield Finding(topic, Severity.FAULT, text, hint)


def installed_version(distribution: str) -> str | None:
    """The version of an installed distribution; None when it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def check_program(version: VersionLookup = installed_version) -> Iterator[Finding]:
    """live-nst, Python and the operating system."""
    text = f"{version('live-nst')}, Python {platform.python_version()}, {platform.platform()}"
    yield Finding("live-nst", Severity.OK, text)


def check_packages(
    version: VersionLookup = installed_version,
    find: Callable[[str], object | None] = importlib.util.find_spec,
) -> Iterator[Finding]:
    """The packages that live-nst needs; OpenCV and setuptools have checks of their own."""
    missing = [name for name, module in _PACKAGES.items() if find(module) is None]
    for name in missing:
        yield Finding("packages", Severity.FAULT, f"{name} is not installed", f"pip install {name}")
    there = [f"{name} {version(name) or '?'}" for name in _PACKAGES if name not in missing]
    if there:
        yield Finding("packages", Severity.OK, ", ".join(there))


def check_setuptools(
    version: VersionLookup = installed_version,
    find: Callable[[str], object | None] = importlib.util.find_spec,
) -> Iterator[Finding]:
    """tensorflow-hub imports pkg_resources, which newer setuptools no longer bring along."""
    found = version("setuptools")
    way_out = f"pip install 'setuptools<{_SETUPTOOLS_LIMIT}'"
    if find("pkg_resources") is None:
        which = f"setuptools {found} has" if found else "without setuptools there is"
        text = f"{which} no pkg_resources, which tensorflow-hub imports"
        yield Finding("setuptools", Severity.FAULT, text, way_out)
    elif found and int(found.split(".")[0]) >= _SETUPTOOLS_LIMIT:
        text = f"setuptools {found} is too new for tensorflow-hub"
        yield Finding("setuptools", Severity.NOTE, text, way_out)
    else:
        yield Finding("setuptools", Severity.OK, f"{found or 'pkg_resources is there'}")


def check_opencv(
    version: VersionLookup = installed_version,
    load: Callable[[str], Any] = importlib.import_module,
) -> Iterator[Finding]:
    """OpenCV: that it loads, and that just one of its four distributions is installed."""
    there = [name for name in (*_OPENCV, *_OPENCV_HEADLESS) if version(name)]
    way_out = f"pip uninstall -y {' '.join(there)} && pip install {_OPENCV[0]}"
    if len(there) > 1:
        text = f"{' and '.join(there)} are installed together and break each other"
        yield Finding("opencv", Severity.FAULT, text, way_out)
    try:
        cv2 = load("cv2")
        found = f"OpenCV {cv2.__version__}"
    except (ImportError, AttributeError) as exc:
        # What is left after one of two was uninstalled can be imported, but is empty.
        hint = way_out if there else f"pip install {_OPENCV[0]}"
        if "libGL" in str(exc):
            hint = "sudo apt install libgl1 libglib2.0-0 (or your system's packages of them)"
        yield Finding("opencv", Severity.FAULT, f"OpenCV does not load: {exc}", hint)
        return
    if there and not set(there) & set(_OPENCV):
        yield Finding("opencv", Severity.NOTE, f"{there[0]} opens no windows", way_out)
    yield Finding("opencv", Severity.OK, found)


def check_encoder(load: Callable[[str], Any] = importlib.import_module) -> Iterator[Finding]:
    """PyAV: that it loads, and that its FFmpeg can encode H.264."""
    way_out = "pip install --force-reinstall --only-binary=:all: av"
    try:
        av = load("av")
    except ImportError as exc:
        yield Finding("encoder", Severity.FAULT, f"PyAV does not load: {exc}", way_out)
        return
    which = f"PyAV {av.__version__} with FFmpeg {av.ffmpeg_version_info}"
    if "libx264" in av.codecs_available:
        yield Finding("encoder", Severity.OK, f"{which}, H.264 by libx264")
    else:
        text = f"{which} has no libx264, without which nothing can be recorded"
        yield Finding("encoder", Severity.FAULT, text, way_out)


def check_processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> Iterator[Finding]:
    """The CPU's model, its cores, and the memory."""
    import psutil

    from live_nst.runtime.machine import processor

    memory = psutil.virtual_memory()
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count()
    text = (
        f"{processor(cpuinfo)}, {cores} cores, {psutil.cpu_count()} threads; memory "
        f"{memory.total / 2**30:.1f} GiB, {memory.available / 2**30:.1f} GiB of it free"
    )
    yield Finding("processor", Severity.OK, text)


def check_engine(
    probe: Callable[[], list[str]] = probe_tensorflow,
    nvidia: Callable[[], list[str]] = nvidia_gpus,
    system: str = sys.platform,
) -> Iterator[Finding]:
    """TensorFlow and tensorflow-hub: that they start, and which GPUs they can use.

    Args:
        probe: Gives the names of those GPUs, or raises a `ModelError`.
        nvidia: Gives the names of the GPUs that NVIDIA's driver knows.
        system: As `sys.platform`.
    """
    try:
        gpus = probe()
    except ModelError as exc:
        yield Finding("engine", Severity.FAULT, exc.message, exc.hint)
        return
    yield Finding("engine", Severity.OK, "TensorFlow and tensorflow-hub start")
    if gpus:
        yield Finding("gpu", Severity.OK, ", ".join(gpus))
        return
    idle = nvidia()
    if not idle:
        yield Finding("gpu", Severity.NOTE, "TensorFlow finds no GPU, so the CPU is used")
        return
    text = f"{', '.join(idle)} is here, but TensorFlow cannot use it, so the CPU is used"
    hint = "pip install 'live-nst[gpu]'"
    if system == "win32":
        hint = "TensorFlow uses GPUs only in WSL2 on Windows: install live-nst there"
    yield Finding("gpu", Severity.NOTE, text, hint)


def check_model(find: Callable[[], Path] | None = None) -> Iterator[Finding]:
    """The model inside the package.

    Args:
        find: Gives its folder, or raises a `ModelError`.
    """
    try:
        folder = (find or _packaged_model)()
    except ModelError as exc:
        yield Finding("model", Severity.FAULT, exc.message, exc.hint)
    else:
        yield Finding("model", Severity.OK, f"mobile, {_megabytes(folder)}, in {folder}")


def _packaged_model() -> Path:
    from live_nst.models.handles import MOBILE
    from live_nst.models.loading import resolve

    return resolve(MOBILE).folder


def check_styles(
    names: Iterable[str] | None = None, picture: Callable[[str], Path] = builtin_image_path
) -> Iterator[Finding]:
    """The pictures of the built-in styles."""
    names = list(builtin_styles() if names is None else names)
    missing = [name for name in names if not picture(name).is_file()]
    for name in missing:
        text = f"the picture of the style {name} is missing from the package"
        yield Finding("styles", Severity.FAULT, text, REINSTALL)
    if not missing:
        yield Finding("styles", Severity.OK, f"{len(names)} built in")


def check_cache(root: Path | None = None) -> Iterator[Finding]:
    """The cache folder: whether it can be written, and what it keeps.

    Args:
        root: The folder; None for the one in use.
    """
    from live_nst.files.cache import CACHE_VARIABLE, cache_root
    from live_nst.models.cache import ModelCache

    root = cache_root() if root is None else root
    nearest = next(path for path in (root, *root.parents) if os.path.exists(path))
    if not nearest.is_dir() or not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        text = f"{root} cannot be written: styles are computed anew at every start"
        hint = f"make {nearest} yours to write, or set {CACHE_VARIABLE} to another folder"
        yield Finding("cache", Severity.NOTE, text, hint)
        return
    styles = len(list(root.glob("bottlenecks/*/*.npy")))
    models = len(list(root.glob("models/[!.]*")))
    text = f"{root}, computed styles kept: {styles}, downloaded models kept: {models}"
    yield Finding("cache", Severity.OK, text)
    yield from _check_models(ModelCache(root / "models"))


def _check_models(cache: "ModelCache") -> Iterator[Finding]:
    """What every entry of the cache says of itself; its layout stands in `models.cache`."""
    from live_nst.models.handles import HUB, parse_handle

    for entry in sorted(cache.root.glob("*")):
        if entry.name.startswith("."):
            yield Finding("cache", Severity.NOTE, f"{entry} is a download under way, or cut short")
            continue
        way_out = f"it is fetched again when it is needed; to drop it, remove {entry}"
        try:
            address = json.loads((entry / "complete.json").read_text("utf-8"))["address"]
            handle = parse_handle(address)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, LiveNstError):
            text = f"{entry.name} is damaged: its list of files is missing or damaged"
            yield Finding("cache", Severity.NOTE, text, way_out)
            continue
        folder = cache.find(handle)
        if folder is None or folder.parent != entry:
            damage = cache.damage_reason(handle) or f"{entry.name} is not its folder"
            text = f"{handle.name} is damaged: {damage}"
            yield Finding("cache", Severity.NOTE, text, way_out)
        else:
            label = f"{handle.name} ({address})" if handle.name == HUB else handle.name
            yield Finding("cache", Severity.OK, f"{label} is kept, {_megabytes(entry)}")


def _megabytes(folder: Path) -> str:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{size / 1e6:.1f} MB"


def check_cameras(
    cameras: Callable[[], Iterable[CameraDevice]] = list_cameras,
    locate: Callable[[int | str], CameraDevice] = find_camera,
) -> Iterator[Finding]:
    """The cameras, and why one cannot be used.

    Args:
        cameras: Finds them.
        locate: Raises a `SourceError` that explains why a camera cannot be used.
    """
    found = list(cameras())
    if not found:
        hint = "connect one, or use --source demo or the address of a stream"
        yield Finding("camera", Severity.NOTE, "no camera was found", hint)
    for device in found:
        about = ", ".join(filter(None, (str(device), device.path, device.note)))
        if device.usable:
            yield Finding("camera", Severity.OK, about)
            continue
        try:
            locate(device.path or device.index)
        except SourceError as exc:
            yield Finding("camera", Severity.NOTE, about, exc.hint)
        else:
            yield Finding("camera", Severity.OK, str(device))  # free again meanwhile


def check_display(
    require: Callable[[], tuple[int, int] | None] = require_display,
) -> Iterator[Finding]:
    """Whether a window can be opened."""
    try:
        size = require()
    except DisplayError as exc:
        yield Finding("display", Severity.NOTE, exc.message, exc.hint)
    else:
        yield Finding("display", Severity.OK, f"{size[0]}x{size[1]}" if size else "there is one")


def check_virtual_camera(
    system: HostSystem | None = None, load: Callable[[str], Any] = importlib.import_module
) -> Iterator[Finding]:
    """What `--virtual-camera` could feed, and why it could not."""
    topic = "virtual camera"
    try:
        load("pyvirtualcam")
    except ImportError as exc:
        text = f"pyvirtualcam does not load: {exc}"
        yield Finding(topic, Severity.FAULT, text, "pip install --force-reinstall pyvirtualcam")
        return
    system = system or HostSystem()
    if not system.platform.startswith("linux"):
        yield Finding(topic, Severity.OK, "pyvirtualcam loads; OBS is looked for when it is used")
        return
    devices = system.loopbacks()
    if not devices:
        error = virtual_camera_error(None, "", system)
        yield Finding(topic, Severity.NOTE, error.message, error.hint)
    for device in devices:
        capability = system.capability(device)
        if capability and capability.output:
            yield Finding(topic, Severity.OK, f"{device} can be fed")
        else:
            error = virtual_camera_error(device, "", system)
            yield Finding(topic, Severity.NOTE, error.message, error.hint)


_CHECKS: dict[str, Check] = {
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
