from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from live_nst.engines import openvino_devices as module
from live_nst.engines.choice import choose_engine
from live_nst.engines.openvino import OpenVINOEngine
from live_nst.engines.openvino_devices import (
    describe_devices,
    missing_device,
    openvino_devices,
    plain_name,
)
from live_nst.errors import DeviceError, ModelError
from live_nst.models.program import SplitModel
from live_nst.runtime.chips import Chip
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import center_crop, read_style_image
from tests.engines.fake_openvino import FakeCore, FakeDevice, UseCore, gpu, npu, replaced_core

SIZE = (96, 64)
IMAGE = np.random.default_rng(3).integers(0, 256, (64, 96, 3), np.uint8)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[UseCore]:
    monkeypatch.setattr("live_nst.runtime.tensorflow.gpu_names", list)
    with replaced_core(monkeypatch) as use_core:
        yield use_core


def engine_on(word: str, model: SplitModel, concurrency: int = 1, precision: str = "auto") -> Any:
    return choose_engine("openvino", word, precision).make(model, concurrency)


# What there is


def test_one_gpu(use: UseCore) -> None:
    """Page "GPU Device": "The GPU is an alias for GPU.0"; one GPU is listed without a number."""
    use(FakeCore(GPU=gpu()))
    first, cpu = openvino_devices()
    assert (first.word, first.handle, first.label) == ("gpu", "GPU", "Intel Iris Xe Graphics")
    assert (first.precisions, first.preferred) == (("float32", "float16"), "float16")
    assert (cpu.word, cpu.label) == ("cpu", "cpu")


def test_two_gpus(use: UseCore) -> None:
    """Page "GPU Device": "Devices are enumerated as GPU.X"; "If the system has an integrated GPU,
    its id is always 0"."""
    use(FakeCore(GPU_0=gpu(), GPU_1=gpu("Intel(R) Arc(TM) A770 Graphics (dGPU)")))
    first, second, _ = openvino_devices()
    assert (first.word, first.handle) == ("gpu", "GPU.0")
    assert (second.word, second.handle, second.label) == (
        "gpu:1",
        "GPU.1",
        "Intel Arc A770 Graphics",
    )


def test_tiles_of_a_gpu_are_no_devices_of_their_own(use: UseCore) -> None:
    """Page "GPU Device": "a specific tile may be addressed as GPU.X.Y"."""
    use(FakeCore(GPU_0=gpu(), GPU_0_1=gpu()))
    assert [device.word for device in openvino_devices()] == ["gpu", "cpu"]


def test_npu(use: UseCore) -> None:
    """Page "NPU Device": "Computation precision for the HW is FP16"."""
    use(FakeCore(NPU=npu(capabilities=("FP32", "FP16", "INT8"))))
    device, _ = openvino_devices()
    assert (device.word, device.label, device.precisions) == ("npu", "Intel AI Boost", ("float16",))
    assert device.driver == "1688"


def test_gpu_without_float16(use: UseCore) -> None:
    """Page "GPU Device": precision depends on "available hardware capabilities"."""
    use(FakeCore(GPU=gpu(capabilities=("FP32", "BIN"))))
    assert openvino_devices()[0].preferred == "float32"
    with pytest.raises(DeviceError, match="GPU does not support float16"):
        choose_engine("openvino", "gpu", "float16")


def test_gpu_has_no_bfloat16(use: UseCore) -> None:
    """Page "Precision Control": "GPU supports f32 and f16"."""
    use(FakeCore(GPU=gpu()))
    with pytest.raises(DeviceError, match="does not support bfloat16") as caught:
        choose_engine("openvino", "gpu", "bfloat16")
    assert caught.value.hint == "use auto, float32 or float16"


def test_device_whose_driver_does_not_answer(use: UseCore) -> None:
    """`Core.get_property` raises a RuntimeError if the driver fails."""
    use(FakeCore(GPU=gpu(full_name=None), NPU=npu(capabilities=("INT8",))))
    assert [device.word for device in openvino_devices()] == ["cpu"]


def test_unknown_devices_are_ignored() -> None:
    core = FakeCore(TPU=FakeDevice("x", ("FP32",), {}, None))
    assert [each.word for each in describe_devices(core, core.available_devices)] == ["cpu"]


def test_without_an_intel_chip_no_driver_is_loaded(
    use: UseCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(FakeCore(GPU=gpu()))
    monkeypatch.setattr(module, "may_have_intel_accelerator", lambda: False)
    assert [device.word for device in openvino_devices()] == ["cpu"]


@pytest.mark.parametrize(
    ("full", "plain"),
    [
        ("Intel(R) Iris(R) Xe Graphics (iGPU)", "Intel Iris Xe Graphics"),
        ("Intel(R) Arc(TM) B580 Graphics (dGPU)", "Intel Arc B580 Graphics"),
        ("Intel(R) AI Boost", "Intel AI Boost"),
        ("Intel(R) Graphics [0x7d55] (iGPU)", "Intel Graphics [0x7d55]"),
    ],
)
def test_plain_name(full: str, plain: str) -> None:
    assert plain_name(full) == plain


# What is missing

UNUSED = Chip("gpu", "Intel", "Intel UHD Graphics 620", "i915")


def test_missing_driver_on_linux() -> None:
    """Page "Configurations for Intel Processor Graphics": "you must install OpenCL runtime
    packages"; intel-opencl-icd and the group "render"."""
    cpu = openvino_devices()[-1]
    error = missing_device("gpu", [cpu], [UNUSED], "linux")
    assert "cannot use Intel UHD Graphics 620: its driver is missing" in error.message
    for words in ("apt install intel-opencl-icd", "usermod -aG render", "devices here: cpu"):
        assert words in error.hint


def test_missing_npu_driver() -> None:
    """Page "Configurations for Intel NPU": linux-npu-driver, "kernel version of 6.6"."""
    chip = Chip("npu", "Intel", "Intel neural processor", "")
    error = missing_device("npu", [], [UNUSED, chip], "linux")
    assert "linux-npu-driver" in error.hint
    assert "6.6" in error.hint
    assert "Windows Update" in missing_device("npu", [], [chip], "win32").hint


def test_missing_second_gpu(use: UseCore) -> None:
    use(FakeCore(GPU=gpu(), NPU=npu()))
    error = missing_device("gpu:1", openvino_devices(), [], "linux")
    assert "no GPU with the name gpu:1" in error.message
    assert error.hint == "devices here: gpu (Intel Iris Xe Graphics), npu (Intel AI Boost), cpu"


def test_no_chip_at_all() -> None:
    error = missing_device("gpu", [], [Chip("gpu", "NVIDIA", "NVIDIA T4")], "linux")
    assert error.message == "OpenVINO finds no Intel GPU."
    assert "--device cpu" in error.hint


# What runs


def test_gpu_computes_frames(use: UseCore, mobile_programs: SplitModel) -> None:
    core = use(FakeCore(GPU=gpu()))
    engine = engine_on("gpu", mobile_programs, precision="float32")
    picture = read_style_image(builtin_image_path("ink"))
    bottleneck = engine.encode(center_crop(picture, engine.style_size))
    painted = engine.compile(SIZE, SIZE)(IMAGE, engine.expand(bottleneck)).stylized
    on_cpu = OpenVINOEngine(mobile_programs, "float32")
    np.testing.assert_array_equal(on_cpu.encode(center_crop(picture, (256, 256))), bottleneck)
    expected = on_cpu.compile(SIZE, SIZE)(IMAGE, on_cpu.expand(bottleneck)).stylized
    np.testing.assert_array_equal(painted, expected)
    assert engine.device == "Intel Iris Xe Graphics"
    assert [name for name, _ in core.compiled[:3]] == ["CPU", "GPU", "CPU"]


def test_settings_of_a_gpu(use: UseCore, mobile_programs: SplitModel) -> None:
    """Page "GPU Device": "automatic batching is enabled by default when [...] THROUGHPUT is set";
    with `ov::num_streams` above 1 "multiple streams are created"; "The cache for the GPU plugin may
    be enabled via the common OpenVINO ov::cache_dir property"."""
    core = use(FakeCore(GPU=gpu()))
    engine_on("gpu", mobile_programs, concurrency=4).compile(SIZE, SIZE)
    ((_, config),) = [each for each in core.compiled if each[0] == "GPU"]
    assert config["INFERENCE_PRECISION_HINT"] == "f16"
    assert config["PERFORMANCE_HINT"] == "LATENCY"
    assert config["NUM_STREAMS"] == 2  # RANGE_FOR_STREAMS ends there
    assert config["CACHE_DIR"].endswith("compiled")


def test_settings_of_an_npu(use: UseCore, mobile_programs: SplitModel) -> None:
    """Page "NPU Device": `ov::num_streams` is read-only; "only models with static shapes are
    supported"."""
    core = use(FakeCore(NPU=npu()))
    engine = engine_on("npu", mobile_programs)
    runner = engine.compile(SIZE, SIZE)
    assert runner(IMAGE, engine.expand(np.zeros(100, np.float32))).stylized.shape == IMAGE.shape
    ((_, config),) = [each for each in core.compiled if each[0] == "NPU"]
    assert config.keys() == {"INFERENCE_PRECISION_HINT", "PERFORMANCE_HINT", "CACHE_DIR"}


@pytest.mark.parametrize(
    ("device", "word", "precision"),
    [
        (gpu(), "gpu", "float16"),
        (gpu(executes="f32"), "gpu", "float32"),
        (npu(), "npu", "float16"),
    ],
)
def test_precision_is_that_of_the_compiled_graph(
    use: UseCore, mobile_programs: SplitModel, device: FakeDevice, word: str, precision: str
) -> None:
    """Page "Precision Control": "`inference_precision` is also a hint, so the value provided is not
    guaranteed to be used"."""
    use(FakeCore(**{word.upper(): device}))
    engine = engine_on(word, mobile_programs)
    engine.compile(SIZE, SIZE)
    assert engine.precision == precision


def test_float32_programs_of_an_npu_run_on_the_processor(
    use: UseCore, mobile_programs: SplitModel
) -> None:
    core = use(FakeCore(NPU=npu(), GPU=gpu()))
    program = mobile_programs.expand
    for word, place in (("npu", "CPU"), ("gpu", "GPU")):
        shapes = [tuple(side or 1 for side in shape) for shape in program.input_shapes]
        run = engine_on(word, mobile_programs).compile_program(program, shapes)
        assert run(np.zeros(shapes[0], np.float32))
        assert core.compiled[-1][0] == place
        assert core.compiled[-1][1]["INFERENCE_PRECISION_HINT"] == "f32"


# What fails

OPENVINO_ERROR = """Exception from src/inference/src/cpp/core.cpp:117:
Exception from src/inference/src/dev/plugin.cpp:58:
Check 'false' failed at src/plugins/intel_gpu/src/plugin/program_builder.cpp:163:
[GPU] ProgramBuilder build failed!
Exception from src/plugins/intel_gpu/src/runtime/ocl/ocl_engine.cpp:185:
[GPU] out of GPU resources

"""


def test_failing_compilation(use: UseCore, mobile_programs: SplitModel) -> None:
    use(FakeCore(GPU=gpu(refuses=RuntimeError(OPENVINO_ERROR))))
    with pytest.raises(ModelError) as caught:
        engine_on("gpu", mobile_programs).compile(SIZE, SIZE)
    assert caught.value.message == (
        "The model cannot run at 96x64 on Intel Iris Xe Graphics: [GPU] out of GPU resources"
    )
    assert "--device cpu" in caught.value.hint


def test_lost_device(use: UseCore, mobile_programs: SplitModel) -> None:
    """OpenVINO's pull request 23826: a device may be lost "during application run", and the GPU's
    plugin throws CL_OUT_OF_RESOURCES."""
    lost = RuntimeError(
        "Exception from src/inference/src/cpp/infer_request.cpp:245:\n"
        "Caught exception: Exception from src/plugins/intel_gpu/src/runtime/ocl/ocl_stream.cpp:1:\n"
        "[GPU] CL_OUT_OF_RESOURCES exception\n"
    )
    use(FakeCore(GPU=gpu(fails=(2, lost))))
    engine = engine_on("gpu", mobile_programs)
    style = engine.expand(np.zeros(100, np.float32))
    runner = engine.compile(SIZE, SIZE)  # the warm-up is the first call
    runner(IMAGE, style)
    for _ in range(3):  # and it stays so: no request is lost with the device
        with pytest.raises(DeviceError, match="Intel Iris Xe Graphics could not compute a frame"):
            runner(IMAGE, style)


def test_device_that_fails_at_once_is_not_kept(use: UseCore, mobile_programs: SplitModel) -> None:
    use(FakeCore(GPU=gpu(fails=(0, RuntimeError("lost")))))
    engine = engine_on("gpu", mobile_programs)
    for _ in range(2):
        with pytest.raises(DeviceError, match="lost"):
            engine.compile(SIZE, SIZE)
