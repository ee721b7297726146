"""Device choice, settings and refusals, on fakes of each platform; see `fake_onnxruntime`."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from live_nst.engines import onnxruntime as engine
from live_nst.engines import onnxruntime_providers as providers
from live_nst.engines.onnxruntime_providers import (
    COREML,
    CPU,
    CUDA,
    DIRECTML,
    TENSORRT,
    Provider,
    SessionSettings,
    device_name,
    open_session,
    pick_precision,
    pick_provider,
    session_settings,
)
from live_nst.errors import DeviceError, LiveNstError, ModelError, UsageError
from live_nst.runtime import onnxruntime as runtime
from live_nst.runtime.onnxruntime import gpu_install_command
from tests.engines.fake_onnxruntime import FakeOnnxRuntime

LINUX = FakeOnnxRuntime([TENSORRT, CUDA])
WINDOWS = FakeOnnxRuntime([DIRECTML], names={DIRECTML: ["AMD Radeon 780M", "Intel Arc A770"]})
MAC = FakeOnnxRuntime([COREML])
PLAIN = FakeOnnxRuntime([])


def use(monkeypatch: pytest.MonkeyPatch, fake: FakeOnnxRuntime, *, nvidia: bool = False) -> None:
    for module in (providers, engine):
        monkeypatch.setattr(module, "import_onnxruntime", lambda: fake)
    monkeypatch.setitem(pick_provider.__kwdefaults__, "has_nvidia", lambda: nvidia)


def picked(device: str, fake: FakeOnnxRuntime, *, nvidia: bool = False) -> Provider:
    return pick_provider(
        device,
        available=fake.get_available_providers,
        has_nvidia=lambda: nvidia,
        system={id(WINDOWS): "win32", id(MAC): "darwin"}.get(id(fake), "linux"),
    )


# Which provider


@pytest.mark.parametrize("device", ["auto", "gpu"])
def test_gpu_is_taken_where_there_is_one(device: str) -> None:
    assert picked(device, LINUX, nvidia=True).name == CUDA
    assert picked(device, WINDOWS).name == DIRECTML
    assert picked(device, MAC).name == COREML


def test_second_gpu() -> None:
    assert picked("gpu:1", WINDOWS) == Provider(DIRECTML, 1)
    assert picked("gpu:0", WINDOWS) == picked("gpu", WINDOWS)
    with pytest.raises(DeviceError, match="one GPU only"):
        picked("gpu:1", MAC)


@pytest.mark.parametrize("fake", [LINUX, WINDOWS, MAC, PLAIN])
def test_cpu(fake: FakeOnnxRuntime) -> None:
    assert picked("cpu", fake, nvidia=True) == Provider(CPU)


def test_cuda_is_listed_without_a_driver() -> None:
    """ "Available" means built in; CUDA needs NVIDIA's driver."""
    assert picked("auto", LINUX).name == CPU
    with pytest.raises(DeviceError, match="NVIDIA's driver") as caught:
        picked("gpu", LINUX)
    assert "nvidia-smi" in caught.value.hint


def test_auto_without_a_gpu() -> None:
    assert picked("auto", PLAIN) == Provider(CPU)


@pytest.mark.parametrize(
    ("system", "extra"), [("linux", "cuda-onnx"), ("win32", "windows"), ("darwin", "onnxruntime")]
)
def test_refusal_names_the_command(
    monkeypatch: pytest.MonkeyPatch, system: str, extra: str
) -> None:
    """onnxruntime.ai/docs/install: only one of the packages may be installed at a time."""
    monkeypatch.setattr(
        runtime, "installed_version", lambda name: "1.32" if name == "onnxruntime" else None
    )
    with pytest.raises(DeviceError, match="for the CPU only") as caught:
        pick_provider("gpu", available=PLAIN.get_available_providers, system=system)
    assert f'pip install "live-nst[{extra}]"' in caught.value.hint
    assert ("pip uninstall -y onnxruntime &&" in caught.value.hint) == (system != "darwin")


def test_install_command_without_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "installed_version", lambda name: None)
    assert gpu_install_command("win32") == 'pip install "live-nst[windows]"'


@pytest.mark.parametrize("device", ["npu", "tpu", "gpu:", "gpu:x", ""])
def test_other_devices(device: str) -> None:
    with pytest.raises(UsageError, match="does not run on device") as caught:
        picked(device, WINDOWS)
    assert caught.value.hint


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    runtime.import_onnxruntime.cache_clear()
    try:
        with pytest.raises(DeviceError, match="cannot be used here") as caught:
            pick_provider("cpu")
    finally:
        runtime.import_onnxruntime.cache_clear()
    assert 'pip install "live-nst[onnxruntime]"' in caught.value.hint


# Which precision


def test_precision() -> None:
    cpu, gpu = Provider(), Provider(DIRECTML)
    assert pick_precision("auto", cpu) == pick_precision("float32", cpu) == "float32"
    assert pick_precision("auto", gpu) == pick_precision("float16", gpu) == "float16"
    assert pick_precision("float32", gpu) == "float32"


@pytest.mark.parametrize(
    ("wanted", "provider"),
    [("float16", Provider()), ("bfloat16", Provider()), ("bfloat16", Provider(CUDA))],
)
def test_precision_that_is_refused(wanted: str, provider: Provider) -> None:
    with pytest.raises(UsageError, match=f"does not support {wanted}") as caught:
        pick_precision(wanted, provider)
    assert "float32" in caught.value.hint


# Settings


def test_directml_settings() -> None:
    """DirectML docs, "Configuration Options": no memory pattern, sequential execution."""
    settings = session_settings(Provider(DIRECTML, 1), "float16")
    assert settings.providers == [(DIRECTML, {"device_id": 1})]
    assert not settings.memory_pattern


def test_coreml_settings(own_cache: Path) -> None:
    """CoreML docs, "Available Options (NEW API)"."""
    ((name, options),) = session_settings(Provider(COREML), "float16").providers
    assert name == COREML
    assert options["ModelFormat"] == "MLProgram"
    assert options["RequireStaticInputShapes"] == "1"
    assert Path(options["ModelCacheDirectory"]).is_relative_to(own_cache)


def test_cuda_settings() -> None:
    """CUDA docs, "use_tf32": on by default, so that float32 would not be float32."""
    ((name, options),) = session_settings(
        Provider(CUDA, 2), "float16", has_tensorrt=False
    ).providers
    assert (name, options["device_id"], options["use_tf32"]) == (CUDA, 2, 0)


def test_tensorrt_settings(own_cache: Path) -> None:
    """TensorRT docs, "Configurations": half precision and the cache are off by default."""
    settings = session_settings(Provider(CUDA), "float16", has_tensorrt=True)
    (name, options), (fallback, _) = settings.providers
    assert (name, fallback) == (TENSORRT, CUDA)
    assert options["trt_fp16_enable"]
    assert options["trt_engine_cache_enable"]
    assert Path(options["trt_engine_cache_path"]).is_relative_to(own_cache)
    settings = session_settings(Provider(CUDA), "float32", has_tensorrt=True)
    assert [name for name, _ in settings.providers] == [CUDA]


def test_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIVE_NST_CACHE", str(tmp_path / "file"))
    ((_, options),) = session_settings(Provider(COREML), "float16").providers
    assert options["ModelCacheDirectory"] == ""
    (_, options), _ = session_settings(Provider(CUDA), "float16", has_tensorrt=True).providers
    assert not options["trt_engine_cache_enable"]


@pytest.mark.parametrize("name", [CUDA, DIRECTML, COREML])
def test_no_part_may_run_on_the_cpu(name: str) -> None:
    settings = session_settings(Provider(name), "float32")
    assert settings.entries["session.disable_cpu_ep_fallback"] == "1"
    assert CPU not in [each for each, _ in settings.providers]


# Sessions


@pytest.mark.parametrize(("fake", "name"), [(LINUX, CUDA), (WINDOWS, DIRECTML), (MAC, COREML)])
def test_session(monkeypatch: pytest.MonkeyPatch, fake: FakeOnnxRuntime, name: str) -> None:
    use(monkeypatch, fake)
    preloaded = fake.preloaded
    session = open_session(b"model", Provider(name))
    assert session.get_providers()[0] == name
    assert fake.preloaded - preloaded == (name == CUDA)


@pytest.mark.parametrize("name", [CUDA, DIRECTML, COREML])
def test_broken_provider_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    use(monkeypatch, FakeOnnxRuntime([name], broken=(name,)))
    with pytest.raises(DeviceError) as caught:
        open_session(b"model", Provider(name))
    assert "--device cpu" in caught.value.hint


@pytest.mark.parametrize("name", [CUDA, DIRECTML, COREML])
def test_model_that_would_run_on_the_cpu_in_part(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    use(monkeypatch, FakeOnnxRuntime([name], partial=(name,)))
    with pytest.raises(DeviceError, match="cannot run all of this model") as caught:
        open_session(b"model", Provider(name))
    assert "--model mobile" in caught.value.hint


def test_tensorrt_that_falls_back_to_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FakeOnnxRuntime([TENSORRT, CUDA], broken=(TENSORRT,)))
    monkeypatch.setitem(session_settings.__kwdefaults__, "has_tensorrt", True)
    with pytest.raises(DeviceError, match="TensorRT cannot be used here") as caught:
        open_session(b"model", Provider(CUDA), "float16")
    assert "tensorrt" in caught.value.hint


def relu() -> bytes:
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [2]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    serialized: bytes = made.SerializeToString()
    return serialized


def test_real_library_refuses_to_fall_back(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The setting works in the real library: a provider without operations is refused."""
    real = runtime.import_onnxruntime()
    empty = "AzureExecutionProvider"
    if empty not in real.get_available_providers():
        pytest.skip(f"this ONNX Runtime has no {empty}")
    settings = session_settings(Provider(DIRECTML), "float32")
    monkeypatch.setattr(
        providers,
        "session_settings",
        lambda *_: SessionSettings([(empty, {})], settings.entries, settings.memory_pattern),
    )
    with pytest.raises(DeviceError, match="cannot run all of this model"):
        open_session(relu(), Provider(DIRECTML))
    assert capfd.readouterr() == ("", "")


def test_real_library_without_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    if DIRECTML in runtime.import_onnxruntime().get_available_providers():
        pytest.skip("this ONNX Runtime has DirectML")
    with pytest.warns(UserWarning, match="not in available"), pytest.raises(DeviceError):
        open_session(relu(), Provider(DIRECTML))


def test_model_that_is_refused() -> None:
    with pytest.raises(ModelError, match="refuses the model") as caught:
        open_session(b"\x00 no model", Provider())
    assert "\n" not in caught.value.message


# The engine on other machines


STYLE = (np.zeros(2, np.float32),)


class FakeModel:
    """Programs are not written here: the fake runs none."""

    style_size = (256, 256)
    bottleneck_size = 2
    bottleneck_parts = (2,)
    frame = expand = None


def make_engine(
    monkeypatch: pytest.MonkeyPatch, fake: FakeOnnxRuntime, *, nvidia: bool = False, **rest: Any
) -> engine.OnnxRuntimeEngine:
    use(monkeypatch, fake, nvidia=nvidia)
    monkeypatch.setattr(engine, "frame_model", lambda *_: b"model")
    made = engine.OnnxRuntimeEngine(FakeModel(), **rest)  # type: ignore[arg-type]
    monkeypatch.setattr(made, "expand", lambda bottleneck: (bottleneck,))
    return made


@pytest.mark.parametrize(
    ("fake", "device"),
    [
        (WINDOWS, "AMD Radeon 780M (DirectML)"),
        (MAC, "Apple GPU (CoreML)"),
        (FakeOnnxRuntime([CUDA]), "GPU 0 (CUDA)"),
    ],
)
def test_engine_tells_what_runs(
    monkeypatch: pytest.MonkeyPatch, fake: FakeOnnxRuntime, device: str
) -> None:
    made = make_engine(monkeypatch, fake, nvidia=True, precision="auto")
    assert made.device == device
    assert made.precision == "float16"
    assert made.name == "onnxruntime 1.30.0"


def test_name_of_second_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, WINDOWS)
    assert device_name(Provider(DIRECTML, 1)) == "Intel Arc A770 (DirectML)"
    assert device_name(Provider(DIRECTML, 2)) == "GPU 2 (DirectML)"
    assert device_name(Provider()) == "cpu"


@pytest.mark.parametrize("fake", [FakeOnnxRuntime([DIRECTML]), FakeOnnxRuntime([COREML])])
def test_frames_pass_through_unchanged(
    monkeypatch: pytest.MonkeyPatch, fake: FakeOnnxRuntime
) -> None:
    """The fake returns its input: bytes for DirectML, floats for CoreML, which takes no bytes."""
    run = make_engine(monkeypatch, fake).compile((8, 4), (8, 4))
    image = np.random.default_rng(1).integers(0, 256, (4, 8, 3), np.uint8)
    np.testing.assert_array_equal(run(image, STYLE).stylized, image)


def test_directml_runs_one_model_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake refuses a second call, also one of another session."""
    made = make_engine(monkeypatch, FakeOnnxRuntime([DIRECTML]))
    runs = [made.compile((side, 4), (side, 4)) for side in (8, 12)]
    image = np.zeros((4, 8, 3), np.uint8)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: runs[number % 2](image, STYLE).stylized, range(12)))


def test_device_that_fails_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeOnnxRuntime([DIRECTML])
    run = make_engine(monkeypatch, fake).compile((8, 4), (8, 4))
    fake.fails_running = True
    with pytest.raises(LiveNstError, match="DirectML failed: device removed") as caught:
        run(np.zeros((4, 8, 3), np.uint8), STYLE)
    assert "\n" not in caught.value.message
    assert "--device cpu" in caught.value.hint
