"""Draw docs/look.jpg, which shows the options of the look on a frame of the demo.

python tools/look_sheet.py [OUT.jpg]
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Image
from tools.draw_demo.scene import DemoScene

OUT = Path(__file__).resolve().parents[1] / "docs" / "look.jpg"
DEMO_SECONDS = 10.6
CELL = (256, 144)
LABEL = 22  # height in pixels below each image

Cell = tuple[str, str, Look, float]
"""Label, style, look, stroke."""

PLAIN = Look()
ROWS: list[list[Cell]] = [
    [(f"strength {s}", "starry", Look(strength=s), 1.0) for s in (0.0, 0.25, 0.5, 0.75, 1.0)],
    [
        (f"strength {s}, blend styles", "starry", Look(strength=s, blend="styles"), 1.0)
        for s in (0.0, 0.25, 0.5, 0.75, 1.0)
    ],
    [(f"stroke {s:g}", "mosaic", PLAIN, s) for s in (0.35, 0.7, 1.0, 1.4, 2.8)],
    [
        (f"{name}{', keep-colors' if keep else ''}", name, Look(keep_colors=float(keep)), 1.0)
        for name, keep in (
            ("wave", False), ("wave", True), ("starry", True), ("ink", True), ("neon", True),
        )
    ],
    [
        ("only person", "candy", Look(only="person"), 1.0),
        ("only background", "starry", Look(only="background"), 1.0),
        ("candy", "candy", PLAIN, 1.0),
        ("candy, detail 0.5", "candy", Look(detail=0.5), 1.0),
        ("candy, detail 1", "candy", Look(detail=1.0), 1.0),
    ],
    [
        (" + ".join(f"{n} {w:.0%}" for n, w in mix if w), "+".join(f"{n}:{w}" for n, w in mix),
         PLAIN, 1.0)
        for mix in ([("starry", 1 - w), ("ember", w)] for w in (0, 0.25, 0.5, 0.75, 1))
    ],
]  # fmt: skip


def main(out: Path) -> None:
    """Stylize each cell and write the sheet."""
    frame = DemoScene(1280, 720).draw(DEMO_SECONDS)
    columns = max(len(row) for row in ROWS)
    step = CELL[0] + 8, CELL[1] + LABEL
    sheet = Pillow.new("RGB", (columns * step[0] - 8, len(ROWS) * step[1]), "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    with StylizerCore(StylizerOptions(model="mobile", size=384, device="cpu")) as stylizer:
        for y, row in enumerate(ROWS):
            for x, (label, style, look, stroke) in enumerate(row):
                stylizer.look = look
                stylizer.select(style, stroke=stroke)
                position = x * step[0], y * step[1]
                sheet.paste(_thumbnail(stylizer(frame)), position)
                pen.text((position[0] + 2, position[1] + CELL[1] + 3), label, "black", font)
    sheet.save(out, quality=56, optimize=True, progressive=True)
    print(f"wrote {out} ({out.stat().st_size / 1000:.0f} kB)")


def _thumbnail(image: Image) -> Pillow.Image:
    rgb = Pillow.fromarray(np.ascontiguousarray(image[..., ::-1]))
    return rgb.resize(CELL, Pillow.Resampling.LANCZOS)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
