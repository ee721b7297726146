import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from live_nst.doctor import checks as diagnosis
from live_nst.doctor.checks import Finding, Severity, run_checks
from live_nst.errors import DisplayError, ModelError, SourceError
from live_nst.models.cache import ModelCache
from live_nst.models.handles import parse_handle
from live_nst.sinks.virtual_camera_setup import DeviceCapability, HostSystem
from live_nst.sources.devices import CameraDevice, CameraProblem


def states(findings: Iterator[Finding]) -> list[Severity]:
    return [finding.severity for finding in findings]


def only(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


def versions(**known: str) -> Callable[[str], str | None]:
    """Installed distributions, with _ for -."""
    return lambda name: known.get(name.replace("-", "_"))


def loading(**attributes: Any) -> Callable[[str], Any]:
    return lambda name: SimpleNamespace(**attributes)


def failing(message: str) -> Callable[[str], Any]:
    def load(name: str) -> Any:
        raise ImportError(message)

    return load


# All together


def test_a_check_that_fails_hides_no_other() -> None:
    def broken() -> Iterator[Finding]:
        yield Finding("broken", Severity.OK, "so far")
        raise ZeroDivisionError("by zero")

    def missing() -> Iterator[Finding]:
        raise ModuleNotFoundError("No module named 'requests'")

    def fine() -> Iterator[Finding]:
        yield Finding("fine", Severity.OK, "fine")

    first, second, third, last = run_checks({"broken": broken, "missing": missing, "fine": fine})
    assert first.text == "so far"
    assert (second.topic, second.severity) == ("broken", Severity.FAULT)
    assert "ZeroDivisionError: by zero" in second.text
    assert "install live-nst again" in third.hint
    assert last.text == "fine"


def test_every_check_is_run_and_finds_nothing_broken_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVE_NST_CACHE", str(tmp_path / "cache"))
    checks = {topic: check for topic, check in diagnosis._CHECKS.items() if topic != "engine"}
    found = list(run_checks(checks))
    assert {finding.topic for finding in found} == set(checks)
    assert [finding for finding in found if finding.severity is Severity.FAULT] == []
    assert all(finding.text and "\n" not in finding.text for finding in found)
    assert list(tmp_path.iterdir()) == []


def test_the_checks_can_be_had_without_the_packages_they_check() -> None:
    program = (
        "import sys, live_nst.doctor.checks\n"
        "print({'tensorflow', 'cv2', 'av', 'pyvirtualcam', 'requests', 'psutil'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


# Packages


def test_the_program_tells_its_version_and_python() -> None:
    text = only(diagnosis.check_program(versions(live_nst="9.8.7"))).text
    assert text.startswith("9.8.7, Python 3.")


def test_missing_packages_are_faults_and_the_others_are_told() -> None:
    def find(module: str) -> object | None:
        return None if module in ("tf_keras", "PIL") else object()

    findings = list(diagnosis.check_packages(versions(numpy="2.4.6"), find))
    assert [f.hint for f in findings[:2]] == ["pip install tf-keras", "pip install pillow"]
    assert {f.severity for f in findings[:2]} == {Severity.FAULT}
    assert findings[2].severity is Severity.OK
    assert "numpy 2.4.6" in findings[2].text
    assert "tf-keras" not in findings[2].text


@pytest.mark.parametrize(
    ("version", "has_module", "expected"),
    [
        ("80.9.0", True, Severity.OK),
        ("65.5", True, Severity.OK),
        ("81.0.0", True, Severity.NOTE),
        ("82.0.1", False, Severity.FAULT),
        (None, False, Severity.FAULT),
    ],
)
def test_setuptools_must_be_old_enough(
    version: str | None, has_module: bool, expected: Severity
) -> None:
    finding = only(
        diagnosis.check_setuptools(lambda name: version, lambda name: has_module or None)
    )
    assert finding.severity is expected
    assert finding.hint == ("" if expected is Severity.OK else "pip install 'setuptools<81'")


def test_one_opencv_that_loads_is_fine() -> None:
    load = loading(__version__="5.0.0")
    finding = only(diagnosis.check_opencv(versions(opencv_python="5.0.0.93"), load))
    assert finding == Finding("opencv", Severity.OK, "OpenCV 5.0.0")


def test_two_opencvs_break_each_other() -> None:
    both = versions(opencv_python="5.0.0.93", opencv_python_headless="4.12.0.88")
    first, *_ = diagnosis.check_opencv(both, loading(__version__="5.0.0"))
    assert first.severity is Severity.FAULT
    assert "opencv-python and opencv-python-headless" in first.text
    assert first.hint == (
        "pip uninstall -y opencv-python opencv-python-headless && pip install opencv-python"
    )


def test_an_opencv_without_windows_is_a_note() -> None:
    headless = versions(opencv_python_headless="4.12.0.88")
    assert states(diagnosis.check_opencv(headless, loading(__version__="4.12.0"))) == [
        Severity.NOTE,
        Severity.OK,
    ]


def test_an_opencv_that_does_not_load_is_a_fault_with_its_reason() -> None:
    one = versions(opencv_python="5.0.0.93")
    library = only(diagnosis.check_opencv(one, failing("libGL.so.1: cannot open")))
    assert library.severity is Severity.FAULT
    assert "libgl1" in library.hint
    # An empty package is what uninstalling one of two leaves.
    empty = only(diagnosis.check_opencv(one, loading()))
    assert empty.severity is Severity.FAULT
    assert "pip uninstall -y opencv-python &&" in empty.hint
    gone = only(diagnosis.check_opencv(versions(), failing("No module named 'cv2'")))
    assert (gone.severity, gone.hint) == (Severity.FAULT, "pip install opencv-python")


@pytest.mark.parametrize(
    ("load", "expected", "words"),
    [
        (
            loading(__version__="18", ffmpeg_version_info="8", codecs_available={"libx264"}),
            Severity.OK,
            "FFmpeg 8",
        ),
        (
            loading(__version__="18", ffmpeg_version_info="8", codecs_available={"mpeg4"}),
            Severity.FAULT,
            "no libx264",
        ),
        (failing("no av"), Severity.FAULT, "no av"),
    ],
)
def test_recording_needs_libx264(
    load: Callable[[str], Any], expected: Severity, words: str
) -> None:
    finding = only(diagnosis.check_encoder(load))
    assert finding.severity is expected
    assert words in finding.text
    assert bool(finding.hint) == (expected is Severity.FAULT)


# The machine


def test_the_processor_is_told_by_its_own_name(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Acme 9000 @ 3 GHz\nflags : avx\n")
    assert only(diagnosis.check_processor(cpuinfo)).text.startswith("Acme 9000 @ 3 GHz, ")
    assert only(diagnosis.check_processor(tmp_path / "none")).severity is Severity.OK


def no_tensorflow() -> list[str]:
    raise ModelError("TensorFlow does not start: boom", "install it")


def test_an_engine_that_does_not_start_is_a_fault() -> None:
    finding = only(diagnosis.check_engine(no_tensorflow, list))
    assert (finding.topic, finding.severity) == ("engine", Severity.FAULT)
    assert finding.hint == "install it"


@pytest.mark.parametrize(
    ("usable", "present", "system", "expected", "words", "hint"),
    [
        (["NVIDIA T4"], ["NVIDIA T4"], "linux", Severity.OK, "NVIDIA T4", ""),
        ([], [], "linux", Severity.NOTE, "no GPU", ""),
        ([], ["NVIDIA T4"], "linux", Severity.NOTE, "NVIDIA T4 is here", "live-nst[gpu]"),
        ([], ["NVIDIA T4"], "win32", Severity.NOTE, "NVIDIA T4 is here", "WSL2"),
    ],
)
def test_a_gpu_that_lies_idle_is_told(
    usable: list[str], present: list[str], system: str, expected: Severity, words: str, hint: str
) -> None:
    engine, gpu = diagnosis.check_engine(lambda: usable, lambda: present, system)
    assert engine.severity is Severity.OK
    assert gpu.severity is expected
    assert words in gpu.text
    assert hint in gpu.hint
    assert bool(hint) == bool(gpu.hint)


def test_a_missing_display_is_a_note() -> None:
    def refuse() -> None:
        raise DisplayError("no window can be opened", "use `--no-window`")

    finding = only(diagnosis.check_display(refuse))
    assert (finding.severity, finding.hint) == (Severity.NOTE, "use `--no-window`")
    assert only(diagnosis.check_display(lambda: (1920, 1080))).text == "1920x1080"
    assert only(diagnosis.check_display(lambda: None)).severity is Severity.OK


DESK = CameraDevice(0, "/dev/video0", "HD Webcam")
DOOR = CameraDevice(2, "/dev/video2", "Door", problem=CameraProblem.BUSY, note="busy")


def test_cameras_are_told_and_trouble_is_explained() -> None:
    def refuse(which: int | str) -> CameraDevice:
        raise SourceError("another program is using it", f"close the user of {which}")

    desk, door = diagnosis.check_cameras(lambda: [DESK, DOOR], refuse)
    assert desk == Finding("camera", Severity.OK, "camera 0 (HD Webcam), /dev/video0")
    assert door == Finding(
        "camera",
        Severity.NOTE,
        "camera 2 (Door), /dev/video2, busy",
        "close the user of /dev/video2",
    )


def test_trouble_with_a_camera_may_have_passed() -> None:
    assert states(diagnosis.check_cameras(lambda: [DOOR], lambda which: DOOR)) == [Severity.OK]


def test_no_camera_is_a_note() -> None:
    finding = only(diagnosis.check_cameras(list))
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


def test_virtual_cameras_are_told_and_those_that_cannot_be_fed_are_explained(
    tmp_path: Path,
) -> None:
    free = DeviceCapability("v4l2 loopback", output=True, capture=False)
    spent = DeviceCapability("v4l2 loopback", output=False, capture=False)
    first, second = diagnosis.check_virtual_camera(linux(tmp_path, free, spent), loading())
    assert first.severity is Severity.OK
    assert first.text.endswith("video10 can be fed")
    assert second.severity is Severity.NOTE
    assert "video11 was fed once" in second.text
    assert "exclusive_caps=0" in second.hint


def test_a_missing_loopback_is_a_note_with_the_command(tmp_path: Path) -> None:
    finding = only(diagnosis.check_virtual_camera(linux(tmp_path), loading()))
    assert finding.severity is Severity.NOTE
    assert "modprobe v4l2loopback" in finding.hint


def test_a_broken_pyvirtualcam_is_a_fault(tmp_path: Path) -> None:
    finding = only(diagnosis.check_virtual_camera(linux(tmp_path), failing("no such symbol")))
    assert finding.severity is Severity.FAULT
    assert "no such symbol" in finding.text


# What is kept


def test_the_packaged_model_must_be_whole(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(bytes(2_500_000))

    def broken() -> Path:
        raise ModelError("The packaged model is not whole", "install live-nst again")

    whole = only(diagnosis.check_model(lambda: tmp_path))
    assert whole.severity is Severity.OK
    assert "2.5 MB" in whole.text
    assert only(diagnosis.check_model(broken)) == Finding(
        "model", Severity.FAULT, "The packaged model is not whole", "install live-nst again"
    )


def test_missing_style_pictures_are_faults(tmp_path: Path) -> None:
    (tmp_path / "ink.jpg").touch()
    findings = diagnosis.check_styles(["ink", "wave"], lambda name: tmp_path / f"{name}.jpg")
    finding = only(findings)
    assert finding.severity is Severity.FAULT
    assert "wave" in finding.text


MODULE = {
    "saved_model.pb": b"\x08\x01\x12\x03abc",
    "variables/variables.index": b"index",
    "variables/variables.data-00000-of-00001": b"weights",
}


def keep(cache: ModelCache, address: str) -> Path:
    """Install a made-up module."""

    def fetch(folder: Path) -> None:
        for name, content in MODULE.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)

    return cache.install(parse_handle(address), fetch)


def test_the_cache_tells_what_it_keeps_and_what_is_damaged(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path / "models")
    keep(cache, "hub")
    damaged = keep(cache, "https://example.org/module.tar.gz")
    (damaged / "variables" / "variables.index").unlink()
    no_list = keep(cache, "owner/model/tensorFlow2/default/1").parent
    (no_list / "complete.json").write_text("[]")
    (tmp_path / "models" / ".partial-abc").mkdir()
    (tmp_path / "bottlenecks" / "abc").mkdir(parents=True)
    (tmp_path / "bottlenecks" / "abc" / "one.npy").touch()

    first, *entries = diagnosis.check_cache(tmp_path)
    assert first.severity is Severity.OK
    assert "styles kept: 1, downloaded models kept: 3" in first.text
    assert len(entries) == 4
    told = {finding.text: finding for finding in entries}
    hub = next(finding for text, finding in told.items() if text.startswith("hub (https://"))
    assert hub.severity is Severity.OK
    assert "is kept" in hub.text
    wrong = next(finding for text, finding in told.items() if "example.org" in text)
    assert wrong.severity is Severity.NOTE
    assert "variables.index is missing" in wrong.text
    assert str(damaged.parent) in wrong.hint
    unlisted = next(finding for text, finding in told.items() if no_list.name in text)
    assert unlisted.severity is Severity.NOTE
    assert "list of files" in unlisted.text
    partial = next(finding for text, finding in told.items() if ".partial-abc" in text)
    assert partial.severity is Severity.NOTE


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"{}", b"null", b'{"address": 3}', b'{"address": "ftp://x"}']
)
def test_no_list_of_files_can_break_the_check(tmp_path: Path, content: bytes) -> None:
    entry = tmp_path / "models" / "entry"
    entry.mkdir(parents=True)
    (entry / "complete.json").write_bytes(content)
    assert states(diagnosis.check_cache(tmp_path)) == [Severity.OK, Severity.NOTE]


def test_an_entry_that_lies_about_its_address_is_not_taken_for_whole(tmp_path: Path) -> None:
    cache = ModelCache(tmp_path / "models")
    entry = keep(cache, "hub").parent
    marker = json.loads((entry / "complete.json").read_text())
    marker["address"] = "https://example.org/other.tar.gz"
    (entry / "complete.json").write_text(json.dumps(marker))
    assert states(diagnosis.check_cache(tmp_path)) == [Severity.OK, Severity.NOTE]


def test_a_cache_that_is_not_there_yet_is_fine_and_is_not_made(tmp_path: Path) -> None:
    finding = only(diagnosis.check_cache(tmp_path / "new" / "cache"))
    assert finding.severity is Severity.OK
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert only(diagnosis.check_cache(file)).severity is Severity.NOTE
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    closed = only(diagnosis.check_cache(tmp_path / "cache"))
    assert closed.severity is Severity.NOTE
    assert "LIVE_NST_CACHE" in closed.hint
