from pathlib import Path

from live_nst.doctor.devices import check_cameras, check_display, check_virtual_camera
from live_nst.doctor.finding import Finding, Severity
from live_nst.errors import DisplayError, SourceError
from live_nst.sinks.virtual_camera_setup import DeviceCapability, HostSystem
from live_nst.sources.devices import CameraDevice, CameraProblem
from tests.doctor.fakes import failing, loading, only, severities


def test_check_display() -> None:
    def refuse() -> None:
        raise DisplayError("no window can be opened", "use `--no-window`")

    finding = only(check_display(refuse))
    assert (finding.severity, finding.hint) == (Severity.NOTE, "use `--no-window`")
    assert only(check_display(lambda: (1920, 1080))).text == "1920x1080"
    assert only(check_display(lambda: None)).severity is Severity.OK


DESK = CameraDevice(0, "/dev/video0", "HD Webcam")
DOOR = CameraDevice(2, "/dev/video2", "Door", problem=CameraProblem.BUSY, note="busy")


def test_check_cameras() -> None:
    def refuse(which: int | str) -> CameraDevice:
        raise SourceError("another program is using it", f"close the user of {which}")

    desk, door = check_cameras(lambda: [DESK, DOOR], refuse)
    assert desk == Finding("camera", Severity.OK, "camera 0 (HD Webcam), /dev/video0")
    assert door == Finding(
        "camera",
        Severity.NOTE,
        "camera 2 (Door), /dev/video2, busy",
        "close the user of /dev/video2",
    )


def test_check_cameras_whose_problem_has_passed() -> None:
    assert severities(check_cameras(lambda: [DOOR], lambda which: DOOR)) == [Severity.OK]


def test_check_cameras_without_any() -> None:
    finding = only(check_cameras(list))
    assert finding.severity is Severity.NOTE
    assert "--source demo" in finding.hint


def linux(folder: Path, *capabilities: DeviceCapability) -> HostSystem:
    """A system with a v4l2loopback module, and devices that answer so."""
    module, devices = folder / "module", folder / "dev"
    devices.mkdir()
    if capabilities:
        module.mkdir()
        (module / "version").write_text("0.12.7\n")
    answers = {}
    for number, capability in enumerate(capabilities, start=10):
        path = devices / f"video{number}"
        path.touch()
        answers[str(path)] = capability
    return HostSystem("linux", module, devices, answers.get)


def test_check_virtual_camera(
    tmp_path: Path,
) -> None:
    free = DeviceCapability("v4l2 loopback", output=True, capture=False)
    spent = DeviceCapability("v4l2 loopback", output=False, capture=False)
    first, second = check_virtual_camera(linux(tmp_path, free, spent), loading())
    assert first.severity is Severity.OK
    assert first.text.endswith("video10 is ready")
    assert second.severity is Severity.NOTE
    assert "video11 was written to once" in second.text
    assert "exclusive_caps=0" in second.hint


def test_check_virtual_camera_without_loopback(tmp_path: Path) -> None:
    finding = only(check_virtual_camera(linux(tmp_path), loading()))
    assert finding.severity is Severity.NOTE
    assert "modprobe v4l2loopback" in finding.hint


def test_check_virtual_camera_with_broken_package(tmp_path: Path) -> None:
    finding = only(check_virtual_camera(linux(tmp_path), failing("no such symbol")))
    assert finding.severity is Severity.FAULT
    assert "no such symbol" in finding.text
