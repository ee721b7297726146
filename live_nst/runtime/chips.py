"""The graphics and neural chips of this machine, whether or not a library can use them.

Only what the system itself knows is read: no driver is loaded, and nothing is started.
"""

import platform
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PCI_FOLDER = Path("/sys/bus/pci/devices")
"""Linux: one folder per PCI device, with its ids (Documentation/ABI/testing/sysfs-bus-pci)."""
WSL_DEVICE = Path("/dev/dxg")
"""How WSL2 gives access to the GPU of Windows. Its PCI ids are not visible there."""
OPENCL_FOLDER = Path("/etc/OpenCL/vendors")
"""Linux: the installed OpenCL drivers, one file each (OpenCL extension cl_khr_icd)."""

_PCI_NAMES = (Path("/usr/share/misc/pci.ids"), Path("/usr/share/hwdata/pci.ids"))
_MAKERS = {0x8086: "Intel", 0x10DE: "NVIDIA", 0x1002: "AMD", 0x1022: "AMD", 0x17CB: "Qualcomm"}
# Qualcomm's chips are no PCI devices: ACPI names them.
_WINDOWS_MAKERS = {f"{number:04x}": maker for number, maker in _MAKERS.items()} | {
    "qcom": "Qualcomm"
}
_GPU_CLASS, _ACCELERATOR_CLASS = 0x03, 0x12  # base classes of PCI: display, processing accelerator

# The registry's folders of drivers, by the classes "Display" and "ComputeAccelerator" of
# "System-Defined Device Setup Classes Available to Vendors" (Microsoft).
_WINDOWS_CLASSES: dict[str, Literal["gpu", "npu"]] = {
    "{4d36e968-e325-11ce-bfc1-08002be10318}": "gpu",
    "{f01a9d53-3ff6-48d2-9f97-c8a7004be10c}": "npu",
}
_WINDOWS_DRIVERS = r"SYSTEM\CurrentControlSet\Control\Class"
_WINDOWS_ID = re.compile(r"ven_([0-9a-z]{4})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Chip:
    """A chip that could run a network.

    Attributes:
        kind: "gpu" or "npu".
        maker: "Intel", "NVIDIA", "AMD", "Qualcomm", "Apple", or "" if it is another one.
        name: Its name as far as the system knows it, such as "Intel UHD Graphics 620".
        driver: The driver that the system uses for it: on Linux the name of the kernel's module,
            on Windows the version; "" without one.
    """

    kind: Literal["gpu", "npu"]
    maker: str
    name: str
    driver: str = ""


def find_chips(system: str = sys.platform) -> list[Chip]:
    """Return the graphics and neural chips of this machine; empty if the system names none."""
    if system.startswith("linux"):
        return list(linux_chips())
    if system == "win32":
        return list(windows_chips())
    return list(mac_chips()) if system == "darwin" else []


def may_have_intel_accelerator(
    system: str = sys.platform, pci: Path = PCI_FOLDER, wsl: Path = WSL_DEVICE
) -> bool:
    """Return whether it is worth to ask OpenVINO for a GPU or NPU.

    The question loads the drivers' libraries: 15 ms and 30 MB on a machine that has neither.
    """
    if not system.startswith("linux") or wsl.exists():
        return True
    return any(chip.maker == "Intel" for chip in linux_chips(pci, ()))


def linux_chips(pci: Path = PCI_FOLDER, names: tuple[Path, ...] = _PCI_NAMES) -> Iterator[Chip]:
    """Yield the chips in the folder of PCI devices.

    Args:
        pci: The folder.
        names: Lists of names by PCI ids; the first that can be read is used.
    """
    try:
        folders = sorted(pci.iterdir())
    except OSError:
        return
    for folder in folders:
        try:
            vendor, device, kind = (
                int((folder / name).read_text(), 16) for name in ("vendor", "device", "class")
            )
        except (OSError, ValueError):
            continue
        base = kind >> 16
        if base not in (_GPU_CLASS, _ACCELERATOR_CLASS) or (base == 0x12 and vendor not in _MAKERS):
            continue
        maker = _MAKERS.get(vendor, "")
        link = folder / "driver"
        driver = link.resolve().name if link.exists() else ""
        what: Literal["gpu", "npu"] = "gpu" if base == _GPU_CLASS else "npu"
        model = _pci_name(vendor, device, names)
        ids = f"PCI {vendor:04x}:{device:04x}"
        plain = "graphics" if what == "gpu" else "neural processor"
        name = f"{maker} {model}" if maker and model else f"{maker or 'unknown'} {plain} ({ids})"
        yield Chip(what, maker, name, driver)


def _pci_name(vendor: int, device: int, files: tuple[Path, ...]) -> str:
    """Return the name of a PCI device by the system's list; "" if it has none.

    In such a list the devices of a vendor follow it, indented by one tab.
    """
    for path in files:
        try:
            lines = path.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        inside = False
        for line in lines:
            if line[:1] not in ("\t", "#", ""):
                inside = line.startswith(f"{vendor:04x}  ")
            elif inside and line.startswith(f"\t{device:04x}  "):
                return line[7:].strip()
        return ""
    return ""


RegistryEntry = tuple[Literal["gpu", "npu"], str, str, str]
"""Kind, description, version of the driver, and id of a device in the registry of Windows."""


def windows_chips(
    entries: Callable[[], Iterator[RegistryEntry]] | None = None,
) -> Iterator[Chip]:
    """Yield the chips for which Windows has a driver.

    Args:
        entries: Reads the registry; None for this machine's.
    """
    for kind, description, version, device_id in (entries or _registry_entries)():
        match = _WINDOWS_ID.search(device_id)
        if match is None:
            continue  # such as "Microsoft Basic Display Adapter", which is no chip
        yield Chip(kind, _WINDOWS_MAKERS.get(match[1].lower(), ""), description, version)


def _registry_entries() -> Iterator[RegistryEntry]:  # pragma: no cover
    if sys.platform != "win32":
        return
    import winreg

    for guid, kind in _WINDOWS_CLASSES.items():
        for number in range(100):
            path = rf"{_WINDOWS_DRIVERS}\{guid}\{number:04d}"
            try:
                with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
                    values = [
                        str(winreg.QueryValueEx(key, name)[0])
                        for name in ("DriverDesc", "DriverVersion", "MatchingDeviceId")
                    ]
            except OSError:
                continue
            yield kind, values[0], values[1], values[2]


def mac_chips(machine: str = "") -> Iterator[Chip]:
    """Yield Apple's own graphics; others in a Mac are not told apart.

    Args:
        machine: As `platform.machine` returns it; "" for this one's.
    """
    if (machine or platform.machine()) == "arm64":
        yield Chip("gpu", "Apple", "Apple graphics", "Metal")
        yield Chip("npu", "Apple", "Apple Neural Engine", "Core ML")


def driver_state(
    system: str = sys.platform, pci: Path = PCI_FOLDER, opencl: Path = OPENCL_FOLDER
) -> str:
    """Return a text that changes when a driver of these chips is updated.

    On Linux it is made from the kernel's release and from size and time of the OpenCL drivers'
    files, on Windows from the versions of the drivers, on macOS from the system's release.
    """
    if not system.startswith("linux"):
        return "; ".join([platform.release(), *(chip.driver for chip in find_chips(system))])
    parts = [platform.release(), *(chip.driver for chip in linux_chips(pci, ()))]
    try:
        descriptions = sorted(opencl.glob("*.icd"))
    except OSError:
        descriptions = []
    for path in descriptions:
        for file in (path, Path(_first_line(path))):
            try:
                status = file.stat()
            except (OSError, ValueError):
                continue
            parts.append(f"{file.name} {status.st_size} {status.st_mtime_ns}")
    return "; ".join(parts)


def _first_line(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").partition("\n")[0].strip()
    except OSError:
        return ""
