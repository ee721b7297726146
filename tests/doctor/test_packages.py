from collections.abc import Callable
from typing import Any

import pytest

from live_nst.doctor.finding import Finding, Severity
from live_nst.doctor.packages import (
    check_encoder,
    check_opencv,
    check_packages,
    check_program,
    check_setuptools,
)
from tests.doctor.fakes import failing, loading, only, severities, versions


def test_check_program() -> None:
    text = only(check_program(versions(live_nst="9.8.7"))).text
    assert text.startswith("9.8.7, Python 3.")


def test_check_packages_with_missing_ones() -> None:
    def find(module: str) -> object | None:
        return None if module in ("tf_keras", "PIL") else object()

    findings = list(check_packages(versions(numpy="2.4.6"), find))
    assert [f.hint for f in findings[:2]] == ["pip install tf-keras", "pip install pillow"]
    assert {f.severity for f in findings[:2]} == {Severity.FAULT}
    assert findings[2].severity is Severity.OK
    assert findings[2].text.startswith("numpy 2.4.6, tensorflow ?, ")
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
def test_check_setuptools(version: str | None, has_module: bool, expected: Severity) -> None:
    finding = only(check_setuptools(lambda name: version, lambda name: has_module or None))
    assert finding.severity is expected
    assert finding.hint == ("" if expected is Severity.OK else "pip install 'setuptools<81'")


def test_check_opencv() -> None:
    load = loading(__version__="5.0.0")
    finding = only(check_opencv(versions(opencv_python="5.0.0.93"), load))
    assert finding == Finding("opencv", Severity.OK, "OpenCV 5.0.0")


def test_check_opencv_installed_twice() -> None:
    both = versions(opencv_python="5.0.0.93", opencv_python_headless="4.12.0.88")
    first, *_ = check_opencv(both, loading(__version__="5.0.0"))
    assert first.severity is Severity.FAULT
    assert "opencv-python and opencv-python-headless" in first.text
    assert first.hint == (
        "pip uninstall -y opencv-python opencv-python-headless && pip install opencv-python"
    )


def test_check_opencv_headless() -> None:
    headless = versions(opencv_python_headless="4.12.0.88")
    assert severities(check_opencv(headless, loading(__version__="4.12.0"))) == [
        Severity.NOTE,
        Severity.OK,
    ]


def test_check_opencv_that_does_not_load() -> None:
    one = versions(opencv_python="5.0.0.93")
    library = only(check_opencv(one, failing("libGL.so.1: cannot open")))
    assert library.severity is Severity.FAULT
    assert "libgl1" in library.hint
    # An empty package is what uninstalling one of two leaves.
    empty = only(check_opencv(one, loading()))
    assert empty.severity is Severity.FAULT
    assert "pip uninstall -y opencv-python &&" in empty.hint
    gone = only(check_opencv(versions(), failing("No module named 'cv2'")))
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
def test_check_encoder(load: Callable[[str], Any], expected: Severity, words: str) -> None:
    finding = only(check_encoder(load))
    assert finding.severity is expected
    assert words in finding.text
    assert bool(finding.hint) == (expected is Severity.FAULT)
