"""The pictures of a folder, painted by workers."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from live_nst.conversion.batch.converters import ImageConverter
from live_nst.conversion.batch.discovery import find_items
from live_nst.conversion.batch.folder import convert_items
from live_nst.conversion.cluster import attempts
from live_nst.conversion.cluster.pictures import SpreadImageConverter
from live_nst.conversion.cluster.workers import WorkerLost
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ProgressReporter
from live_nst.conversion.timetable import StyleChange
from live_nst.errors import ConversionCancelled, SinkError
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from tests.conversion.cluster.threads import ThreadWorkers

OPTIONS = StylizerOptions(model="mobile", styles=("ink",), device="cpu")
CHANGES = ConvertOptions(changes=(StyleChange("ink", 0.0, 1.0),), chunk=384)


@pytest.fixture(scope="module")
def stylizer() -> StylizerCore:
    return StylizerCore(OPTIONS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for number, name in enumerate(("a.png", "b.jpg", "deep/c.png", "deep/d.ppm")):
        image = np.random.default_rng(number).integers(0, 255, (40, 60, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / "in" / name), image)
    (tmp_path / "in" / "broken.png").write_bytes(b"no picture")
    return tmp_path / "in"


def convert(folder: Path, target: Path, images: Any, jobs: int) -> Any:
    def no_videos(item: Any) -> bool:
        raise AssertionError

    videos: Any = no_videos
    return convert_items(find_items(folder, target), target, images, videos, jobs=jobs)


def spread(stylizer: StylizerCore, workers: ThreadWorkers) -> SpreadImageConverter:
    return SpreadImageConverter(
        workers, OPTIONS, CHANGES, 64, stylizer, "settings", ProgressReporter()
    )


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.fixture
def alone(folder: Path, tmp_path: Path, stylizer: StylizerCore) -> Iterator[dict[str, bytes]]:
    images = ImageConverter(stylizer, "settings", lambda sentence: None, 64)
    convert(folder, tmp_path / "alone", images, 2)
    yield files(tmp_path / "alone")


def test_same_files(
    folder: Path, tmp_path: Path, stylizer: StylizerCore, alone: dict[str, bytes]
) -> None:
    workers = ThreadWorkers("one", "two")
    images = spread(stylizer, workers)
    assert images.jobs == 4
    report = convert(folder, tmp_path / "out", images, images.jobs)
    workers.close()
    assert files(tmp_path / "out") == alone and len(alone) == 4
    ((name, error),) = report.failed
    assert name == "broken.png" and "broken.png" in error.message
    assert "live-nst-worker" not in error.message


@pytest.mark.parametrize(
    "errors", [(SinkError("the disk is full"), WorkerLost("it died")), (TimeoutError("too slow"),)]
)
def test_worker_that_fails(
    errors: tuple[Exception, ...],
    folder: Path,
    tmp_path: Path,
    stylizer: StylizerCore,
    alone: dict[str, bytes],
) -> None:
    lock = threading.Lock()
    faults = list(errors)

    def fail(function: str, number: int) -> None:
        with lock:
            if function == "paint_picture" and faults:
                raise faults.pop()

    workers = ThreadWorkers("one", "two", on_task=fail)
    report = convert(folder, tmp_path / "out", spread(stylizer, workers), 1)
    workers.close()
    assert files(tmp_path / "out") == alone
    assert [name for name, _ in report.failed] == ["broken.png"]


def test_stopped_while_a_worker_hangs(folder: Path, stylizer: StylizerCore, tmp_path: Path) -> None:
    cancel, go_on = threading.Event(), threading.Event()
    ended: list[int] = []

    def hang(function: str, number: int) -> None:
        if function == "paint_picture":
            cancel.set()
            go_on.wait(60)
            ended.append(number)

    workers = ThreadWorkers("one", on_task=hang)
    images = SpreadImageConverter(
        workers, OPTIONS, CHANGES, 64, stylizer, "settings", ProgressReporter(cancel=cancel)
    )
    try:
        with pytest.raises(ConversionCancelled):
            convert(folder, tmp_path / "out", images, 1)
        assert not ended
    finally:
        go_on.set()
        workers.close()


def test_worker_that_hangs(
    folder: Path,
    tmp_path: Path,
    stylizer: StylizerCore,
    alone: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its pictures are painted by another one, and it gets no more while it hangs."""
    monkeypatch.setattr(attempts, "_LATE_SECONDS", 0.0)
    go_on, painted = threading.Event(), threading.Event()
    hung: list[int] = []
    woken: list[int] = []

    def hang(function: str, number: int) -> None:
        if function != "paint_picture":
            return
        if threading.current_thread().name.startswith("two"):
            painted.wait(60)
            hung.append(number)
            go_on.wait(300)
            woken.append(number)
        else:
            painted.set()

    workers = ThreadWorkers("one", "two", on_task=hang)
    try:
        report = convert(folder, tmp_path / "out", spread(stylizer, workers), 2)
        assert files(tmp_path / "out") == alone
        assert [name for name, _ in report.failed] == ["broken.png"]
        assert len(hung) == 1 and not woken
        assert 5 <= workers.tasks.count("paint_picture") <= 6
    finally:
        go_on.set()
        workers.close()
