"""The command line wins over a preset, that over the user's defaults, those over the built-in."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from live_nst.cli.app import app
from live_nst.live.options import LiveOptions
from tests.cli.test_bad_input import Run, check, material, run  # noqa: F401


def options_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> LiveOptions:
    given: list[Any] = []
    monkeypatch.setattr("live_nst.cli.live.run", lambda options, stats: given.append(options))
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    options: LiveOptions = given[0]
    return options


def test_what_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_config: Path) -> None:
    own_config.mkdir()
    (own_config / "defaults.toml").write_text(
        'mirror = true\nstrength = 0.1\nsource = "screen"\nfps = 20\ncamera-size = "640x480"\n'
    )
    show = tmp_path / "show.toml"
    show.write_text('strength = 0.2\nsource = "demo"\nstyle = ["ink", "wave"]\nfullscreen = true\n')
    options = options_of(
        monkeypatch, "--preset", str(show), "--source", "3", "--no-fullscreen", "--size", "auto"
    )
    assert options.source == "3"
    assert options.stylizer.look.strength == 0.2
    assert options.stylizer.styles == ("ink", "wave")
    assert (options.mirror, options.fullscreen) == (True, False)
    assert (options.request.fps, options.request.width) == (20.0, 640)
    assert options.stylizer.size is None
    assert options.stylizer.stabilize == "fast"


def test_without_a_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    assert options_of(monkeypatch) == LiveOptions()
    options = options_of(
        monkeypatch, "--style", "wave", "--device", "cpu", "--virtual-camera", "auto"
    )
    assert options.stylizer.styles == ("wave",)
    assert (options.stylizer.device, options.virtual_camera) == ("cpu", "")


def test_studio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, own_config: Path) -> None:
    given: list[Any] = []
    monkeypatch.setattr("live_nst.cli.studio.run", lambda options, **_: given.append(options.live))
    own_config.mkdir()
    (own_config / "defaults.toml").write_text('style = "ink"\nstrength = 0.1\n')
    show = tmp_path / "show.toml"
    show.write_text("strength = 0.2\nmirror = true\n")
    for arguments in ([], ["--preset", str(show), "--no-mirror", "--folder", str(tmp_path)]):
        result = CliRunner().invoke(app, ["studio", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
    first, second = given
    # The studio opens no window: this is what its presets say to `live-nst --preset`.
    assert (first.source, first.window, first.stylizer.styles) == ("auto", True, ("ink",))
    assert first.stylizer.look.strength == 0.1
    assert (second.stylizer.look.strength, second.mirror) == (0.2, False)
    assert second.folder == tmp_path


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("strenght = 1", 2, "did you mean strength"),
        ("strength = 2", 2, "0 to 1"),
        ("mirror = 1", 2, "true or false"),
        ('style = "text.jpg"', 1, "text.jpg"),
        ('style = "missing.jpg"', 1, "missing.jpg"),
        ('engine = "fast"', 2, "fast"),
        ('device = "tpu"', 2, "tpu"),
        ('precision = "int4"', 2, "int4"),
        ('model = "nosuch"', 2, "nosuch"),
        ('keys = "nosuch"', 1, "nosuch"),
    ],
)
def test_bad_preset(run: Run, text: str, code: int, word: str) -> None:  # noqa: F811
    Path("show.toml").write_text(text)
    answer = run("--no-window --source demo --preset show.toml")
    Path("show.toml").unlink()
    check(answer, code)
    assert word in answer.err


def test_missing_preset(run: Run) -> None:  # noqa: F811
    assert check(run(f"--preset {'x' * 5000}"), 2)
    assert "nosuch" in check(run("--preset nosuch"), 2)
