import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PACKAGED, ROOT
from tools.build_mobile_model import WHEEL_SHA256, main, read_wheel


def test_build_is_reproducible(wheel: Path, tmp_path: Path) -> None:
    out = tmp_path / "mobile"
    (out / "old").mkdir(parents=True)

    # A program of its own: TensorFlow numbers the functions of a process.
    program = ROOT / "tools" / "build_mobile_model.py"
    command = [sys.executable, program, "--wheel", wheel, "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert f"wrote {out} (6." in done.stdout
    names = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    packaged = {p.relative_to(PACKAGED).as_posix() for p in PACKAGED.rglob("*") if p.is_file()}
    assert names == packaged
    for name in names - {"variables/variables.data-00000-of-00001"}:
        assert (out / name).read_bytes() == (PACKAGED / name).read_bytes(), name
    assert not (out / "old").exists()


def test_main_wrong_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.whl"
    other.write_bytes(b"PK")
    out = tmp_path / "mobile"

    monkeypatch.setattr(sys, "argv", ["build", "--wheel", str(other), "--out", str(out)])

    with pytest.raises(SystemExit, match=WHEEL_SHA256) as caught:
        main()

    assert hashlib.sha256(b"PK").hexdigest() in str(caught.value)
    assert not out.exists()


def test_read_wheel(wheel: Path, tmp_path: Path) -> None:
    content = read_wheel(wheel)
    assert hashlib.sha256(content).hexdigest() == WHEEL_SHA256

    changed = tmp_path / wheel.name
    changed.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(SystemExit, match="SHA-256"):
        read_wheel(changed)
