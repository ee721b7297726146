"""Folders, with converters that cost nothing."""

import errno
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.conversion.batch.folder import BatchItem, BatchReport, convert_items, find_items
from live_nst.conversion.batch.manifest import MANIFEST_NAME, settings_fingerprint
from live_nst.conversion.images.convert import ImageConverter
from live_nst.errors import ConversionError, LiveNstError, SinkError, SourceError, UsageError
from live_nst.files.lock import FileLock
from tests.conversion.painters import inverter


class Copying:
    """A converter that copies, and notes what it was given."""

    def __init__(self, settings: str = "same") -> None:
        self.settings = settings
        self.names: list[str] = []

    def __call__(self, item: BatchItem) -> bool:
        self.names.append(item.name)
        item.target.write_bytes(item.source.read_bytes())
        return True


class Failing(Copying):
    """A converter that fails with what it is made with."""

    def __init__(self, error: LiveNstError) -> None:
        super().__init__()
        self.error = error

    def __call__(self, item: BatchItem) -> bool:
        super().__call__(item)
        item.target.unlink()
        raise self.error


def filled(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def found(source: Path, target: Path) -> dict[str, str]:
    return {i.name: i.target.relative_to(target).as_posix() for i in find_items(source, target)}


def run(
    source: Path,
    target: Path,
    pictures: Callable[[BatchItem], bool] | None = None,
    videos: Callable[[BatchItem], bool] | None = None,
    **options: object,
) -> BatchReport:
    return convert_items(
        find_items(source, target),
        target,
        pictures or Copying(),  # type: ignore[arg-type]
        videos or Copying(),  # type: ignore[arg-type]
        **{"jobs": 2, **options},  # type: ignore[arg-type]
    )


# What is found


def test_the_structure_is_mirrored(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b/c.PNG", "b/d/e.mp4", "b/notes.txt", "z.webp")
    names = found(source, tmp_path / "out")
    assert names == {"a.jpg": "a.jpg", "b/c.PNG": "b/c.PNG", "b/d/e.mp4": "b/d/e.mp4"} | {
        "z.webp": "z.webp"
    }
    assert list(names) == sorted(names)
    assert [i.name for i in find_items(source, tmp_path / "out") if i.moves] == ["b/d/e.mp4"]


def test_what_is_not_written_keeps_its_name_so_that_none_clash(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.png", "a.ppm", "a.jp2", "a.mp4", "a.avi", "a.gif")
    names = found(source, tmp_path / "out")
    assert names["a.ppm"] == "a.ppm.png"
    assert names["a.jp2"] == "a.jp2.png"
    assert names["a.avi"] == "a.avi.mp4"
    assert names["a.gif"] == "a.gif.png"
    assert len(set(names.values())) == 6


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", ".b.jpg", ".git/c.jpg", ".a.jpg.1-2.part")
    assert list(found(source, tmp_path / "out")) == ["a.jpg"]


def test_an_output_inside_the_input_is_not_converted_again(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "painted/a.jpg", "b/c.jpg")
    assert list(found(source, source / "painted")) == ["a.jpg", "b/c.jpg"]


@pytest.mark.parametrize("target", ["in", "in/../in", ".", "link"])
def test_the_input_itself_or_around_it_is_refused(tmp_path: Path, target: str) -> None:
    source = filled(tmp_path / "in", "a.jpg")
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(UsageError, match="output folder"):
        find_items(source, tmp_path / target)


def test_links_that_lead_back_end(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b/c.jpg")
    (source / "b" / "loop").symlink_to(source)
    (source / "b" / "self").symlink_to(source / "b")
    (source / "gone.jpg").symlink_to(source / "nothing.jpg")
    assert list(found(source, tmp_path / "out")) == ["a.jpg", "b/c.jpg", "gone.jpg"]


def test_a_folder_behind_a_link_belongs_to_it(tmp_path: Path) -> None:
    filled(tmp_path / "elsewhere", "c.jpg")
    source = filled(tmp_path / "in", "a.jpg")
    (source / "b").symlink_to(tmp_path / "elsewhere")
    assert list(found(source, tmp_path / "out")) == ["a.jpg", "b/c.jpg"]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no folder"):
        find_items(tmp_path / "none", tmp_path / "out")


# What is done


def test_all_are_converted_and_then_skipped(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b/c.png", "d.mp4")
    report = run(source, tmp_path / "out")
    assert sorted(report.done) == ["a.jpg", "b/c.png", "d.mp4"]
    assert (tmp_path / "out" / "b" / "c.png").read_text() == "b/c.png"
    again = Copying()
    report = run(source, tmp_path / "out", again, again)
    assert sorted(report.skipped) == ["a.jpg", "b/c.png", "d.mp4"]
    assert again.names == report.done == report.failed == []


def test_only_what_changed_is_done_again(tmp_path: Path) -> None:
    source, target = filled(tmp_path / "in", "a.jpg", "b.jpg", "c.jpg", "d.jpg"), tmp_path / "out"
    run(source, target)
    (source / "a.jpg").write_text("another picture")
    (target / "b.jpg").unlink()
    (target / "c.jpg").write_text("somebody wrote into it")
    filled(source, "e.jpg")
    assert sorted(run(source, target).done) == ["a.jpg", "b.jpg", "c.jpg", "e.jpg"]


def test_other_settings_do_all_again(tmp_path: Path) -> None:
    source, target = filled(tmp_path / "in", "a.jpg", "b.mp4"), tmp_path / "out"
    run(source, target)
    assert run(source, target, Copying("others")).done == ["a.jpg"]
    assert run(source, target, Copying("others"), Copying("others")).done == ["b.mp4"]


def test_restart_does_all_again(tmp_path: Path) -> None:
    source, target = filled(tmp_path / "in", "a.jpg", "b.mp4"), tmp_path / "out"
    run(source, target)
    assert run(source, target, restart=True).done == ["a.jpg", "b.mp4"]


def test_what_live_nst_did_not_make_is_not_replaced(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b.jpg")
    target = filled(tmp_path / "out", "a.jpg")
    (target / "a.jpg").write_text("precious")
    report = run(source, target)
    assert report.done == ["b.jpg"]
    ((name, error),) = report.failed
    assert name == "a.jpg"
    assert "already" in error.message
    assert (target / "a.jpg").read_text() == "precious"
    assert sorted(run(source, target, restart=True).done) == ["a.jpg", "b.jpg"]


def test_a_record_that_was_cut_off_costs_only_its_last_line(tmp_path: Path) -> None:
    source, target = filled(tmp_path / "in", "a.jpg", "b.jpg"), tmp_path / "out"
    run(source, target, jobs=1)
    record = target / MANIFEST_NAME
    record.write_bytes(record.read_bytes()[:-9])
    report = run(source, target)
    assert report.skipped == ["a.jpg"]
    assert report.done == ["b.jpg"]
    assert sorted(run(source, target).skipped) == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("line", ["[]", "null", '{"stamp": 1}', "{", "\x00\xff", '{"target": []}'])
def test_rubbish_in_the_record_does_no_harm(tmp_path: Path, line: str) -> None:
    source, target = filled(tmp_path / "in", "a.jpg"), tmp_path / "out"
    target.mkdir()
    (target / MANIFEST_NAME).write_text(line + "\n")
    assert run(source, target).done == ["a.jpg"]


def test_fingerprints_tell_settings_apart() -> None:
    assert settings_fingerprint({"a": 1, "b": 2}) == settings_fingerprint({"b": 2, "a": 1})
    assert settings_fingerprint({"a": 1}) != settings_fingerprint({"a": 2})
    json.dumps(settings_fingerprint({"path": Path("x")}))


# What goes wrong


def test_bad_files_do_not_keep_the_others_from_it(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("a.png", "c.png", "e.jpg"):
        Pillow.new("RGB", (8, 8), "red").save(source / name)
    (source / "b.png").touch()
    (source / "d.jpg").write_text("no picture")
    said: list[str] = []
    pictures = ImageConverter(inverter(), "settings", said.append)
    report = run(source, target, pictures)
    assert sorted(report.done) == ["a.png", "c.png", "e.jpg"]
    assert sorted(name for name, _ in report.failed) == ["b.png", "d.jpg"]
    assert all("\n" not in error.message for _, error in report.failed)
    assert sorted(p.name for p in target.iterdir() if not p.name.startswith(".")) == [
        "a.png",
        "c.png",
        "e.jpg",
    ]
    with Pillow.open(target / "a.png") as picture:
        np.testing.assert_array_equal(picture, np.full((8, 8, 3), (0, 255, 255)))


def test_a_picture_that_moves_goes_to_the_videos(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    images = [Pillow.new("RGB", (8, 8), color) for color in ("red", "blue")]
    images[0].save(source / "moving.gif", save_all=True, append_images=images[1:])
    images[0].save(source / "moving.webp", save_all=True, append_images=images[1:])
    images[0].save(source / "still.gif")
    videos = Copying()
    pictures = ImageConverter(inverter(), "settings", print)
    report = run(source, target, pictures, videos)
    assert videos.names == ["moving.gif", "moving.webp"]
    assert sorted(p.name for p in target.iterdir() if not p.name.startswith(".")) == [
        "moving.gif",
        "moving.webp.mp4",
        "still.gif.png",
    ]
    assert len(report.done) == 3
    assert len(run(source, target, pictures, videos).skipped) == 3


def test_a_full_disk_ends_the_work(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", *(f"{n}.jpg" for n in range(20)))
    error = SinkError("The disk is full")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    failing = Failing(error)
    with pytest.raises(SinkError, match="full"):
        run(source, tmp_path / "out", failing, jobs=1)
    assert len(failing.names) < 20


def test_other_trouble_with_one_output_does_not(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b.jpg")
    report = run(source, tmp_path / "out", Failing(SinkError("It cannot be written")))
    assert len(report.failed) == 2


def test_a_fault_of_ours_reaches_the_caller(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b.jpg")

    class Faulty(Copying):
        def __call__(self, item: BatchItem) -> bool:
            raise KeyError(item.name)

    with pytest.raises(KeyError):
        run(source, tmp_path / "out", Faulty())


def test_what_check_raises_ends_the_work(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", *(f"{n}.jpg" for n in range(50)))
    pictures = Copying()

    def check() -> None:
        if len(pictures.names) >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "out", pictures, jobs=1, check=check)
    assert len(pictures.names) < 50
    done = len(pictures.names)
    assert len(run(source, tmp_path / "out").skipped) == done


def test_a_second_process_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    source, target = filled(tmp_path / "in", "a.jpg"), tmp_path / "out"
    target.mkdir()
    with (
        FileLock(target / ".live-nst-lock", target),
        pytest.raises(ConversionError, match="another"),
    ):
        run(source, target)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_an_output_that_may_not_be_written(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg")
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(SinkError):
        run(source, tmp_path / "out")


def test_an_output_that_is_a_file(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg")
    (tmp_path / "out").touch()
    with pytest.raises(SinkError):
        run(source, tmp_path / "out")


# Several at once


def test_jobs_pictures_run_at_once_and_videos_alone(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", *(f"{n}.jpg" for n in range(6)), "a.mp4", "b.mp4")
    running, most = [0], [0]
    lock, together = threading.Lock(), threading.Barrier(3, timeout=20)

    class Watching(Copying):
        def __call__(self, item: BatchItem) -> bool:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            if not item.moves:
                together.wait()
            else:
                assert running[0] == 1
            with lock:
                running[0] -= 1
            return super().__call__(item)

    report = run(source, tmp_path / "out", Watching(), Watching(), jobs=3)
    assert len(report.done) == 8
    assert most[0] == 3


def test_who_looks_on_sees_every_file(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b.jpg", "c.mp4")
    seen: list[tuple[int, str]] = []
    start = time.monotonic()
    run(source, tmp_path / "out", on_file=lambda report, name: seen.append((len(report), name)))
    assert [count for count, _ in seen] == [1, 2, 2, 3]
    assert seen[-1] == (3, "c.mp4")
    assert time.monotonic() - start < 20
