import json
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from live_nst.engines import measuring as module
from live_nst.engines.choice import EngineChoice, engine_candidates
from live_nst.engines.measuring import (
    Speed,
    main,
    measure_here,
    measure_in_child,
    measured_size,
    pick_fastest,
)
from live_nst.errors import DeviceError
from live_nst.models.program import SplitModel
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions
from tests.engines.fake_openvino import FakeCore, UseCore, gpu, npu, replaced_core

CPU = EngineChoice("openvino", "cpu", "float32", "it is the fastest on a CPU")
GPU = EngineChoice("openvino", "gpu", "float16", "", "Intel Iris Xe Graphics")
NPU = EngineChoice("openvino", "npu", "float16", "", "Intel AI Boost", "1688")
SIZE = (96, 64)


class Measure:
    """Answers with the given speeds, by device; counts the calls."""

    def __init__(self, **fps: float | str) -> None:
        self.fps = fps
        self.calls: list[tuple[str, tuple[int, int]]] = []

    def __call__(self, choice: EngineChoice, model: Any, size: tuple[int, int]) -> Speed:
        self.calls.append((choice.device, size))
        found = self.fps[choice.device.replace(":", "_")]
        return Speed(0.0, found) if isinstance(found, str) else Speed(found)


Pick = Callable[..., tuple[EngineChoice, list[str]]]


@pytest.fixture
def pick(own_cache: Path) -> Pick:
    def run(
        measure: Measure, *candidates: EngineChoice, size: int | None = 384, model: str = "abc"
    ) -> tuple[EngineChoice, list[str]]:
        said: list[str] = []
        everything = candidates or (GPU, CPU)
        found = pick_fastest(everything, None, model, size, said.append, measure)  # type: ignore[arg-type]
        return found, said

    return run


def test_the_fastest_is_taken_and_told(pick: Pick) -> None:
    chosen, said = pick(Measure(gpu=88.2, cpu=30.6))
    assert (chosen.engine, chosen.device, chosen.precision) == ("openvino", "gpu", "float16")
    assert said == [
        "Measuring once which is fastest: GPU and CPU. This may take a minute.",
        "Measured: GPU 88 fps, CPU 31 fps; using GPU (Intel Iris Xe Graphics).",
    ]
    assert chosen.reason == "it is the fastest here (GPU 88 fps, CPU 31 fps at 384x216)"


def test_the_processor_may_be_the_fastest(pick: Pick) -> None:
    chosen, said = pick(Measure(gpu=12.0, npu=8.0, cpu=60.0), GPU, NPU, CPU)
    assert chosen.device == "cpu"
    assert said[-1] == "Measured: GPU 12 fps, NPU 8 fps, CPU 60 fps; using CPU."


def test_a_single_candidate_is_not_measured(pick: Pick, own_cache: Path) -> None:
    measure = Measure()
    assert pick(measure, CPU) == (CPU, [])
    assert measure.calls == []
    assert not (own_cache / "measured").exists()


def test_measured_once(pick: Pick) -> None:
    measure = Measure(gpu=88.0, cpu=31.0)
    first, _ = pick(measure)
    again, said = pick(measure)
    assert again == first
    assert said == []
    assert len(measure.calls) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"model": "another"},
        {"size": 640},
        {"size": None},
        {"candidates": (GPU, NPU, CPU)},
        {"candidates": (EngineChoice("openvino", "gpu", "float16", "", "another GPU"), CPU)},
        {"candidates": (EngineChoice("openvino", "gpu", "float32", "", GPU.label), CPU)},
        {"driver": "another"},
        {"processor": "another"},
        {"version": "2027.0"},
    ],
)
def test_measured_again_after_a_change(
    pick: Pick, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    measure = Measure(gpu=88.0, npu=9.0, cpu=31.0)
    pick(measure)
    before = len(measure.calls)
    if "driver" in change:
        monkeypatch.setattr(module, "driver_state", lambda: change["driver"])
    if "processor" in change:
        monkeypatch.setattr(module, "processor", lambda: change["processor"])
    if "version" in change:
        monkeypatch.setattr(module, "installed_version", lambda name: change["version"])
    candidates = change.get("candidates", ())
    rest = {name: change[name] for name in ("model", "size") if name in change}
    _, said = pick(measure, *candidates, **rest)
    assert len(measure.calls) > before
    assert said


def test_sizes_of_one_class_share_a_result(pick: Pick) -> None:
    measure = Measure(gpu=88.0, cpu=31.0)
    pick(measure, size=256)
    pick(measure, size=448)
    assert [size for _, size in measure.calls] == [(384, 216)] * 2


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (64, (384, 216)),
        (449, (640, 360)),
        (None, (640, 360)),
        (769, (1280, 720)),
        (4096, (1280, 720)),
    ],
)
def test_measured_size(size: int | None, expected: tuple[int, int]) -> None:
    assert measured_size(size) == expected


def test_a_device_that_cannot_run_is_left_out_aloud(pick: Pick) -> None:
    measure = Measure(gpu="out of memory", cpu=31.0)
    for _ in range(2):  # also when the result is read from the disk
        chosen, said = pick(measure)
        assert chosen.device == "cpu"
        assert "GPU (Intel Iris Xe Graphics) is left out: out of memory." in said
    assert len(measure.calls) == 2


def test_nothing_can_be_measured(pick: Pick, own_cache: Path) -> None:
    measure = Measure(gpu="out of memory", cpu="no new processes")
    for _ in range(2):  # it is not kept, but tried again
        chosen, said = pick(measure)
        assert chosen == CPU
        assert said[-1] == (
            "Nothing could be measured, so the CPU is used: "
            "GPU (Intel Iris Xe Graphics) is left out: out of memory."
        )
    assert len(measure.calls) == 4


def test_no_device_can_run(pick: Pick) -> None:
    with pytest.raises(DeviceError, match="No device") as caught:
        pick(Measure(gpu="out of memory", npu="too large"), GPU, NPU)
    assert "out of memory" in caught.value.hint
    assert "too large" in caught.value.hint


@pytest.mark.parametrize("content", ["", "{", "[]", '{"speeds": [1]}', '{"speeds": []}'])
def test_damaged_result(pick: Pick, own_cache: Path, content: str) -> None:
    measure = Measure(gpu=88.0, cpu=31.0)
    pick(measure)
    (kept,) = (own_cache / "measured").iterdir()
    kept.write_text(content)
    assert pick(measure)[0].device == "gpu"
    assert len(measure.calls) == 4
    assert json.loads(kept.read_text())["speeds"][0]["fps"] == 88.0


def test_without_a_cache(pick: Pick, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIVE_NST_CACHE", str(tmp_path / "file"))
    assert pick(Measure(gpu=88.0, cpu=31.0))[0].device == "gpu"


def test_two_engines_on_one_device_have_two_names(pick: Pick) -> None:
    other = EngineChoice("tensorflow", "gpu", "float16", "", "NVIDIA T4")
    chosen, said = pick(Measure(gpu=50.0, cpu=31.0), other, GPU, CPU)
    assert chosen.engine == "tensorflow"
    assert "GPU with tensorflow 50 fps, GPU with openvino 50 fps, CPU 31 fps" in said[-1]


# The measurement itself


class StepClock:
    """Each look takes 0.1 seconds: a frame takes as long."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        self.time += 0.1
        return self.time

    def sleep(self, seconds: float) -> None:
        raise AssertionError("it need not wait")


def test_measure_here(mobile_programs: SplitModel) -> None:
    assert measure_here(CPU, mobile_programs, SIZE, StepClock()) == pytest.approx(10.0)


def test_measure_in_child(mobile_programs: SplitModel) -> None:
    speed = measure_in_child(CPU, mobile_programs, SIZE)
    assert speed.problem == ""
    assert speed.fps > 1


def test_child_tells_a_device_that_is_missing(mobile_programs: SplitModel) -> None:
    missing = EngineChoice("openvino", "gpu:9", "float16", "", "x")
    speed = measure_in_child(missing, mobile_programs, SIZE)
    assert speed.fps == 0
    assert "OpenVINO" in speed.problem


def child(program: str, patience: float = 30.0) -> Speed:
    return measure_in_child(GPU, None, SIZE, patience, (sys.executable, "-c", program))  # type: ignore[arg-type]


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_driver_that_crashes() -> None:
    speed = child("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    assert speed == Speed(0.0, "its driver ended the process with SIGSEGV")


def test_driver_that_never_answers() -> None:
    assert child("import time; time.sleep(60)", 0.2).problem == "it was not ready within 0.2 s"


def test_driver_that_prints() -> None:
    program = """print("warming up"); print('{"fps": 12.5, "problem": ""}'); print("bye")"""
    assert child(program) == Speed(12.5)


@pytest.mark.parametrize(
    ("program", "problem"),
    [
        ("raise OSError('no such device')", "OSError: no such device"),
        ("raise SystemExit(7)", "exit code 7"),
        ("""print('{"fps": "fast"}')""", "exit code 0"),
    ],
)
def test_child_that_fails(program: str, problem: str) -> None:
    assert problem in child(program).problem


def test_program_that_cannot_start() -> None:
    speed = measure_in_child(GPU, None, SIZE, 1.0, ("/no/such/program",))  # type: ignore[arg-type]
    assert "cannot be measured" in speed.problem


def test_main(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.write_bytes(pickle.dumps((CPU, None, SIZE)))
    monkeypatch.setattr(module, "measure_here", lambda choice, model, size: 20.0)
    with work.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": file}))
        main()
    assert json.loads(capsys.readouterr().out) == {"fps": 20.0, "problem": ""}


# In a stylizer


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> Iterator[UseCore]:
    monkeypatch.setattr("live_nst.runtime.tensorflow.gpu_names", list)
    with replaced_core(monkeypatch) as use_core:
        yield use_core


def opened(size: int | None = 64, **options: Any) -> tuple[list[str], str, int]:
    said: list[str] = []
    with StylizerCore(
        StylizerOptions(model="mobile", styles=("ink",), size=size, **options), notify=said.append
    ) as stylizer:
        frame = np.zeros((64, 96, 3), np.uint8)
        assert stylizer(frame).shape == frame.shape
        return said, stylizer.device, stylizer.size


def test_stylizer_uses_the_fastest(use: UseCore, monkeypatch: pytest.MonkeyPatch) -> None:
    use(FakeCore(GPU=gpu(), NPU=npu()))
    measure = Measure(gpu=88.0, npu=40.0, cpu=31.0)
    monkeypatch.setattr(module, "measure_in_child", measure)
    said, device, size = opened(size=None)
    assert (device, size) == ("Intel Iris Xe Graphics", 640)
    assert (
        said[2]
        == "Measured: GPU 88 fps, NPU 40 fps, CPU 31 fps; using GPU (Intel Iris Xe Graphics)."
    )
    assert " on GPU (Intel Iris Xe Graphics) in float16: it is the fastest here" in said[3]
    said, device, _ = opened(size=None)
    assert device == "Intel Iris Xe Graphics"
    assert len(said) == 2  # the model and the engine, which tells the figures again
    assert len(measure.calls) == 3


def test_stylizer_measures_nothing_for_a_device_that_was_asked_for(use: UseCore) -> None:
    use(FakeCore(GPU=gpu(), NPU=npu()))
    said, device, _ = opened(device="npu")
    assert device == "Intel AI Boost"
    assert "OpenVINO can use Intel AI Boost" in said[-1]


def test_stylizer_measures_nothing_on_a_processor_alone(use: UseCore) -> None:
    core = use(FakeCore())
    said, device, _ = opened()
    assert device == "cpu"
    assert not any("easur" in sentence for sentence in said)
    assert len(core.compiled) == 3  # encode, expand and the frame program


def test_missing_device_never_becomes_the_processor(use: UseCore) -> None:
    use(FakeCore())
    for word in ("gpu", "gpu:1", "npu"):
        with pytest.raises(DeviceError, match="There is no"):
            opened(device=word)


def test_candidates_are_those_of_openvino(use: UseCore) -> None:
    use(FakeCore(GPU_0=gpu(), GPU_1=gpu("Intel(R) Arc(TM) A770 Graphics (dGPU)")))
    titles = [each.title for each in engine_candidates()]
    assert titles == ["GPU (Intel Iris Xe Graphics)", "GPU 1 (Intel Arc A770 Graphics)", "CPU"]
