"""Options that would have no effect are refused; those that can have one are taken."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from live_nst.cli.app import app
from live_nst.errors import UsageError
from live_nst.live.options import LiveOptions
from live_nst.presets.show import make_table
from tests.cli.test_bad_input import Run, check, material, run  # noqa: F401
from tests.cli.test_preset import options_of


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--bitrate 4M", "--bitrate with --stream"),
        ("--bitrate 4M --record out.mp4", "--bitrate with --stream"),
        ("--encoder libx264", "--encoder with --stream"),
        ("--no-window --audio default", "--audio with --stream or --record"),
    ],
)
def test_options_without_effect(run: Run, arguments: str, words: str) -> None:  # noqa: F811
    answer = run(f"--source demo {arguments}")
    check(answer, 2)
    assert words in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        "--bitrate 4M --encoder libx264 --audio a.mp3 --stream udp://127.0.0.1:9",
        "--bitrate 4M --encoder libx264 --audio a.mp3 --control auto",
        "--audio a.mp3",  # the window's key r records
        "--no-window --audio a.mp3 --record out.mp4",
        "--no-window --audio a.mp3 --osc auto",
    ],
)
def test_options_with_effect(arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert options_of(monkeypatch, *arguments.split()).audio == "a.mp3"


def test_a_preset_may_set_up_streams_that_are_given_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    show = tmp_path / "show.toml"
    show.write_text('bitrate = "6M"\naudio = "default"\nwindow = false\nencoder = "libx264"\n')
    assert options_of(monkeypatch, "--preset", str(show)).bitrate == 6_000_000


def test_the_studio_takes_them_for_its_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr("live_nst.cli.studio.run", lambda options, **_: given.append(options.live))
    arguments = "studio --bitrate 2500k --encoder h264_nvenc --audio default"
    result = CliRunner().invoke(app, arguments.split(), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    (live,) = given
    assert (live.bitrate, live.encoder, live.audio) == (2_500_000, "h264_nvenc", "default")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [("--encoder nosuch", "no encoder 'nosuch'"), ("--bitrate 1G", "Invalid bitrate")],
)
def test_the_studio_checks_them_at_the_start(run: Run, arguments: str, words: str) -> None:  # noqa: F811
    answer = run(f"studio --port 0 --source demo {arguments}")
    assert words in answer.err and answer.code in (1, 2)


def test_presets_of_the_studio_show_a_window(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The page has no window, but `live-nst --preset` needs one."""
    ran: list[LiveOptions] = []

    def end(live: LiveOptions, *_: object) -> None:
        ran.append(live)
        raise UsageError("It ends here")

    monkeypatch.setattr("live_nst.studio.run.studio_parts", end)
    arguments = ["studio", "--source", "demo", "--port", "0", "--folder", str(tmp_path)]
    with pytest.raises(UsageError, match="ends here"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert make_table(ran[0])["window"] is True
