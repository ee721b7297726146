"""Contact sheets: styles, photos, and what networks paint of them."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from tools.train_model.checkpoint import load
from tools.train_model.onnx_weights import load as load_weights
from tools.train_model.painting import (
    Way,
    finished,
    frame_of,
    held_out_pairs,
    painter,
    record_pairs,
)
from tools.train_model.pictures import Rgb, middle_square, read_pictures, split
from tools.train_model.predictor import Predictor
from tools.train_model.students import Student, packaged, student_of
from tools.train_model.views import to_tensor

GAP = 6
ROW = 288
"""Height, in pixels, of a row of `compare`."""


@torch.no_grad()
def paint(student: Student, photo: Rgb, features: Tensor) -> Rgb:
    """Paint one photo.

    Args:
        student: A network of `students`.
        photo: RGB uint8; what is beyond a multiple of the student's is cut off.
        features: `[FEATURES]`, of the style.

    Returns:
        RGB uint8.
    """
    height, width = (side - side % student.multiple for side in photo.shape[:2])
    device = next(student.parameters()).device
    frame = to_tensor([photo[:height, :width]]).to(device)
    painted = student(frame, student.head(features[None].to(device)))[0].float()
    levels = (painted * 255).round().clamp(0, 255).permute(1, 2, 0)
    return levels.cpu().numpy().astype(np.uint8)


def compare(
    checkpoints: Sequence[Path],
    weights: Path,
    photos: Sequence[Path],
    styles: Sequence[Path],
    count: int = 12,
) -> Rgb:
    """Draw the style, the photo, the packaged network and each checkpoint, a row for each pair.

    Args:
        checkpoints: Their files.
        weights: The folder that the command `weights` wrote.
        photos: Zip archives and folders, of which held-out pictures are drawn; if there are
            none, the record's pairs are drawn.
        styles: Likewise.
        count: Rows; pairs are chosen evenly.
    """
    predictor = Predictor(load_weights(weights / "mobile.npz"))
    loaded = [load(path) for path in checkpoints]
    students = [packaged(load_weights(weights / "mobile.npz")), *map(student_of, loaded)]
    if photos and styles:
        share = max((each.settings.held_out for each in loaded), default=0.05)
        held = [split(read_pictures(places), share)[1] for places in (photos, styles)]
        pairs = held_out_pairs(held[0], held[1], count)
    else:
        pairs = record_pairs()
        pairs = [pairs[index * len(pairs) // count] for index in range(min(count, len(pairs)))]
    rows = []
    for pair in pairs:
        row = [middle_square(pair.style, ROW), pair.photo]
        for student in students:
            painted = painter(Way(student), pair.style, predictor)(frame_of(pair.photo))
            row.append(finished(painted, pair.photo))
        rows.append(row)
    return draw(rows, ROW)


def draw(rows: Sequence[Sequence[Rgb]], height: int) -> Rgb:
    """Draw rows of pictures, each scaled to `height` pixels, on white."""
    lines = []
    for row in rows:
        line = []
        for image in row:
            width = max(1, round(image.shape[1] * height / image.shape[0]))
            shrinks = height < image.shape[0]
            how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
            small = cv2.resize(image, (width, height), interpolation=how)
            line += [small, np.full((height, GAP, 3), 255, np.uint8)]
        lines.append(np.concatenate(line, axis=1))
    across = max(line.shape[1] for line in lines)
    padded = [
        np.pad(line, ((0, GAP), (0, across - line.shape[1]), (0, 0)), constant_values=255)
        for line in lines
    ]
    return np.concatenate(padded)


def write(sheet: Rgb, file: Path) -> None:
    """Write a sheet as JPEG or PNG, by the name's ending."""
    file.parent.mkdir(parents=True, exist_ok=True)
    done, content = cv2.imencode(file.suffix, sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    if not done:
        raise ValueError(f"{file} cannot be encoded")
    file.write_bytes(content.tobytes())
