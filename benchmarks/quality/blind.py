"""Let somebody choose between two models without knowing which is which.

    python -m benchmarks.quality.blind draw FOLDER [--models fine mobile]
    python -m benchmarks.quality.blind count FOLDER

`draw` paints 60 pairs, five photos in each built-in style, and writes sheets of six rows: photo,
style, and the two paintings as A and B in an order that is drawn by lot. It is kept in `key.json`;
look there last. Write `answers.json`: for each number two letters, as in {"1": "AB"}: which one you
would rather stream, and which one looks more like the style. `count` counts.
"""

import argparse
import json
import secrets
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from benchmarks.motion.footage import photo, read_frames
from benchmarks.quality.models import OURS, REFERENCE, Pair, paint_at_full_strength
from benchmarks.quality.stylize import resize_to_width
from live_nst.styles.builtin import builtin_image_path, builtin_styles
from live_nst.styles.contact_sheet import scale_to_fit
from live_nst.styles.image import read_style_image
from live_nst.types import Image

PHOTOS_A_STYLE = 5
ROWS = 6
QUESTIONS = ("stream", "style")
_FACES = ("carphone-10", "astronaut", "carphone-200", "hopper", "carphone-300")
_VIEWS = ("coffee", "room", "motorcycle", "rabbit", "bikes")
_CELL = (400, 280)
_STYLE_WIDTH = 200
_GAP = 8


def pairs() -> list[Pair]:
    """Return five photos, three of them faces or two, in each built-in style."""
    found = []
    for number, style in enumerate(builtin_styles()):
        picture = read_style_image(builtin_image_path(style))
        for place in range(PHOTOS_A_STYLE):
            names = _FACES if (number + place) % 2 == 0 else _VIEWS
            name = names[(number + place) // 2 % len(names)]
            found.append(Pair(f"{name}/{style}", _photo(name), picture))
    return found


def _photo(name: str) -> Image:
    clip, _, index = name.partition("-")
    return resize_to_width(
        read_frames("carphone_pristine", int(index) + 1)[-1] if index else photo(clip)
    )


def draw(folder: Path, models: Sequence[str]) -> None:
    """Paint all pairs by two models, and write sheets and the key."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = pairs()
    painted = {model: paint_at_full_strength(chosen, model) for model in models}
    key = {}
    rows = []
    for index, pair in enumerate(chosen):
        order = list(models) if secrets.randbelow(2) else list(models)[::-1]
        key[str(index + 1)] = {"pair": pair.name, "A": order[0], "B": order[1]}
        rows.append([pair.photo, pair.style, *(painted[model][index] for model in order)])
    for first in range(0, len(rows), ROWS):
        sheet = _sheet(rows[first : first + ROWS], first + 1)
        sheet.save(folder / f"sheet-{first // ROWS + 1:02}.jpg", quality=88)
    (folder / "key.json").write_text(json.dumps(key, indent=1) + "\n", "utf-8")


def _sheet(rows: Sequence[Sequence[Image]], first: int) -> Pillow.Image:
    """Draw rows of photo, style, A and B."""
    widths = (_CELL[0], _STYLE_WIDTH, _CELL[0], _CELL[0])
    sheet = Pillow.new(
        "RGB", (sum(widths) + 5 * _GAP, len(rows) * (_CELL[1] + _GAP) + _GAP), "white"
    )
    pen = ImageDraw.Draw(sheet)
    for number, images in enumerate(rows):
        left, top = _GAP, _GAP + number * (_CELL[1] + _GAP)
        for name, image, width in zip(
            (f"{first + number}", "", "A", "B"), images, widths, strict=True
        ):
            cell = scale_to_fit(image, (width, _CELL[1]))
            sheet.paste(Pillow.fromarray(np.ascontiguousarray(cell[..., ::-1])), (left, top))
            if name:
                pen.rectangle((left, top, left + 18 * len(name) + 10, top + 30), "white")
                pen.text((left + 6, top + 2), name, "black", ImageFont.load_default(24))
            left += width + _GAP
    return sheet


def count(key: dict[str, dict[str, str]], answers: dict[str, str]) -> dict[str, Counter[str]]:
    """Count how often each model was chosen.

    Args:
        key: By number: "pair", "A" and "B", as `draw` wrote it.
        answers: By number: a letter for each of `QUESTIONS`.

    Returns:
        By question: wins by model. For the first question also "STYLE: MODEL" for each style.

    Raises:
        ValueError: A number has no answer, or one that is no two letters A or B.
    """
    found = {question: Counter[str]() for question in QUESTIONS}
    for number, entry in key.items():
        letters = answers.get(number, "")
        if len(letters) != len(QUESTIONS) or set(letters) - {"A", "B"}:
            raise ValueError(f"{number} has no answer such as AB: {letters!r}")
        for question, letter in zip(QUESTIONS, letters, strict=True):
            found[question][entry[letter]] += 1
        style = entry["pair"].partition("/")[2]
        found[QUESTIONS[0]][f"{style}: {entry[letters[0]]}"] += 1
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.blind", description=__doc__)
    parser.add_argument("what", choices=("draw", "count"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", nargs=2, default=[OURS[0], REFERENCE])
    arguments = parser.parse_args(argv)
    if arguments.what == "draw":
        draw(arguments.folder, arguments.models)
        return 0
    key, answers = (
        json.loads((arguments.folder / f"{name}.json").read_text("utf-8"))
        for name in ("key", "answers")
    )
    for question, wins in count(key, answers).items():
        print(question, dict(sorted(wins.items())))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
