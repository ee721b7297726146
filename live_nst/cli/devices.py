"""`live-nst devices`: the cameras, with their names and modes."""

from collections.abc import Callable, Iterable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from live_nst.cli.console import result
from live_nst.errors import SourceError
from live_nst.sources.devices import CameraDevice, CameraMode, find_camera, list_cameras


def run(
    cameras: Callable[[], Iterable[CameraDevice]] = list_cameras,
    locate: Callable[[int | str], CameraDevice] = find_camera,
) -> None:
    """Print every camera of this machine, and what stands against using it.

    Args:
        cameras: Finds them.
        locate: Raises a `SourceError` that explains why a camera cannot be used.
    """
    found = list(cameras())
    if not found:
        result("No camera was found.")
        result("Hint: connect one, or use --source demo or the address of a stream")
        return
    console = Console(highlight=False)
    for device in found:
        # A pipe gets whole lines, however long they are.
        heading = Text("  ".join(filter(None, (str(device.index), device.name, device.path))))
        heading.stylize("bold" if device.usable else "dim")
        console.print(heading, soft_wrap=True)
        for line in (*describe_modes(device.modes), *_remarks(device, locate)):
            if console.is_terminal and not line.startswith("Hint"):
                console.print(Padding(Text(line), (0, 0, 0, 4)))
            else:
                result(f"    {line}")


def describe_modes(modes: Sequence[CameraMode]) -> list[str]:
    """The modes in short, a line for each pixel format: "MJPG 1280x720 30, 640x480 30".

    The largest size comes first, each size once, with the highest rate on offer for it. Formats
    that offer the same share a line: "YUYV/NV12 640x480 30".
    """
    best: dict[str, dict[tuple[int, int], float]] = {}
    for mode in modes:
        sizes = best.setdefault(mode.fourcc.strip(), {})
        size = (mode.width, mode.height)
        sizes[size] = max(sizes.get(size, 0.0), *mode.fps, 0.0)
    formats: dict[str, list[str]] = {}
    for fourcc, sizes in best.items():
        ordered = sorted(sizes.items(), key=_area, reverse=True)
        offer = ", ".join(
            f"{width}x{height}{f' {fps:g}' if fps else ''}" for (width, height), fps in ordered
        )
        formats.setdefault(offer, []).append(fourcc)
    return [f"{'/'.join(names)} {offer}" for offer, names in formats.items()]


def _area(item: tuple[tuple[int, int], float]) -> int:
    (width, height), _ = item
    return width * height


def _remarks(device: CameraDevice, locate: Callable[[int | str], CameraDevice]) -> list[str]:
    """What is worth knowing about a camera, and the way out where it cannot be used."""
    if device.usable:
        return [device.note] if device.note else []
    try:
        locate(device.path or device.index)
    except SourceError as exc:
        return [device.note, f"Hint: {exc.hint}"] if exc.hint else [device.note]
    return [device.note]  # the trouble has passed meanwhile
