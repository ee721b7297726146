"""Write the style images and their descriptions: `python -m tools.paint_styles`."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from tools.paint_styles import STYLES, paint

PICTURES = Path(__file__).parents[2] / "live_nst" / "styles" / "pictures"
JPEG_QUALITY = 88


def write_pictures(names: Iterable[str], folder: Path, size: int = 640) -> None:
    """Write ``NAME.jpg`` for each of `names`, and ``styles.json``, which describes all styles.

    Args:
        names: Keys of `STYLES`.
        folder: Output folder; created if needed.
        size: Side of the square images in pixels.

    Raises:
        OSError: A file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        target = folder / f"{name}.jpg"
        rgb = paint(name, size)[..., ::-1]
        Image.fromarray(rgb).save(target, quality=JPEG_QUALITY, optimize=True)
        print(f"{target} ({target.stat().st_size // 1000} kB)")
    descriptions = {name: style.description for name, style in STYLES.items()}
    text = json.dumps(descriptions, indent=2) + "\n"
    (folder / "styles.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.paint_styles", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"styles to draw [default: all]: {', '.join(STYLES)}",
    )
    parser.add_argument("--out", type=Path, default=PICTURES, help="output folder")
    options = parser.parse_args()
    unknown = set(options.names) - set(STYLES)
    if unknown:
        parser.error(f"unknown style: {', '.join(sorted(unknown))}")
    write_pictures(options.names or STYLES, options.out)


if __name__ == "__main__":
    main()
