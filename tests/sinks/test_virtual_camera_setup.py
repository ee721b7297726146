import os
import sys
from pathlib import Path

import pytest

from live_nst.errors import VirtualCameraError
from live_nst.sinks.virtual_camera_setup import (
    LOOPBACK_DRIVER,
    DeviceCapability,
    HostSystem,
    query_capability,
    virtual_camera_error,
)

FREE = DeviceCapability(LOOPBACK_DRIVER, output=True, capture=False)
FED = DeviceCapability(LOOPBACK_DRIVER, output=False, capture=True)
SPENT = DeviceCapability(LOOPBACK_DRIVER, output=False, capture=False)
WEBCAM = DeviceCapability("uvcvideo", output=False, capture=True)


class Machine:
    """A Linux whose devices and modules a test makes up."""

    def __init__(self, folder: Path) -> None:
        self.devices = folder / "dev"
        self.module = folder / "module"
        self.devices.mkdir()
        self.found: dict[str, DeviceCapability | None] = {}

    def load_module(self, version: str = "") -> None:
        self.module.mkdir()
        if version:
            (self.module / "version").write_text(version + "\n")

    def add(self, name: str, capability: DeviceCapability | None) -> str:
        path = self.devices / name
        path.touch()
        self.found[str(path)] = capability
        return str(path)

    def explain(self, device: str | None, reason: str = "it is so") -> VirtualCameraError:
        system = HostSystem("linux", self.module, self.devices, self.found.get)
        return virtual_camera_error(device, reason, system)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_module_not_loaded(machine: Machine) -> None:
    error = machine.explain(None)
    assert "v4l2loopback is not loaded" in error.message
    assert (
        "`sudo modprobe v4l2loopback devices=1 video_nr=10 "
        'card_label="live-nst" exclusive_caps=1`' in error.hint
    )
    assert "sudo apt install v4l2loopback-dkms" in error.hint


def test_module_not_loaded_with_a_device(machine: Machine) -> None:
    error = machine.explain("/dev/video4711")
    assert "There is no /dev/video4711" in error.message
    assert "video_nr=4711" in error.hint
    assert "install" in error.hint


def test_missing_device_lists_others(machine: Machine) -> None:
    machine.load_module()
    machine.add("video0", WEBCAM)
    other = machine.add("video10", FREE)
    error = machine.explain("/dev/video4711")
    assert error.message == "There is no /dev/video4711"
    assert f"use {other}, or reload v4l2loopback" in error.hint
    assert "modprobe -r v4l2loopback && sudo modprobe v4l2loopback" in error.hint


@pytest.mark.parametrize("capability", [WEBCAM, None])
def test_device_is_no_loopback(machine: Machine, capability: DeviceCapability | None) -> None:
    path = machine.add("video0", capability)
    error = machine.explain(path)
    assert "not a virtual camera" in error.message
    assert ("uvcvideo" in error.message) == (capability is not None)
    assert "sudo modprobe v4l2loopback" in error.hint
    other = machine.add("video10", FREE)
    assert machine.explain(path).hint == f"use {other}"


@pytest.mark.parametrize("by_name", [True, False])
def test_exclusive_caps(machine: Machine, by_name: bool) -> None:
    machine.load_module("0.12.7")
    path = machine.add("video10", SPENT)
    error = machine.explain(path if by_name else None, "is not a video output device")
    assert error.message == (
        f"{path} was written to once and cannot be again: v4l2loopback 0.12.7, loaded with "
        "exclusive_caps=1, allows that only once"
    )
    assert (
        "`sudo modprobe -r v4l2loopback && sudo modprobe v4l2loopback devices=1 video_nr=10 "
        'card_label="live-nst" exclusive_caps=0`' in error.hint
    )
    assert "0.13" in error.hint


def test_exclusive_caps_without_a_version(machine: Machine) -> None:
    machine.load_module()
    error = machine.explain(machine.add("video10", SPENT))
    assert "v4l2loopback before 0.13, loaded with exclusive_caps=1" in error.message


def test_device_is_in_use(machine: Machine) -> None:
    machine.load_module("0.12.7")
    path = machine.add("video10", FED)
    error = machine.explain(path)
    assert error.message == f"Another program is writing to the virtual camera {path}"
    assert f"fuser {path}" in error.hint


def test_no_permission(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    path = machine.add("video10", None)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    error = machine.explain(path)
    assert error.message == f"No permission to write to {path}"
    assert "sudo usermod -aG video $USER" in error.hint


def test_no_permission_for_any_device(machine: Machine) -> None:
    machine.load_module()
    machine.add("video10", None)
    assert "sudo usermod -aG video $USER" in machine.explain(None).hint


def test_other_errors_keep_the_message(machine: Machine) -> None:
    machine.load_module()
    path = machine.add("video10", FREE)
    error = machine.explain(path, "'a' backend: Device or resource busy.\n'b' backend: no.")
    assert "Device or resource busy.; 'b' backend: no" in error.message
    assert "\n" not in error.message
    assert f"fuser {path}" in error.hint
    assert "modprobe -r" in error.hint


@pytest.mark.parametrize(
    ("platform", "words"), [("darwin", ["OBS 30", "macOS 13"]), ("win32", ["OBS 26"])]
)
def test_windows_and_macos(platform: str, words: list[str]) -> None:
    error = virtual_camera_error(
        None, "virtual camera output could not be started", HostSystem(platform)
    )
    assert "virtual camera output could not be started" in error.message
    for word in [*words, "Start Virtual Camera", "https://obsproject.com"]:
        assert word in error.hint
    assert "modprobe" not in error.hint


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="V4L2 is Linux's")
def test_query_capability_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert query_capability(str(tmp_path / "file")) is None
    assert query_capability(str(tmp_path / "missing")) is None


class SpentDevice:
    """A device of v4l2loopback 0.12 with exclusive_caps=1, which takes one writer only.

    Args:
        read: Whether a program reads it, so that it stays a camera.
        repaired: Whether claiming it helps.
    """

    def __init__(self, *, read: bool = False, repaired: bool = True) -> None:
        self.state = FED if read else SPENT
        self.claims: list[str] = []
        self._repaired = repaired

    def capability(self, path: str) -> DeviceCapability | None:
        return self.state if path.endswith("video10") else WEBCAM

    def claim(self, path: str) -> None:
        self.claims.append(path)
        if self._repaired:
            self.state = FREE

    def system(self, folder: Path) -> HostSystem:
        for name in ("video0", "video10"):
            (folder / name).touch()
        return HostSystem("linux", folder / "module", folder, self.capability, self.claim)


@pytest.mark.parametrize("by_name", [True, False])
def test_revive(tmp_path: Path, by_name: bool) -> None:
    device = SpentDevice()
    path = str(tmp_path / "video10")
    assert device.system(tmp_path).revive(path if by_name else None)
    assert device.claims == [path]
    assert not device.system(tmp_path).revive(path)  # it is free already
    assert device.claims == [path]


def test_revive_leaves_what_another_program_writes_to(tmp_path: Path) -> None:
    device = SpentDevice(read=True)
    path = str(tmp_path / "video10")
    assert not device.system(tmp_path).revive(path)
    assert device.claims == []
    assert device.system(tmp_path).revive(path, was_ours=True)


def test_revive_what_cannot_be(tmp_path: Path) -> None:
    device = SpentDevice(repaired=False)
    assert not device.system(tmp_path).revive(None)
    assert not device.system(tmp_path).revive(str(tmp_path / "video0"))
    assert not HostSystem("darwin", capability=device.capability).revive("/dev/video10")
    assert len(device.claims) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="V4L2 is Linux's")
def test_claim_of_a_file(tmp_path: Path) -> None:
    from live_nst.sinks.virtual_camera_setup import claim_and_leave

    claim_and_leave(str(tmp_path / "missing"))
    (tmp_path / "file").touch()
    claim_and_leave(str(tmp_path / "file"))
