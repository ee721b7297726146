"""The commands paint and score: options, messages, exit codes, files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from live_nst.cli.app import app
from live_nst.errors import LiveNstError, UsageError
from live_nst.objective.checkpoint import checkpoint_path
from live_nst.objective.loss_functions import make_loss_config
from live_nst.objective.vgg import Vgg
from live_nst.types import Image
from tests.objective.conftest import picture
from tests.objective.real_vgg16 import write_h5
from tests.objective.reference import random_vgg

LAYERS = ["--content-layer", "block2_conv1", "--style-layer", "block1_conv2:0.5"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("objective")
    network: Vgg = random_vgg("vgg16")
    write_h5(path / "vgg16.h5", dict(network.layers))
    cv2.imwrite(str(path / "photo.png"), picture(60, 80, 1))
    return path


def options(folder: Path, *more: str) -> list[str]:
    vgg = str(folder / "vgg16.h5")
    return ["--network", "vgg16", "--vgg", vgg, "--device", "cpu", *more]


def test_paint_then_score(folder: Path, tmp_path: Path) -> None:
    photo, out = str(folder / "photo.png"), str(tmp_path / "out.png")
    arguments = ["paint", photo, out, "--style", "ink", "--steps", "3", "--size", "48"]
    arguments += ["--style-weight", "1e9"]
    done = CliRunner().invoke(
        app, [*arguments, "--start", "content", *LAYERS, *options(folder)], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert "3 evaluations" in done.output and out in done.output.replace("\n", "")
    arguments = ["score", photo, "ink", out, "--size", "48", "--json", *options(folder)]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    record = json.loads(done.stdout)
    assert record["form"] == "gatys" and record["network"] == "vgg16"
    own, painted = record["scores"]
    assert own["content"] == 0 and own["relative"] == 1 and painted["content"] > 0
    arguments.remove("--json")
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "of original" in done.stdout and "1.000" in done.stdout


def test_make_loss_config() -> None:
    config = make_loss_config(
        "magenta",
        content_weight=2.0,
        style_weight=3.0,
        tv_weight=4.0,
        content_layers=("block4_conv2",),
        style_layers=("block1_conv1:0.5",),
    )
    assert (config.network, config.pooling) == ("vgg16", "avg")
    assert (config.alpha, config.beta, config.gamma) == (2.0, 3.0, 4.0)
    assert config.content_layers == {"block4_conv2": 1.0}
    assert config.style_layers == {"block1_conv1": 0.5}
    assert make_loss_config("gatys").network == "vgg19"
    assert make_loss_config(
        "gatys", style_layers=("block1_conv1", "block2_conv1")
    ).style_layers == {
        "block1_conv1": 0.5,
        "block2_conv1": 0.5,
    }


@pytest.mark.parametrize(
    "given",
    [
        {"name": "nosuch"},
        {"name": "gatys", "network": "resnet"},
        {"name": "gatys", "style_layers": ("block1_conv2:much",)},
        {"name": "gatys", "style_layers": ("block7_conv1",)},
        {"name": "gatys", "style_weight": -1.0},
        {"name": "gatys", "tv_weight": float("nan")},
    ],
)
def test_make_loss_config_refuses_invalid_values(given: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(UsageError) as error:
        make_loss_config(**given)
    assert error.value.hint


def test_paint_without_weights_offline(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live_nst.objective.vgg_weights.WEIGHTS_URL", "http://127.0.0.1:9/keras/x")
    arguments = ["paint", str(folder / "photo.png"), str(tmp_path / "out.png"), "--device", "cpu"]
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, LiveNstError)
    assert "Cannot download the weights of vgg19" in done.exception.message
    assert "--vgg FILE" in done.exception.hint
    assert not (tmp_path / "out.png").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_interrupt_keeps_the_state(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    arguments = ["paint", str(folder / "photo.png"), str(out), "--start", "content", *LAYERS]
    command = [sys.executable, "-m", "live_nst", *arguments, "--steps", "1000000", "--size", "64"]
    process = subprocess.Popen(
        [*command, "--save-every", "3", *options(folder)],
        env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not (tmp_path / "out-64-0003.png").exists() and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr and "The same command resumes it" in stdout
    assert out.is_file() and checkpoint_path(out).is_file()


def test_preview_shows_every_image_and_q_stops(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[Image] = []
    closed: list[bool] = []

    class Window:
        closed = False

        def __init__(self, title: str, size: tuple[int, int]) -> None:
            pass

        def show(self, image: Image) -> None:
            shown.append(image)

        def poll(self) -> str | None:
            return "q" if len(shown) == 3 else None

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr("live_nst.sinks.window.Window", Window)
    out = tmp_path / "out.png"
    arguments = ["paint", str(folder / "photo.png"), str(out), "--start", "content", "--preview"]
    arguments += ["--size", "48", "--steps", "9", *LAYERS, *options(folder)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 130 and closed == [True]
    assert [image.shape for image in shown] == [(36, 48, 3)] * 3
    assert checkpoint_path(out).is_file()
