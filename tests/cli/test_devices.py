import pytest

from live_nst.cli.devices import describe_modes, run, show_screens
from live_nst.errors import SourceError
from live_nst.sources.devices import CameraDevice, CameraMode, CameraProblem
from live_nst.sources.screen import Screen

MODES = (
    CameraMode("YUYV", 640, 480, (30.0, 15.0)),
    CameraMode("YUYV", 1280, 720, (10.0,)),
    CameraMode("MJPG", 1280, 720, (29.97, 15.0)),
    CameraMode("MJPG", 1280, 720, (59.94,)),
    CameraMode("GRAY", 320, 240),
)
DESK = CameraDevice(0, "/dev/video0", "HD Webcam", "uvcvideo", MODES)
BUSY = CameraDevice(
    2, "/dev/video2", "Door [4K]", "uvcvideo", MODES[:1], problem=CameraProblem.BUSY, note="busy"
)
LOOP = CameraDevice(10, "/dev/video10", "OBS", "v4l2 loopback", note="virtual camera")


def refuse(which: int | str) -> CameraDevice:
    raise SourceError("another program is using it", f"close it; `fuser -v {which}` names it")


def no_longer_busy(which: int | str) -> CameraDevice:
    return BUSY


def test_describe_modes() -> None:
    assert describe_modes(MODES) == [
        "YUYV 1280x720 10, 640x480 30",
        "MJPG 1280x720 59.94",
        "GRAY 320x240",
    ]


def test_describe_modes_of_equal_formats() -> None:
    names = ("YUYV", "MJPG", "NV12", "Y16 ")
    modes = [CameraMode(name, 640, 480, (30.0,)) for name in names]
    modes.append(CameraMode("MJPG", 1280, 720, (30.0,)))
    assert describe_modes(modes) == ["YUYV/NV12/Y16 640x480 30", "MJPG 1280x720 30, 640x480 30"]


def test_devices_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    run([DESK, BUSY, LOOP], refuse)
    assert capsys.readouterr().out.splitlines() == [
        "0  HD Webcam  /dev/video0",
        "    YUYV 1280x720 10, 640x480 30",
        "    MJPG 1280x720 59.94",
        "    GRAY 320x240",
        "2  Door [4K]  /dev/video2",
        "    YUYV 640x480 30",
        "    busy",
        "    Hint: close it; `fuser -v /dev/video2` names it",
        "10  OBS  /dev/video10",
        "    virtual camera",
    ]


def test_many_modes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    modes = tuple(CameraMode("MJPG", 100 * n, 100 * n, (30.0,)) for n in range(1, 40))
    many = CameraDevice(0, "/dev/video0", "HD Webcam", "uvcvideo", modes)
    run([many], no_longer_busy)
    assert len(capsys.readouterr().out.splitlines()) == 2

    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    run([many], no_longer_busy)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 5
    assert all(line.startswith("    ") for line in lines[1:])
    assert max(map(len, lines)) <= 80


def test_problem_that_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    run([BUSY], no_longer_busy)
    assert "Hint" not in capsys.readouterr().out


def test_camera_without_path_and_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run([CameraDevice(3)], no_longer_busy)
    assert capsys.readouterr().out == "3\n"


def test_no_camera(capsys: pytest.CaptureFixture[str]) -> None:
    run([], no_longer_busy)
    first, hint = capsys.readouterr().out.splitlines()
    assert first == "No camera was found."
    assert "--source demo" in hint


def test_screens(capsys: pytest.CaptureFixture[str]) -> None:
    screens = [Screen(1, 0, 0, 1920, 1080, "HDMI-1", True), Screen(2, 1920, 0, 800, 600)]
    show_screens(lambda: screens)
    assert capsys.readouterr().out.splitlines() == [
        "screen:1  HDMI-1  1920x1080  main screen",
        "screen:2  800x600",
    ]


def test_no_screens(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> list[Screen]:
        raise SourceError("this desktop runs Wayland", "start `live-nst studio`")

    show_screens(refuse)
    assert capsys.readouterr().out.splitlines() == [
        "screen  this desktop runs Wayland",
        "    Hint: start `live-nst studio`",
    ]
