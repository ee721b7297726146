"""Write every style picture and the list of descriptions: `python -m tools.paint_styles`."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from tools.paint_styles import STYLES, paint

PICTURES = Path(__file__).parents[2] / "live_nst" / "styles" / "pictures"
JPEG_QUALITY = 88


def write_pictures(names: Iterable[str], folder: Path, size: int = 640) -> None:
    """Write ``NAME.jpg`` for each of `names`, and ``styles.json``, which describes every style.

    Args:
        names: Keys of `STYLES`.
        folder: Made if it is not there.
        size: Side of the square pictures in pixels.

    Raises:
        OSError: A file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        target = folder / f"{name}.jpg"
        red_first = paint(name, size)[..., ::-1]
        Image.fromarray(red_first).save(target, quality=JPEG_QUALITY, optimize=True)
        print(f"{target} ({target.stat().st_size // 1000} kB)")
    descriptions = {name: style.description for name, style in STYLES.items()}
    text = json.dumps(descriptions, indent=2) + "\n"
    (folder / "styles.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Paint what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.paint_styles", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which ones; all if none: {', '.join(STYLES)}"
    )
    parser.add_argument("--out", type=Path, default=PICTURES, help="folder for the pictures")
    options = parser.parse_args()
    unknown = set(options.names) - set(STYLES)
    if unknown:
        parser.error(f"no such style: {', '.join(sorted(unknown))}")
    write_pictures(options.names or STYLES, options.out)


if __name__ == "__main__":
    main()
