import os
from collections.abc import Iterator
from pathlib import Path

from live_nst.runtime.chips import (
    Chip,
    RegistryEntry,
    driver_state,
    find_chips,
    linux_chips,
    mac_chips,
    may_have_intel_accelerator,
    windows_chips,
)

# Ids as Linux's sysfs shows them (Documentation/ABI/testing/sysfs-bus-pci); the class is that of
# the PCI Code and ID Assignment Specification: 0x03 display, 0x12 processing accelerator.
IRIS = ("0x8086", "0x9a49", "0x030000")
NPU = ("0x8086", "0x7d1d", "0x120000")
NVIDIA = ("0x10de", "0x2786", "0x030000")
AMD = ("0x1002", "0x15bf", "0x038000")
QEMU = ("0x1234", "0x1111", "0x030000")
NETWORK = ("0x8086", "0x15d7", "0x020000")

NAMES = """# a comment
1002  Advanced Micro Devices, Inc. [AMD/ATI]
\t9a49  Another chip
8086  Intel Corporation
\t9a49  TigerLake-LP GT2 [Iris Xe Graphics]
\t\t1028 0a20  A laptop
10de  NVIDIA Corporation
"""


def pci(folder: Path, *devices: tuple[str, str, str], driver: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    for number, (vendor, device, kind) in enumerate(devices):
        place = folder / f"0000:00:{number:02x}.0"
        place.mkdir()
        for name, text in (("vendor", vendor), ("device", device), ("class", kind)):
            (place / name).write_text(f"{text}\n")
        if driver:
            target = folder.parent / "drivers" / driver
            target.mkdir(parents=True, exist_ok=True)
            (place / "driver").symlink_to(target)
    return folder


def test_linux(tmp_path: Path) -> None:
    names = tmp_path / "pci.ids"
    names.write_text(NAMES)
    folder = pci(tmp_path / "devices", NETWORK, IRIS, NPU, NVIDIA, AMD, QEMU, driver="i915")
    found = list(linux_chips(folder, (tmp_path / "none", names)))
    assert [(chip.kind, chip.maker, chip.name) for chip in found] == [
        ("gpu", "Intel", "Intel TigerLake-LP GT2 [Iris Xe Graphics]"),
        ("npu", "Intel", "Intel neural processor (PCI 8086:7d1d)"),
        ("gpu", "NVIDIA", "NVIDIA graphics (PCI 10de:2786)"),
        ("gpu", "AMD", "AMD graphics (PCI 1002:15bf)"),
        ("gpu", "", "unknown graphics (PCI 1234:1111)"),
    ]
    assert found[0].driver == "i915"


def test_linux_without_a_driver_or_a_folder(tmp_path: Path) -> None:
    folder = pci(tmp_path / "devices", IRIS)
    (folder / "0000:00:00.0" / "broken").touch()
    (folder / "0000:00:09.0").mkdir()  # a device without ids
    assert [chip.driver for chip in linux_chips(folder, ())] == [""]
    assert list(linux_chips(tmp_path / "none", ())) == []


def test_other_accelerators_are_no_chips_of_ours(tmp_path: Path) -> None:
    assert list(linux_chips(pci(tmp_path / "devices", ("0x1d0f", "0x7064", "0x120000")), ())) == []


def test_may_have_intel_accelerator(tmp_path: Path) -> None:
    nothing = tmp_path / "none"
    amd, intel = pci(tmp_path / "amd", AMD, NETWORK), pci(tmp_path / "intel", AMD, NPU)
    assert not may_have_intel_accelerator("linux", amd, nothing)
    assert may_have_intel_accelerator("linux", intel, nothing)
    assert may_have_intel_accelerator("linux", amd, amd), "WSL shows no PCI ids"
    assert may_have_intel_accelerator("win32", amd, nothing)


def test_windows() -> None:
    # Values as Windows keeps them under Control\\Class (Microsoft, "Registry Trees and Keys for
    # Devices and Drivers").
    def entries() -> Iterator[RegistryEntry]:
        yield "gpu", "Intel(R) Iris(R) Xe Graphics", "32.0.101.6130", r"PCI\VEN_8086&DEV_9A49"
        yield "gpu", "AMD Radeon RX 7800 XT", "32.0.12033.1030", r"pci\ven_1002&dev_747e"
        yield "gpu", "Microsoft Basic Display Adapter", "10.0", "basicdisplay"
        yield "npu", "Intel(R) AI Boost", "32.0.100.4023", r"pci\ven_8086&dev_7d1d"
        yield "gpu", "Qualcomm(R) Adreno(TM)", "31.0.91.0", r"ACPI\VEN_QCOM&DEV_0C36"

    found = list(windows_chips(entries))
    assert [(chip.kind, chip.maker, chip.driver) for chip in found] == [
        ("gpu", "Intel", "32.0.101.6130"),
        ("gpu", "AMD", "32.0.12033.1030"),
        ("npu", "Intel", "32.0.100.4023"),
        ("gpu", "Qualcomm", "31.0.91.0"),
    ]


def test_mac() -> None:
    assert [(chip.kind, chip.maker) for chip in mac_chips("arm64")] == [
        ("gpu", "Apple"),
        ("npu", "Apple"),
    ]
    assert list(mac_chips("x86_64")) == []


def test_find_chips_here() -> None:
    assert all(isinstance(chip, Chip) for chip in find_chips())
    assert find_chips("plan9") == []


def test_driver_state_changes_with_a_driver(tmp_path: Path) -> None:
    folder = pci(tmp_path / "devices", IRIS, driver="i915")
    vendors, library = tmp_path / "vendors", tmp_path / "libigdrcl.so"
    before = driver_state("linux", folder, vendors)
    assert "i915" in before
    vendors.mkdir()
    library.write_bytes(b"1")
    (vendors / "intel.icd").write_text(f"{library}\n")
    installed = driver_state("linux", folder, vendors)
    assert installed != before
    assert driver_state("linux", folder, vendors) == installed
    library.write_bytes(b"12")
    os.utime(library, (0, 0))
    assert driver_state("linux", folder, vendors) != installed
