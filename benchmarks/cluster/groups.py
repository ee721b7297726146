"""Control groups of the kernel that hold processes to a share of a core."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")
_PERIOD = 100_000  # microseconds
_HELD_WEIGHT = {"cpu.shares": "16384", "cpu.weight": "1600"}  # so that others do not take the share


class ControlGroup:
    """One group; version 1 and 2 of control groups.

    Attributes:
        members: The file that takes the ids of its processes.
    """

    def __init__(self, name: str) -> None:
        self._second = (_ROOT / "cgroup.controllers").exists()
        self._folder = (_ROOT if self._second else _ROOT / "cpu") / name
        self._folder.mkdir()
        self.members = self._folder / "cgroup.procs"

    def hold(self, share: float | None, *, first: bool) -> None:
        """Let the processes have a share of a core from now on; None for as much as they get.

        Args:
            share: Of a core.
            first: Other processes of the machine wait for these, so that they get their share.
        """
        quota = None if share is None else round(_PERIOD * share)
        if self._second:
            (self._folder / "cpu.max").write_text(f"{quota or 'max'} {_PERIOD}")
        else:
            (self._folder / "cpu.cfs_quota_us").write_text(str(quota or -1))
        for name, weight in _HELD_WEIGHT.items():
            if first and (self._folder / name).exists():
                (self._folder / name).write_text(weight)

    def remove(self) -> None:
        """Remove the group; its processes have ended."""
        with suppress(OSError):
            self._folder.rmdir()


@contextmanager
def control_groups(number: int) -> Iterator[list[ControlGroup]]:
    """Make some control groups. It takes the right to do so, which root has."""
    groups: list[ControlGroup] = []
    try:
        for index in range(number):
            groups.append(ControlGroup(f"live-nst-{os.getpid()}-{index}"))
        yield groups
    finally:
        time.sleep(0.5)  # the kernel takes note of processes that ended
        for group in groups:
            group.remove()
