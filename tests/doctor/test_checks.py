import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from live_nst.doctor.checks import CHECKS, run_checks
from live_nst.doctor.finding import Finding, Severity


def test_run_checks_goes_on_after_an_error() -> None:
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


def test_all_checks_on_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVE_NST_CACHE", str(tmp_path / "cache"))
    checks = {topic: check for topic, check in CHECKS.items() if topic != "engine"}
    found = list(run_checks(checks))
    assert {finding.topic for finding in found} == set(checks)
    assert [finding for finding in found if finding.severity is Severity.FAULT] == []
    assert all(finding.text and "\n" not in finding.text for finding in found)
    assert list(tmp_path.iterdir()) == []


def test_import_does_not_import_packages() -> None:
    program = (
        "import sys, live_nst.doctor.checks\n"
        "print({'tensorflow', 'cv2', 'av', 'pyvirtualcam', 'requests', 'psutil'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
