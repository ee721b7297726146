"""`live-nst devices`: list the cameras, with their names and modes, and the screens."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from live_nst.cli.console import show_result
from live_nst.errors import SourceError

if TYPE_CHECKING:
    from live_nst.sources.devices import CameraDevice, CameraMode
    from live_nst.sources.screen import Screen


def devices() -> None:
    """List the cameras, with their names and modes, and the screens."""
    from live_nst.sources.devices import find_camera, list_cameras
    from live_nst.sources.screen import list_screens

    run(list_cameras(), find_camera)
    show_screens(list_screens)


def run(
    cameras: "Iterable[CameraDevice]", find_camera: "Callable[[int | str], CameraDevice]"
) -> None:
    """Print cameras, and why some of them cannot be used.

    Args:
        cameras: The cameras.
        find_camera: Raises a `SourceError` for a camera that cannot be used.
    """
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    cameras = list(cameras)
    if not cameras:
        show_result("No camera was found.")
        show_result("Hint: connect one, or use --source demo or the address of a stream")
        return
    console = Console(highlight=False)
    for device in cameras:
        # Lines are not wrapped in a pipe.
        heading = Text("  ".join(filter(None, (str(device.index), device.name, device.path))))
        heading.stylize("bold" if device.usable else "dim")
        console.print(heading, soft_wrap=True)
        for line in (*describe_modes(device.modes), *_describe_problem(device, find_camera)):
            if console.is_terminal and not line.startswith("Hint"):
                console.print(Padding(Text(line), (0, 0, 0, 4)))
            else:
                show_result(f"    {line}")


def show_screens(list_screens: "Callable[[], list[Screen]]") -> None:
    """Print the screens as values of `--source`, or why there is none.

    Args:
        list_screens: Returns them; raises a `SourceError` where they cannot be captured.
    """
    try:
        screens = list_screens()
    except SourceError as exc:
        show_result(f"screen  {exc.message}")
        show_result(f"    Hint: {exc.hint}")
        return
    for screen in screens:
        facts = (f"screen:{screen.number}", screen.name, f"{screen.width}x{screen.height}")
        show_result("  ".join(filter(None, (*facts, "main screen" if screen.is_main else ""))))


def describe_modes(modes: "Sequence[CameraMode]") -> list[str]:
    """Return a line for each pixel format: "MJPG 1280x720 30, 640x480 30".

    The largest size comes first, each size once with its highest rate. Formats with the same sizes
    and rates share a line: "YUYV/NV12 640x480 30".
    """
    best: dict[str, dict[tuple[int, int], float]] = {}
    for mode in modes:
        sizes = best.setdefault(mode.fourcc.strip(), {})
        size = (mode.width, mode.height)
        sizes[size] = max(sizes.get(size, 0.0), *mode.fps, 0.0)
    formats: dict[str, list[str]] = {}
    for fourcc, sizes in best.items():
        ordered = sorted(sizes.items(), key=lambda item: item[0][0] * item[0][1], reverse=True)
        text = ", ".join(
            f"{width}x{height}{f' {fps:g}' if fps else ''}" for (width, height), fps in ordered
        )
        formats.setdefault(text, []).append(fourcc)
    return [f"{'/'.join(names)} {text}" for text, names in formats.items()]


def _describe_problem(
    device: "CameraDevice", find_camera: "Callable[[int | str], CameraDevice]"
) -> list[str]:
    """Return notes about a camera, with a hint if it cannot be used."""
    if device.usable:
        return [device.note] if device.note else []
    try:
        find_camera(device.path or device.index)
    except SourceError as exc:
        return [device.note, f"Hint: {exc.hint}"] if exc.hint else [device.note]
    return [device.note]  # the problem is gone by now
