"""The models in the cache, and the engine without TensorFlow."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

from live_nst.cli.app import app
from live_nst.engines import onnxruntime_models as models
from live_nst.engines.onnxruntime import OnnxRuntimeEngine
from live_nst.engines.onnxruntime_models import frame_model, program_model
from live_nst.engines.onnxruntime_providers import COREML, CUDA, DIRECTML
from live_nst.errors import DeviceError
from live_nst.models.graph.freeze import freeze_saved_model
from live_nst.models.graph.split import split_model
from live_nst.models.program import SplitModel
from live_nst.runtime.onnxruntime import import_onnxruntime
from live_nst.stylizer.stylizer import Stylizer
from tests.models import tiny_models as modules
from tests.models.graph.test_rewrite import OTHERS

GPU_PROVIDERS = (CUDA, DIRECTML, COREML)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SplitModel:
    folder = tmp_path_factory.mktemp("small") / "module"
    return split_model(freeze_saved_model(modules.save(modules.plain, folder)))


def sizes_of(serialized: bytes) -> list[list[int]]:
    graph = onnx.ModelProto.FromString(serialized).graph
    ends = [graph.input[0], graph.output[0]]
    return [[side.dim_value for side in end.type.tensor_type.shape.dim] for end in ends]


def files(cache: Path) -> list[Path]:
    return sorted((cache / "onnx").iterdir())


def test_one_file_serves_all_sizes(model: SplitModel, own_cache: Path) -> None:
    one = frame_model(model.frame, (48, 32), "float32", "uint8")
    other = frame_model(model.frame, (64, 100), "float32", "uint8")
    assert len(files(own_cache)) == 1
    assert sizes_of(one) == [[1, 32, 48, 3]] * 2
    assert sizes_of(other) == [[1, 100, 64, 3]] * 2
    onnx.checker.check_model(onnx.ModelProto.FromString(other), full_check=True)


def test_other_sizes_have_files_of_their_own(model: SplitModel, own_cache: Path) -> None:
    frame_model(model.frame, (50, 33), "float32", "uint8")
    frame_model(model.frame, (50, 35), "float32", "uint8")
    assert len(files(own_cache)) == 2


def test_model_whose_operations_depend_on_the_size(tmp_path: Path, own_cache: Path) -> None:
    """This one rolls its image by a remainder of the height."""
    paint = modules.chosen_by_style
    odd = split_model(freeze_saved_model(modules.save(paint, tmp_path / "m")))
    written = frame_model(odd.frame, (48, 32), "float32", "float32")
    assert sizes_of(written) == [[1, 32, 48, 3]] * 2
    assert len(files(own_cache)) == 2  # that there is none for all sizes, and the one for this


def test_key_of_coreml(model: SplitModel) -> None:
    """CoreML docs: its cache does not look at the weights, but at COREML_CACHE_KEY, of at most 64
    letters and digits."""
    keys = set()
    for size in ((48, 32), (64, 32)):
        for precision in ("float32", "float16"):
            written = onnx.ModelProto.FromString(
                frame_model(model.frame, size, precision, "float32")  # type: ignore[arg-type]
            )
            (entry,) = written.metadata_props
            assert entry.key == "COREML_CACHE_KEY"
            assert entry.value.isalnum()
            assert len(entry.value) <= 64
            keys.add(entry.value)
    assert len(keys) == 4


def test_damaged_cache(model: SplitModel, own_cache: Path) -> None:
    first = frame_model(model.frame, (48, 32), "float32", "uint8")
    (path,) = files(own_cache)
    path.write_bytes(path.read_bytes()[:-9])
    assert frame_model(model.frame, (48, 32), "float32", "uint8") == first
    path.write_bytes(b"")
    assert frame_model(model.frame, (48, 32), "float32", "uint8") == first


def test_cache_that_cannot_be_written(
    model: SplitModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIVE_NST_CACHE", str(tmp_path / "file"))
    assert frame_model(model.frame, (48, 32), "float32", "uint8")


def test_cache_keeps_the_newest(
    model: SplitModel, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "MAX_CACHED", 3)
    for width in range(33, 41, 2):
        frame_model(model.frame, (width, 33), "float32", "uint8")
    program_model(model.expand, [(1, 1, 1, modules.CODE)])
    assert len(files(own_cache)) == 3


def test_cameras_share_the_network_of_one_size(model: SplitModel) -> None:
    own = OnnxRuntimeEngine(model, "cpu")
    one, other = own.compile((96, 64), (48, 32)), own.compile((192, 128), (48, 32))
    assert one is not other
    assert len(own._networks) == 1
    del one, other
    assert len(own._networks) == 0


@pytest.mark.parametrize("name", ["strided, enlarged", "other borders"])
def test_cached_model_computes_the_same(name: str, tmp_path: Path) -> None:
    odd = split_model(freeze_saved_model(modules.save(OTHERS[name], tmp_path / "m")))
    image = np.random.default_rng(1).integers(0, 256, (32, 44, 3), np.uint8)
    results = []
    for _ in range(2):
        own = OnnxRuntimeEngine(odd, "cpu")
        style = own.expand(np.ones(own.bottleneck_size, np.float32))
        results.append(own.compile((44, 32), (44, 32))(image, style).stylized)
    np.testing.assert_array_equal(*results)


# In a program of its own: this one has imported everything.

_PROGRAM = """
import sys
import numpy as np
from live_nst import Stylizer
with Stylizer("mobile", ["wave"], size=96, engine="onnxruntime", device="cpu") as stylizer:
    assert stylizer(np.zeros((72, 96, 3), np.uint8)).shape == (72, 96, 3)
print("tensorflow" in sys.modules)
"""


def test_tensorflow_is_needed_once(own_cache: Path) -> None:
    """It writes the models; later sessions read them, for other sizes and styles as well."""
    with Stylizer("mobile", ["ink"], size=64, engine="onnxruntime", device="cpu") as stylizer:
        stylizer(np.zeros((48, 64, 3), np.uint8))
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(own_cache.parent), "LIVE_NST_CACHE": str(own_cache)},
    )
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_session_and_conversion(tmp_path: Path) -> None:
    """A live session paints and records; the recording and a picture are converted."""
    chosen = ["--engine", "onnxruntime", "--device", "cpu", "--model", "mobile", "--size", "64"]
    recording, film = tmp_path / "live.mp4", tmp_path / "film.mp4"
    picture = tmp_path / "picture.png"
    live = ["--source", "demo", "--no-window", "--frames", "4", "--record", str(recording)]
    result = CliRunner().invoke(app, [*live, *chosen])
    assert result.exit_code == 0, result.output
    assert f"onnxruntime {import_onnxruntime().__version__} on cpu" in result.stdout
    result = CliRunner().invoke(app, ["convert", str(recording), str(film), *chosen])
    assert result.exit_code == 0, result.output
    cv2.imwrite(str(picture), np.full((48, 64, 3), 90, np.uint8))
    painted = tmp_path / "painted.png"
    result = CliRunner().invoke(app, ["convert", str(picture), str(painted), *chosen])
    assert result.exit_code == 0, result.output

    video = cv2.VideoCapture(str(film))
    frames = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    video.release()
    assert frames >= 1
    image = cv2.imread(str(painted))
    assert image is not None
    assert image.shape == (48, 64, 3)
    assert np.abs(image.astype(int) - 90).mean() > 5


def test_gpu_without_a_provider() -> None:
    """One sentence, and the command that installs what is missing."""
    if set(import_onnxruntime().get_available_providers()) & set(GPU_PROVIDERS):
        pytest.skip("this ONNX Runtime has a provider for a GPU")
    with pytest.raises(DeviceError, match="for the CPU only") as caught:
        Stylizer("mobile", engine="onnxruntime", device="gpu")
    assert "pip install" in caught.value.hint


@pytest.mark.slow
def test_gpu_of_this_machine(model: SplitModel) -> None:
    """On a real GPU, if the installed ONNX Runtime has a provider for one."""
    try:
        gpu = OnnxRuntimeEngine(model, "gpu", "float32")
    except DeviceError as exc:
        pytest.skip(f"{exc}")
    image = np.random.default_rng(1).integers(0, 256, (32, 48, 3), np.uint8)
    results = []
    for own in (gpu, OnnxRuntimeEngine(model, "gpu", "float16"), OnnxRuntimeEngine(model, "cpu")):
        style = own.expand(np.ones(own.bottleneck_size, np.float32))
        results.append(own.compile((48, 32), (48, 32))(image, style).stylized.astype(int))
    exact, half, reference = results
    assert np.abs(exact - reference).max() <= 1
    assert np.abs(half - reference).mean() < 0.004 * 255
