"""The log of a run: a line of JSON for every few steps, and the same in words."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Log:
    """Collects the terms of each step and writes their means.

    Args:
        file: Lines are added to it; None to write none.
        every: Steps in a line.
    """

    def __init__(self, file: Path | None, every: int) -> None:
        self._file, self._every = file, every
        self._terms: dict[str, list[float]] = {}
        self._begin, self._pictures = time.monotonic(), 0

    def __call__(self, seen: int, pictures: int, terms: Mapping[str, float]) -> None:
        """Take the terms of one step.

        Args:
            seen: Pictures seen in all after the step.
            pictures: Of the step.
            terms: Numbers by name.
        """
        for name, value in terms.items():
            self._terms.setdefault(name, []).append(value)
        self._pictures += pictures
        if len(next(iter(self._terms.values()))) >= self._every:
            self._flush(seen)

    def _flush(self, seen: int) -> None:
        spent = max(1e-9, time.monotonic() - self._begin)
        line: dict[str, Any] = {"time": time.strftime("%Y-%m-%dT%H:%M:%S"), "seen": seen}
        line["pictures_per_second"] = round(self._pictures / spent, 3)
        for name, values in self._terms.items():
            line[name] = float(f"{sum(values) / len(values):.4g}")
        text = json.dumps(line)
        if self._file:
            with self._file.open("a") as out:
                out.write(text + "\n")
        print(text, flush=True)
        self._terms, self._pictures, self._begin = {}, 0, time.monotonic()
