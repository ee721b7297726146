"""The options of clusters, and how the progress of workers is shown."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from live_nst.cli.app import app
from live_nst.cli.convert_reporters import BarReporter, JsonReporter
from live_nst.cli.convert_words import describe_worker
from live_nst.conversion.progress import ConversionProgress, WorkerProgress
from live_nst.errors import UsageError

WORKERS = (
    WorkerProgress("worker 1", "painting", 40, 4.04),
    WorkerProgress("worker 2", "late", 20, 2.0),
)
PROGRESS = ConversionProgress("painting", 60, 120, 0, 6.0, 10.0, 10.0, 1000, WORKERS)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--workers", "2", "--cluster", "127.0.0.1"], "--workers and --cluster exclude"),
        (["--cluster", "10.0.0.1"], "is not encrypted"),
        (["--cluster", "http://127.0.0.1"], "Invalid address"),
        (["--tls-ca", "ca.pem"], "need --cluster"),
        (["--insecure"], "need --cluster"),
        (["--workers", "2", "--dry-run"], "work on this machine only"),
        (["--workers", "2", "--chunk", "0"], "Invalid --chunk 0"),
    ],
)
def test_wrong_options(tmp_path: Path, options: list[str], reason: str) -> None:
    (tmp_path / "film.mp4").write_bytes(b"no film")
    arguments = ["convert", str(tmp_path / "film.mp4"), str(tmp_path / "out.mp4"), *options]
    with pytest.raises(UsageError, match=reason):
        app(arguments, standalone_mode=False)


def test_single_picture_is_painted_here(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    arguments = ["convert", str(tmp_path / "a.png"), str(tmp_path / "b.png"), "--workers", "2"]
    with pytest.raises(UsageError, match="A single picture is painted on this machine"):
        app(arguments, standalone_mode=False)


def test_describe_worker() -> None:
    assert describe_worker(WORKERS[0]) == "worker 1: painting, 40 frames, 4.0 fps"


def test_bar_has_a_line_for_each_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=100)
    monkeypatch.setattr("live_nst.cli.convert_reporters.Console", lambda **options: console)
    reporter = BarReporter()
    reporter.progress(PROGRESS)
    reporter._bar.refresh()
    lines = shown.getvalue()
    assert "60/120 50%" in lines
    assert "worker 1: painting, 40 frames" in lines and "worker 2: late" in lines
    gone = ConversionProgress("painting", 70, 120, 0, 6.0, 10.0, 10.0, 1000, WORKERS[:1])
    reporter.progress(gone)
    assert [task.description for task in reporter._bar.tasks] == ["convert", "worker 1"]
    reporter._bar.stop()


def test_json_has_the_workers(capsys: pytest.CaptureFixture[str]) -> None:
    JsonReporter().progress(PROGRESS)
    event = json.loads(capsys.readouterr().out)
    assert event["workers"][0] == {
        "name": "worker 1",
        "state": "painting",
        "frames": 40,
        "fps": 4.04,
    }
