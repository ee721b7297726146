"""Test the export to StableHLO, and the same programs in JAX on a CPU."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks import gpu
from benchmarks.gpu import run as timing
from benchmarks.gpu.export import convolution_flops, export
from benchmarks.gpu.export import main as export_main
from live_nst.bench.flops import frame_flops
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.split import split_model
from live_nst.models.program import SplitModel
from tests.models import tiny_models as modules

needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="jax is not installed")


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> SplitModel:
    return split_model(
        freeze_saved_model(modules.save(modules.plain, tmp_path_factory.mktemp("small") / "module"))
    )


@pytest.fixture
def exported(small_model: SplitModel, mobile_programs: SplitModel, tmp_path: Path) -> Path:
    """Export a small module in two precisions, and the mobile model."""
    folder = tmp_path / "programs"
    export(small_model, "small", (48, 32), "float32", folder)
    export(small_model, "small", (48, 32), "float16", folder)
    export(mobile_programs, "mobile", (96, 64), "float32", folder)
    export(small_model, "small", (48, 32), "float32", folder, camera=(100, 70))
    return folder


def run_script(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run the script as on a machine without live-nst."""
    command = [sys.executable, timing.__file__, str(folder), "--seconds", "0.01", "--matrix", "64"]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=False)


# Exporting


def test_export(small_model: SplitModel, tmp_path: Path) -> None:
    path = export(small_model, "small", (48, 32), "bfloat16", tmp_path)

    text = path.read_text("utf-8")
    assert path.name == "small-48x32-bfloat16.mlir"
    assert "stablehlo.convolution" in text
    assert "tensor<32x48x3xui8>" in text
    convolutions = [line for line in text.splitlines() if "stablehlo.convolution" in line]
    assert len(convolutions) == 2
    assert all("f32" not in line and "bf16" in line for line in convolutions)

    facts = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert facts["size"] == [48, 32]
    assert facts["precision"] == "bfloat16"
    assert facts["inputs"][0] == {"shape": [32, 48, 3], "type": "uint8"}
    assert facts["outputs"] == [{"shape": [32, 48, 3], "type": "uint8"}] * 2
    assert facts["flops"] == 2 * 48 * 32 * 9 * (3 * modules.CHANNELS + modules.CHANNELS * 3)

    arrays = np.load(path.with_suffix(".npz"))
    assert [list(arrays[f"input_{i}"].shape) for i in range(len(facts["inputs"]))] == [
        each["shape"] for each in facts["inputs"]
    ]
    np.testing.assert_array_equal(arrays["output_0"], arrays["input_0"])


def test_export_camera(small_model: SplitModel, tmp_path: Path) -> None:
    path = export(small_model, "small", (48, 32), "float32", tmp_path, camera=(100, 70))

    assert path.name == "small-48x32-of-100x70-float32.mlir"
    facts = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert facts["inputs"][0]["shape"] == [70, 100, 3]
    shapes = [each["shape"] for each in facts["outputs"]]
    assert shapes == [[32, 48, 3], [32, 48, 3], [70, 100, 3]]
    assert facts["fetched"] == [2]
    arrays = np.load(path.with_suffix(".npz"))
    large = cv2.resize(arrays["output_1"], (100, 70), interpolation=cv2.INTER_CUBIC)
    np.testing.assert_array_equal(arrays["output_2"], large)


def test_main_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--size", "64x48", "--precision", "float32"]
    assert gpu.main(["export", str(tmp_path), *options]) == 0
    assert {each.suffix for each in tmp_path.iterdir()} == {".mlir", ".json", ".npz"}
    assert "mobile-64x48-float32.mlir" in capsys.readouterr().out


def test_invalid_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        export_main([str(tmp_path), "--size", "large"])
    assert caught.value.code == 2
    assert "1280x720" in capsys.readouterr().err


def test_main_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert gpu.main([]) == 0
    assert "export DIR" in capsys.readouterr().out
    assert gpu.main(["measure"]) == 2


@pytest.mark.parametrize("size", [(640, 360), (1280, 720)])
def test_convolution_flops(mobile_programs: SplitModel, size: tuple[int, int]) -> None:
    assert convolution_flops(mobile_programs.frame, size) == frame_flops("mobile", size)


@pytest.mark.slow
def test_convolution_flops_of_hub(hub_folder: Path) -> None:
    frame = split_model(freeze_saved_model(hub_folder)).frame
    assert convolution_flops(frame, (1280, 720)) == frame_flops("hub", (1280, 720))


# Running


@needs_jax
def test_run(exported: Path, tmp_path: Path) -> None:
    done = run_script(exported, "--json", str(tmp_path / "found.json"))

    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert found["platform"]
    assert set(found["peaks"]) == {"float32", "float16"}
    names = {"small-48x32-float32", "small-48x32-float16", "mobile-96x64-float32"}
    names |= {"small-48x32-of-100x70-float32"}
    assert set(found["programs"]) == names
    for name, program in found["programs"].items():
        exact = name.endswith("float32")
        assert program["difference"]["mean"] < (1e-4 if exact else 1e-3)
        assert program["difference"]["maximum"] <= (1 if exact else 4) / 255 + 1e-9
        peak = found["peaks"][program["precision"]]
        rate = program["flops"] * program["fps"]
        assert program["share of peak"] == pytest.approx(rate / peak)
        assert name in done.stdout


@needs_jax
def test_run_different_image(small_model: SplitModel, tmp_path: Path) -> None:
    path = export(small_model, "small", (48, 32), "float32", tmp_path).with_suffix(".npz")
    arrays = dict(np.load(path))
    arrays["output_1"] = 255 - arrays["output_1"]
    np.savez(path, **arrays)

    done = run_script(tmp_path)

    assert done.returncode == 1
    assert "BROKEN: small-48x32-float32" in done.stdout


def test_run_without_programs(tmp_path: Path) -> None:
    done = run_script(tmp_path)
    assert done.returncode == 2
    assert "No programs" in done.stderr


@pytest.mark.parametrize("concurrency", [1, 2, 4])
def test_seconds_per_call_concurrency(concurrency: int) -> None:
    running: list[object] = []
    most = 0

    class Result:
        def block_until_ready(self) -> None:
            assert running.pop(0) is self  # the oldest first

    def start() -> list[Any]:
        nonlocal most
        running.append(Result())
        most = max(most, len(running))
        return [running[-1]]

    assert timing.seconds_per_call(start, concurrency, 0.001) > 0
    assert most == concurrency
    assert not running
