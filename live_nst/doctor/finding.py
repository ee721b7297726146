"""What a check of `live-nst doctor` reports."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

REINSTALL = "install live-nst again, best in a fresh virtual environment"
"""The hint for a broken installation."""


class Severity(StrEnum):
    """What a finding means for the user.

    A fault keeps live-nst from working. A note is worth knowing: without a camera, for example,
    the demo and streams still work.
    """

    OK = "ok"
    NOTE = "note"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check.

    Attributes:
        topic: What was checked, for example "camera".
        severity: What it means for the user.
        text: One line.
        hint: What the user can do about it; may be empty.
    """

    topic: str
    severity: Severity
    text: str
    hint: str = ""


Check = Callable[[], Iterable[Finding]]
