"""Helpers of the tests of checks."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from live_nst.doctor.finding import Finding, Severity


def severities(findings: Iterator[Finding]) -> list[Severity]:
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
