import json
import os
from pathlib import Path

import psutil
import pytest

from live_nst.runtime import machine
from live_nst.runtime.machine import describe_machine, instructions, processor

INTEL = """processor\t: 0
model name\t: Some(R) CPU @ 2.0GHz
flags\t\t: fpu sse2 avx2 avx512f avx512_bf16 amx_bf16 amx_tile

processor\t: 1
model name\t: Another
"""
ARM = "processor\t: 0\nFeatures\t: fp asimd bf16 i8mm\n"


def test_processor_on_linux(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(INTEL, "utf-8")
    assert processor(cpuinfo) == "Some(R) CPU @ 2.0GHz"
    assert instructions(cpuinfo) == ["avx2", "avx512f", "avx512_bf16", "amx_bf16"]
    cpuinfo.write_text(ARM, "utf-8")
    assert instructions(cpuinfo) == ["asimd", "bf16"]


def test_processor_without_cpuinfo(tmp_path: Path) -> None:
    assert processor(tmp_path / "none")
    assert instructions(tmp_path / "none") == []


def test_describe_machine() -> None:
    machine = json.loads(json.dumps(describe_machine()))
    assert machine["cores"] >= 1
    assert machine["memory_gb"] > 0
    assert {"numpy", "tensorflow"} <= set(machine["versions"])
    assert all(machine["versions"].values())


def test_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = machine.free_memory(), machine.total_memory(), machine.process_age()
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path / "none"))
    with pytest.raises(OSError):
        psutil.virtual_memory()
    assert machine.total_memory() == pytest.approx(known[1], rel=0.05)
    assert machine.free_memory() == pytest.approx(known[1] / 2, rel=0.05)
    assert 0 < machine.process_age() <= known[2] + 60
    assert 1 <= machine.physical_cores() <= (os.cpu_count() or 1)
    assert describe_machine()["memory_gb"] > 0
