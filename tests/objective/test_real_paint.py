"""What `paint` reaches with VGG16's real features on a real photo; minutes."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest

from live_nst.objective.loss_functions import gatys
from live_nst.objective.options import PaintOptions, PaintStep
from live_nst.objective.paint import paint
from live_nst.types import Image

pytestmark = pytest.mark.slow


def square_photo(folder: Path, clip: Path, frame: int) -> Path:
    """The middle of a frame at 256x256 pixels."""
    capture = cv2.VideoCapture(str(clip))
    for _ in range(frame + 1):
        _, image = capture.read()
    capture.release()
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    middle: Image = image[top : top + side, left : left + side]  # type: ignore[assignment]
    path = folder / "photo.png"
    cv2.imwrite(str(path), cv2.resize(middle, (256, 256), interpolation=cv2.INTER_AREA))
    return path


def totals(photo: Path, out: Path, vgg: Path, style: str, start: str, steps: int) -> np.ndarray:
    """The least total loss after each evaluation."""
    found: list[float] = []

    def on_step(step: PaintStep) -> bool:
        found.append(step.losses.total)
        return True

    options = PaintOptions(
        photo,
        out,
        (style,),
        size=256,
        steps=steps,
        levels=1,
        start=start,
        loss=gatys("vgg16"),
        vgg_file=vgg,
        model="mobile",
        device="cpu",
    )
    paint(options, on_step=on_step)
    return np.minimum.accumulate(found)


@pytest.mark.parametrize(
    ("clip", "frame", "style"), [("bikes", 30, "wave"), ("carphone_pristine", 10, "starry")]
)
def test_loss_of_real_photos(
    real_vgg16: Path, tmp_path: Path, clips: dict[str, Path], clip: str, frame: int, style: str
) -> None:
    photo = square_photo(tmp_path, clips[clip], frame)
    content = totals(photo, tmp_path / "content.png", real_vgg16, style, "content", 150)
    fast = totals(photo, tmp_path / "fast.png", real_vgg16, style, "fast", 100)
    begin = content[0]
    print(f"{clip} in {style}, from the content and from the fast model's picture:")
    for step in (1, 5, 10, 20, 50, 100, 150):
        ahead = f"{fast[step - 1] / begin:.3f}" if step <= len(fast) else ""
        print(f"  after {step:3} evaluations {content[step - 1] / begin:.3f} {ahead}")
    assert content[19] <= 0.26 * begin
    assert content[149] <= 0.16 * begin
    assert fast[0] < 0.5 * begin
    assert fast[19] < content[19]
    assert fast[49] < content[49]
    # From here on both creep towards minima that differ by a percent in either direction.
    assert fast[99] < (1.0 if style == "wave" else 1.02) * content[99]


def test_resume_with_a_real_photo(real_vgg16: Path, tmp_path: Path, clips: dict[str, Path]) -> None:
    photo = square_photo(tmp_path, clips["bikes"], 30)
    straight = PaintOptions(
        photo,
        tmp_path / "straight.png",
        ("wave",),
        size=128,
        steps=40,
        levels=1,
        start="content",
        loss=gatys("vgg16"),
        vgg_file=real_vgg16,
        device="cpu",
    )
    whole = paint(straight)
    stopped = dataclasses.replace(straight, output=tmp_path / "stopped.png")
    assert not paint(stopped, on_step=lambda step: step.evaluation < 17).finished
    resumed = paint(stopped)
    assert resumed.finished and resumed.evaluations == 23
    assert whole.losses is not None and resumed.losses is not None
    assert abs(resumed.losses.total / whole.losses.total - 1) < 0.01
