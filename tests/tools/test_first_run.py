"""The command that `make run` gives to `live-nst`."""

from pathlib import Path

from tools.first_run import command_for


def test_a_window_shows_the_camera() -> None:
    assert command_for(2, None, 2) == ["live-nst", "--style", "starry", "--source", "2"]


def test_the_demo_is_recorded_at_full_size() -> None:
    command = command_for(None, Path("out.mp4"), 4)
    assert command[3:5] == ["--source", "demo"]
    assert command[-2:] == ["--record", "out.mp4"]
    assert "--no-window" in command and "--duration" in command


def test_few_cores_record_a_smaller_picture() -> None:
    assert command_for(None, Path("out.mp4"), 2)[-2:] == ["--camera-size", "640x360"]
