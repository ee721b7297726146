"""From a checkpoint to a SavedModel that the program loads."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import PACKAGED, ROOT
from tests.tools.training_material import random_picture
from tools.train_model.checkpoint import Checkpoint, load, save
from tools.train_model.onnx_weights import packaged_state, read_mobile
from tools.train_model.settings import Settings


def export(checkpoint: Path, wheel: Path, out: Path, *options: Path | str) -> None:
    """Export in a process of its own: TensorFlow numbers the functions of a process."""
    command = [sys.executable, "-m", "tools.train_model", "export", checkpoint]
    done = subprocess.run(
        [*command, "--wheel", wheel, "--out", out, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def exported(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packaged weights as a checkpoint, exported."""
    folder = tmp_path_factory.mktemp("exported")
    save(
        Checkpoint(Settings(), packaged_state(read_mobile(wheel))),
        folder / "packaged.npz",
        small=True,
    )
    export(folder / "packaged.npz", wheel, folder / "model")
    return folder


def pictures() -> list[Any]:
    return [
        np.float32(random_picture(seed, *size)[None] / 255)
        for seed, size in ((0, (50, 70)), (1, (256, 256)))
    ]


def test_the_same_checkpoint_gives_the_same_bytes(
    exported: Path, wheel: Path, tmp_path: Path
) -> None:
    export(exported / "packaged.npz", wheel, tmp_path / "again")
    first, second = files(exported / "model"), files(tmp_path / "again")
    assert set(first) == set(second) and "programs/programs.json" in first
    for name in set(first) - {"variables/variables.data-00000-of-00001"}:
        assert first[name] == second[name], name


@pytest.mark.parametrize("name", ["fine", "live"])
def test_the_packaged_model_is_that_of_its_checkpoint(
    name: str, wheel: Path, tmp_path: Path
) -> None:
    # It refers to the files of the other model beside it.
    shutil.copytree(PACKAGED / "programs", tmp_path / "mobile" / "programs")
    export(
        ROOT / "tools" / "train_model" / "checkpoints" / f"{name}.npz",
        wheel,
        tmp_path / name,
        "--beside",
        tmp_path / "mobile",
    )
    made, expected = files(tmp_path / name), files(PACKAGED.with_name(name))
    assert set(made) == set(expected) == {"programs/programs.bin", "programs/programs.json"}
    for file in made:
        assert made[file] == expected[file], file


def test_the_packaged_weights_give_the_packaged_paintings(
    exported: Path, mobile_module: Any
) -> None:
    import tensorflow as tf

    module = tf.saved_model.load(str(exported / "model"))
    ours, theirs = module(*pictures())[0], mobile_module(*pictures())[0]
    assert ours.shape == theirs.shape
    assert np.abs(ours.numpy() - theirs.numpy()).max() < 0.5 / 255 * 4
    assert np.abs(ours.numpy() - theirs.numpy()).mean() < 0.5 / 255


def test_the_program_paints_with_it(exported: Path) -> None:
    from live_nst import Stylizer

    frame = random_picture(2, 96, 128)
    model = str(exported / "model")
    with Stylizer(model, ["starry"], size=128, device="cpu") as stylizer:
        painted = stylizer(frame)
    with Stylizer("mobile", ["starry"], size=128, device="cpu") as stylizer:
        packaged = stylizer(frame)
    assert np.abs(painted.astype(int) - packaged).mean() < 1.5


def test_another_student_is_refused(wheel: Path, tmp_path: Path) -> None:
    from tools.train_model.__main__ import main

    state = {"a": np.zeros(1, np.float32)}
    save(Checkpoint(Settings(student="other"), state), tmp_path / "a.npz", small=True)
    command = ["export", str(tmp_path / "a.npz"), "--wheel", str(wheel)]
    assert main([*command, "--out", str(tmp_path / "out")]) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["mobile", "live"])
def test_the_model_paints_as_the_student_does(name: str, wheel: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="students need PyTorch: the extra `train`")
    import tensorflow as tf

    from tools.train_model.predictor import Predictor
    from tools.train_model.students import make, state_of, student_of

    student = make(name, seed=1)
    student.head.center(torch.rand(9, 1280))
    state = {
        key: values.astype(np.float16).astype(np.float32) if values.ndim > 1 else values
        for key, values in state_of(student).items()
    }
    save(Checkpoint(Settings(student=name), state), tmp_path / "a.npz", small=True)
    export(tmp_path / "a.npz", wheel, tmp_path / "model")
    content, style = pictures()
    content = content[:, :48, :64]

    theirs = tf.saved_model.load(str(tmp_path / "model"))(content, style)[0].numpy()

    def tensor(picture: Any) -> Any:
        return torch.from_numpy(picture).permute(0, 3, 1, 2)

    with torch.no_grad():
        student = student_of(load(tmp_path / "a.npz"))
        features = Predictor(read_mobile(wheel))(tensor(style))
        ours = student(tensor(content), student.head(features))
    assert np.abs(ours.permute(0, 2, 3, 1).numpy() - theirs).max() < 1e-4
