"""Compare the packaged models at equal style, beside controls: weaker paintings of Magenta's.

A weaker painting has a lower loss, so the total alone tells little. Each model is therefore
measured at several strengths, by both ways in which strength blends (`--blend`), and the content
losses are compared where the style losses are equal.
The controls are Magenta's mobile network with a share of the photo mixed back in, and with broader
strokes: a network is better only if it is below all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks.motion.footage import package_file, photo
from benchmarks.quality.stylize import SIZE, STYLES, photos, resize_to_width
from live_nst.models.handles import FINE, LIVE, MOBILE
from live_nst.styles.builtin import builtin_image_path
from live_nst.styles.image import read_style_image
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import BLEND_PICTURES, BLEND_STYLES, Look
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Image

REFERENCE = MOBILE
"""The model that the controls are made of."""

OURS = (FINE, LIVE)
"""The models that are compared with it."""

PHOTO_SHARES = (0.1, 0.2, 0.35)
STROKES = (2.0, 3.0)
STRENGTHS = (1.0, 0.8, 0.6, 0.4, 0.2, 0.0)
BLENDS = (BLEND_PICTURES, BLEND_STYLES)
STYLE_SHARES = (0.25, 0.30, 0.35, 0.40, 0.45)
"""The style losses, as shares of the photo's own, at which content losses are compared."""

_STYLES = ("ink", "candy", "comic", "ember", "pointillist", "neon", "abstract", "stained-glass")
_TEXTURES = ("hubble_deep_field.jpg", "ihc.png", "retina.jpg", "color.png")
_PHOTOS = ("astronaut", "coffee", "hopper", "motorcycle", "rocket", "rabbit")


@dataclass(frozen=True, slots=True)
class Pair:
    """A photo and a style picture, BGR uint8.

    Attributes:
        name: "PHOTO/STYLE".
        photo: At most 640 pixels wide.
        style: In its own size.
    """

    name: str
    photo: Image
    style: Image


Curve = list[tuple[float, float]]
"""(style, content) of one way of painting at several strengths."""


def record_pairs() -> list[Pair]:
    """Return the pairs of the record: three photos in four built-in styles."""
    return [
        Pair(f"{name}/{style}", image, read_style_image(builtin_image_path(style)))
        for name, image in photos().items()
        for style in STYLES
    ]


def held_out_pairs() -> list[Pair]:
    """Return twelve pairs that no model of ours was trained, and no setting was chosen, with.

    Six photos, two of them faces, in the built-in styles that the record has not, and in four
    pictures of scikit-image.
    """
    styles = {name: read_style_image(builtin_image_path(name)) for name in _STYLES}
    styles |= {
        file.partition(".")[0]: read_style_image(package_file("skimage", f"data/{file}"))
        for file in _TEXTURES
    }
    return [
        Pair(
            f"{_PHOTOS[number % len(_PHOTOS)]}/{name}",
            resize_to_width(photo(_PHOTOS[number % len(_PHOTOS)])),
            style,
        )
        for number, (name, style) in enumerate(styles.items())
    ]


def paint_pairs(pairs: Sequence[Pair]) -> dict[str, list[Image]]:
    """Return each pair's paintings, in the photos' sizes, by the way of painting.

    Ways are named as `control_names` and `strength_name` name them.
    """
    found: dict[str, list[Image]] = {}
    for stroke in (1.0, *STROKES):
        name = stroke_name(stroke)
        found[name] = _paint(pairs, REFERENCE, Look(), stroke)
    for share in PHOTO_SHARES:
        found[share_name(share)] = [
            np.rint((1 - share) * painted.astype(np.float32) + share * pair.photo).astype(np.uint8)
            for pair, painted in zip(pairs, found[stroke_name(1.0)], strict=True)
        ]
    for model in OURS:
        for blend, strength in product(BLENDS, STRENGTHS):
            name = strength_name(model, strength, blend)
            if name not in found:  # at full strength nothing is blended
                found[name] = _paint(pairs, model, Look(strength=strength, blend=blend), 1.0)
    return found


def paint_at_full_strength(pairs: Sequence[Pair], model: str) -> list[Image]:
    """Return each pair's painting by a model, in the photo's size."""
    return _paint(pairs, model, Look(), 1.0)


def stroke_name(stroke: float) -> str:
    """Return the name of the reference with strokes of a size."""
    return REFERENCE if stroke == 1 else f"{REFERENCE}, stroke {stroke:g}"


def share_name(share: float) -> str:
    """Return the name of the reference with a share of the photo."""
    return f"{REFERENCE}, {share:.0%} of the photo"


def strength_name(model: str, strength: float, blend: str) -> str:
    """Return the name of a model at a strength, and what the strength blends."""
    return model if strength == 1 else f"{model}, {blend} {strength:g}"


def control_names() -> list[str]:
    """Return the names of the controls."""
    return [*map(share_name, PHOTO_SHARES), *map(stroke_name, STROKES)]


def _paint(pairs: Sequence[Pair], model: str, look: Look, stroke: float) -> list[Image]:
    painted = []
    styles = tuple(pair.style for pair in pairs)
    with StylizerCore(
        StylizerOptions(
            model=model, styles=styles, size=SIZE, device="cpu", precision="float32",
            look=look, stroke=stroke,
        )
    ) as stylizer:  # fmt: skip
        for pair, label in zip(pairs, stylizer.styles, strict=True):
            stylizer.select(label)
            painted.append(stylizer(pair.photo))
    return painted


def content_at(style: float, curve: Curve) -> float | None:
    """Interpolate the content loss at a style loss.

    Args:
        style: The style loss.
        curve: In any order. Between its points it is taken as straight.

    Returns:
        The content loss; None outside the curve.
    """
    ordered = sorted(curve)
    if not ordered[0][0] <= style <= ordered[-1][0]:
        return None
    return float(np.interp(style, *zip(*ordered, strict=True)))


def lowest_control(style: float, means: dict[str, dict[str, float]]) -> float | None:
    """Return the lowest content loss that a control has at a style loss.

    The reference itself and its shares of the photo form one curve up to the lowest style loss,
    and one from there; each broader stroke is a point that other points are not drawn to: it
    counts where its style loss is not above `style`.

    Args:
        style: The style loss.
        means: Content and style by the way of painting.
    """
    shares = [means[name] for name in (REFERENCE, *map(share_name, PHOTO_SHARES))]
    points = [(each["style"], each["content"]) for each in shares]
    lowest = min(range(len(points)), key=lambda index: points[index][0])
    curves = [points[: lowest + 1], points[lowest:]]
    found = [content_at(style, curve) for curve in curves]
    found += [
        means[name]["content"]
        for name in map(stroke_name, STROKES)
        if means[name]["style"] <= style
    ]
    return min((each for each in found if each is not None), default=None)


def at_equal_style(means: dict[str, dict[str, float]]) -> dict[str, dict[str, float | None]]:
    """Return the content losses at `STYLE_SHARES` and at the reference's own style loss.

    Returns:
        By style loss, as text with three places: that of the lowest control as "controls", and
        that of each of our models by the better blend; None where no curve reaches.
    """
    own = means[REFERENCE]["style"]
    table: dict[str, dict[str, float | None]] = {}
    for style in sorted({*STYLE_SHARES, own}):
        row = {"controls": lowest_control(style, means)}
        for model in OURS:
            found = [content_at(style, _curve(means, model, blend)) for blend in BLENDS]
            row[model] = min((each for each in found if each is not None), default=None)
        table[f"{style:.3f}"] = row
    return table


def _curve(means: dict[str, dict[str, float]], model: str, blend: str) -> Curve:
    """Return the curve of a model from its lowest style loss on."""
    terms = [means[strength_name(model, strength, blend)] for strength in STRENGTHS]
    points = [(each["style"], each["content"]) for each in terms]
    return points[min(range(len(points)), key=lambda index: points[index][0]) :]


def uneven_strengths(pairs: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """Return where a weaker strength does not have more style loss and less content loss.

    The strengths are those of the blend "styles", which the models of ours are trained for.

    Args:
        pairs: Content and style by the way of painting and the pair.
    """
    broken = []
    for model in OURS:
        ways = [pairs[strength_name(model, strength, BLEND_STYLES)] for strength in STRENGTHS]
        for stronger, weaker, strength in zip(ways, ways[1:], STRENGTHS[1:], strict=False):
            broken += [
                f"{model} at strength {strength:g}: {pair}"
                for pair, terms in weaker.items()
                if not (
                    terms["style"] > stronger[pair]["style"]
                    and terms["content"] < stronger[pair]["content"]
                )
            ]
    return broken
