"""Contact sheets: styles, photos, and what networks paint of them."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from tools.train_model.pictures import Rgb
from tools.train_model.views import to_tensor

GAP = 6


@torch.no_grad()
def paint(student: nn.Module, photo: Rgb, bottleneck: Tensor) -> Rgb:
    """Paint one photo.

    Args:
        student: A network of `students`.
        photo: RGB uint8; what is beyond a multiple of the student's is cut off.
        bottleneck: `[100]`.

    Returns:
        RGB uint8.
    """
    height, width = (side - side % student.multiple for side in photo.shape[:2])
    device = next(student.parameters()).device
    frame = to_tensor([photo[:height, :width]]).to(device)
    painted = student(frame, bottleneck[None].to(device))[0].float()
    levels = (painted * 255).round().clamp(0, 255).permute(1, 2, 0)
    return levels.cpu().numpy().astype(np.uint8)


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
