"""Folders, with converters that cost nothing."""

import errno
import json
import os
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.conversion.batch.converters import ImageConverter
from live_nst.conversion.batch.discovery import BatchItem, find_items
from live_nst.conversion.batch.folder import BatchReport, convert_items
from live_nst.conversion.batch.manifest import MANIFEST_NAME, settings_fingerprint
from live_nst.errors import ConversionError, LiveNstError, SinkError, SourceError, UsageError
from live_nst.files.lock import FileLock
from live_nst.files.names import max_name_bytes
from tests.conversion.fakes import InvertingStylizer
from tests.conversion.make_videos import write


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
    return {
        i.name: i.target.relative_to(target).as_posix() for i in find_items(source, target).items
    }


def run(
    source: Path,
    target: Path,
    images: Callable[[BatchItem], bool] | None = None,
    videos: Callable[[BatchItem], bool] | None = None,
    **options: object,
) -> BatchReport:
    return convert_items(
        find_items(source, target),
        target,
        images or Copying(),  # type: ignore[arg-type]
        videos or Copying(),  # type: ignore[arg-type]
        **{"jobs": 2, **options},  # type: ignore[arg-type]
    )


# What is found


def test_find_items_mirrors_structure(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b/c.PNG", "b/d/e.mp4", "b/notes.txt", "z.webp")
    names = found(source, tmp_path / "out")
    assert names == {"a.jpg": "a.jpg", "b/c.PNG": "b/c.PNG", "b/d/e.mp4": "b/d/e.mp4"} | {
        "z.webp": "z.webp"
    }
    assert list(names) == sorted(names)
    assert [i.name for i in find_items(source, tmp_path / "out").items if i.is_video] == [
        "b/d/e.mp4"
    ]


def test_find_items_target_names_are_unique(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.png", "a.ppm", "a.jp2", "a.mp4", "a.avi", "a.gif")
    names = found(source, tmp_path / "out")
    assert names["a.ppm"] == "a.ppm.png"
    assert names["a.jp2"] == "a.jp2.png"
    assert names["a.avi"] == "a.avi.mp4"
    assert names["a.gif"] == "a.gif.png"
    assert len(set(names.values())) == 6


def test_find_items_takes_every_suffix_that_is_converted_singly(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jfif", "b.asf", "c.VOB", "d.mjpeg", "e.txt")
    assert found(source, tmp_path / "out") == {
        "a.jfif": "a.jfif",
        "b.asf": "b.asf.mp4",
        "c.VOB": "c.VOB.mp4",
        "d.mjpeg": "d.mjpeg.mp4",
    }


def test_find_items_without_hidden_files(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", ".b.jpg", ".git/c.jpg", ".a.jpg.1-2.part")
    assert list(found(source, tmp_path / "out")) == ["a.jpg"]


def test_find_items_without_output_folder(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "painted/a.jpg", "b/c.jpg")
    assert list(found(source, source / "painted")) == ["a.jpg", "b/c.jpg"]


@pytest.mark.parametrize("target", ["in", "in/../in", ".", "link"])
def test_find_items_output_contains_input(tmp_path: Path, target: str) -> None:
    source = filled(tmp_path / "in", "a.jpg")
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(UsageError, match="output folder"):
        find_items(source, tmp_path / target)


def test_find_items_with_cyclic_links(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b/c.jpg")
    (source / "b" / "loop").symlink_to(source)
    (source / "b" / "self").symlink_to(source / "b")
    (source / "gone.jpg").symlink_to(source / "nothing.jpg")
    assert list(found(source, tmp_path / "out")) == ["a.jpg", "b/c.jpg", "gone.jpg"]


def test_find_items_follows_links(tmp_path: Path) -> None:
    filled(tmp_path / "elsewhere", "c.jpg")
    source = filled(tmp_path / "in", "a.jpg")
    (source / "b").symlink_to(tmp_path / "elsewhere")
    assert list(found(source, tmp_path / "out")) == ["a.jpg", "b/c.jpg"]


def test_find_items_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no folder"):
        find_items(tmp_path / "none", tmp_path / "out")


def test_find_items_counts_other_files(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b/notes.txt", "IMG_1234", "c.nef", ".hidden")
    (source / "gone.txt").symlink_to(source / "nothing.txt")
    assert find_items(source, tmp_path / "out").others == ["IMG_1234", "b/notes.txt", "c.nef"]
    report = run(source, tmp_path / "out")
    assert (report.done, report.failed, len(report)) == (["a.jpg"], [], 1)
    assert report.others == ["IMG_1234", "b/notes.txt", "c.nef"]


def test_find_items_by_content(tmp_path: Path) -> None:
    """Files are taken by what they contain where their suffix says nothing."""
    source = filled(tmp_path / "in", "notes.txt", "BMW list", "empty", "c.thm", "d.dng")
    (source / "empty").write_bytes(b"")
    picture = Pillow.new("RGB", (8, 8), "red")
    for name, kind in {
        "IMG_1": "JPEG", "a.jpg_large": "PNG", "c.thm": "JPEG", "d.dng": "TIFF", "e.scan": "TIFF",
        "f.part": "PNG", "g.x": "BMP", "h": "WEBP",
    }.items():  # fmt: skip
        picture.save(source / name, kind)
    images = [np.full((48, 64, 3), 60 * number, np.uint8) for number in range(4)]
    for suffix in ("mp4", "mkv", "avi", "ts", "flv", "mpg", "mov"):
        codec = "mpeg1video" if suffix == "mpg" else "libx264"
        film = write(source / f"x.{suffix}", images, codec=codec, time_base=Fraction(1, 25))
        film.rename(source / f"film {suffix}")
    copy = (source / "film mp4").read_bytes()
    (source / "i.lrv").write_bytes(copy)
    (source / "j.crdownload").write_bytes(copy)
    with av.open(str(source / "song.m4a"), "w", format="mp4") as out:
        sound = out.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        out.mux([*sound.encode(frame), *sound.encode(None)])
    (source / "damaged").write_bytes(b"\x1a\x45\xdf\xa3" + bytes(60))
    contents = find_items(source, tmp_path / "out")
    targets = {item.name: item.target.name for item in contents.items}
    assert targets == {
        "IMG_1": "IMG_1.png", "a.jpg_large": "a.jpg_large.png", "e.scan": "e.scan.png",
        "g.x": "g.x.png", "h": "h.png", "film mp4": "film mp4.mp4", "film mkv": "film mkv.mp4",
        "film avi": "film avi.mp4", "film ts": "film ts.mp4", "film flv": "film flv.mp4",
        "film mpg": "film mpg.mp4", "film mov": "film mov.mp4",
    }  # fmt: skip
    assert all(item.is_video == item.name.startswith("film") for item in contents.items)
    assert contents.others == [
        "BMW list", "c.thm", "d.dng", "damaged", "empty", "f.part", "i.lrv", "j.crdownload",
        "notes.txt", "song.m4a",
    ]  # fmt: skip


@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_unreadable_subfolder_is_listed(
    mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b/c.jpg", "d.jpg")
    if os.geteuid():
        (source / "b").chmod(mode)
    else:  # root may read everything
        allowed = os.access
        monkeypatch.setattr(
            os, "access", lambda path, *rest: path != source / "b" and allowed(path, *rest)
        )
    try:
        report = run(source, tmp_path / "out")
    finally:
        (source / "b").chmod(0o755)
    assert sorted(report.done) == ["a.jpg", "d.jpg"]
    ((name, error),) = report.failed
    assert name == "b" and len(report) == 3
    assert error.message == f"The folder {source / 'b'} cannot be read: permission denied"


def test_unreadable_input_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = filled(tmp_path / "in", "a.jpg")
    monkeypatch.setattr(os, "access", lambda *rest: False)
    with pytest.raises(SourceError, match="cannot be read: permission denied"):
        find_items(source, tmp_path / "out")


def test_names_as_long_as_allowed(tmp_path: Path) -> None:
    long = "x" * (max_name_bytes(tmp_path) - 4)
    names = {f"{long}.ppm", f"{long}.jp2", f"{long}.jpg", f"{long}.avi", f"{long}.gif"}
    source, target = filled(tmp_path / "in", *names), tmp_path / "out"
    assert set(run(source, target).done) == names
    assert set(run(source, target).skipped) == names
    outputs = [path.suffix for path in target.iterdir() if not path.name.startswith(".")]
    assert sorted(outputs) == [".jpg", ".mp4", ".png", ".png", ".png"]
    for item in find_items(source, target).items:
        if item.source.suffix in (".gif", ".jpg"):
            assert (
                item.as_video().target.suffix
                == {".gif": ".gif", ".jpg": ".mp4"}[item.source.suffix]
            )
            item.as_video().target.touch()


# What is done


def test_finished_files_are_skipped(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b/c.png", "d.mp4")
    report = run(source, tmp_path / "out")
    assert sorted(report.done) == ["a.jpg", "b/c.png", "d.mp4"]
    assert (tmp_path / "out" / "b" / "c.png").read_text() == "b/c.png"
    again = Copying()
    report = run(source, tmp_path / "out", again, again)
    assert sorted(report.skipped) == ["a.jpg", "b/c.png", "d.mp4"]
    assert again.names == report.done == report.failed == []


def test_changed_input_is_converted_again(tmp_path: Path) -> None:
    source, target = filled(tmp_path / "in", "a.jpg", "b.jpg", "c.jpg", "d.jpg"), tmp_path / "out"
    run(source, target)
    (source / "a.jpg").write_text("another picture")
    (target / "b.jpg").unlink()
    (target / "c.jpg").write_text("somebody wrote into it")
    filled(source, "e.jpg")
    assert sorted(run(source, target).done) == ["a.jpg", "b.jpg", "c.jpg", "e.jpg"]


def test_changed_settings_convert_again(tmp_path: Path) -> None:
    source, target = filled(tmp_path / "in", "a.jpg", "b.mp4"), tmp_path / "out"
    run(source, target)
    assert run(source, target, Copying("others")).done == ["a.jpg"]
    assert run(source, target, Copying("others"), Copying("others")).done == ["b.mp4"]


def test_restart_converts_again(tmp_path: Path) -> None:
    source, target = filled(tmp_path / "in", "a.jpg", "b.mp4"), tmp_path / "out"
    run(source, target)
    assert run(source, target, restart=True).done == ["a.jpg", "b.mp4"]


def test_foreign_file_is_not_replaced(tmp_path: Path) -> None:
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


def test_manifest_with_half_a_line(tmp_path: Path) -> None:
    source, target = filled(tmp_path / "in", "a.jpg", "b.jpg"), tmp_path / "out"
    run(source, target, jobs=1)
    record = target / MANIFEST_NAME
    record.write_bytes(record.read_bytes()[:-9])
    report = run(source, target)
    assert report.skipped == ["a.jpg"]
    assert report.done == ["b.jpg"]
    assert sorted(run(source, target).skipped) == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("line", ["[]", "null", '{"stamp": 1}', "{", "\x00\xff", '{"target": []}'])
def test_manifest_with_damaged_line(tmp_path: Path, line: str) -> None:
    source, target = filled(tmp_path / "in", "a.jpg"), tmp_path / "out"
    target.mkdir()
    (target / MANIFEST_NAME).write_text(line + "\n")
    assert run(source, target).done == ["a.jpg"]


def test_settings_fingerprint() -> None:
    assert settings_fingerprint({"a": 1, "b": 2}) == settings_fingerprint({"b": 2, "a": 1})
    assert settings_fingerprint({"a": 1}) != settings_fingerprint({"a": 2})
    json.dumps(settings_fingerprint({"path": Path("x")}))


# What goes wrong


def test_failed_files_do_not_stop_others(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in ("a.png", "c.png", "e.jpg"):
        Pillow.new("RGB", (8, 8), "red").save(source / name)
    (source / "b.png").touch()
    (source / "d.jpg").write_text("no picture")
    said: list[str] = []
    images = ImageConverter(InvertingStylizer(), "settings", said.append)
    report = run(source, target, images)
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


def test_animated_image_is_converted_as_video(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    images = [Pillow.new("RGB", (8, 8), color) for color in ("red", "blue")]
    images[0].save(source / "moving.gif", save_all=True, append_images=images[1:])
    images[0].save(source / "moving.webp", save_all=True, append_images=images[1:])
    images[0].save(source / "still.gif")
    videos = Copying()
    images = ImageConverter(InvertingStylizer(), "settings", print)
    report = run(source, target, images, videos)
    assert videos.names == ["moving.gif", "moving.webp"]
    assert sorted(p.name for p in target.iterdir() if not p.name.startswith(".")) == [
        "moving.gif",
        "moving.webp.mp4",
        "still.gif.png",
    ]
    assert len(report.done) == 3
    assert len(run(source, target, images, videos).skipped) == 3


def test_disk_full_stops_batch(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", *(f"{n}.jpg" for n in range(20)))
    error = SinkError("The disk is full")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    failing = Failing(error)
    with pytest.raises(SinkError, match="full"):
        run(source, tmp_path / "out", failing, jobs=1)
    assert len(failing.names) < 20


def test_write_error_does_not_stop_batch(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b.jpg")
    report = run(source, tmp_path / "out", Failing(SinkError("It cannot be written")))
    assert len(report.failed) == 2


def test_unexpected_exception_does_not_stop_batch(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b.jpg")

    class Faulty(Copying):
        def __call__(self, item: BatchItem) -> bool:
            if item.name == "a.jpg":
                raise KeyError("a tag")
            return super().__call__(item)

    report = run(source, tmp_path / "out", Faulty())
    assert report.done == ["b.jpg"]
    ((name, error),) = report.failed
    assert name == "a.jpg"
    assert "KeyError" in error.message
    assert isinstance(error.__cause__, KeyError)


def test_check_stops_batch(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", *(f"{n}.jpg" for n in range(50)))
    images = Copying()

    def check() -> None:
        if len(images.names) >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "out", images, jobs=1, check=check)
    assert len(images.names) < 50
    done = len(images.names)
    assert len(run(source, tmp_path / "out").skipped) == done


def test_second_process_on_same_folder(tmp_path: Path) -> None:
    source, target = filled(tmp_path / "in", "a.jpg"), tmp_path / "out"
    target.mkdir()
    with (
        FileLock(target / ".live-nst-lock", target),
        pytest.raises(ConversionError, match="another"),
    ):
        run(source, target)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_output_folder_not_writable(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg")
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(SinkError):
        run(source, tmp_path / "out")


def test_output_folder_is_a_file(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg")
    (tmp_path / "out").touch()
    with pytest.raises(SinkError):
        run(source, tmp_path / "out")


# Several at once


def test_images_run_in_parallel_and_videos_alone(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", *(f"{n}.jpg" for n in range(6)), "a.mp4", "b.mp4")
    running, most = [0], [0]
    lock, together = threading.Lock(), threading.Barrier(3, timeout=20)

    class Watching(Copying):
        def __call__(self, item: BatchItem) -> bool:
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            if not item.is_video:
                together.wait()
            else:
                assert running[0] == 1
            with lock:
                running[0] -= 1
            return super().__call__(item)

    report = run(source, tmp_path / "out", Watching(), Watching(), jobs=3)
    assert len(report.done) == 8
    assert most[0] == 3


def test_on_file(tmp_path: Path) -> None:
    source = filled(tmp_path / "in", "a.jpg", "b.jpg", "c.mp4")
    seen: list[tuple[int, str]] = []
    start = time.monotonic()
    run(source, tmp_path / "out", on_file=lambda report, name: seen.append((len(report), name)))
    assert [count for count, _ in seen] == [1, 2, 2, 3]
    assert seen[-1] == (3, "c.mp4")
    assert time.monotonic() - start < 20
