"""Keep the photo's colors: paint its luminance only, or recolor the style before painting.

Source: Gatys et al., "Preserving Color in Neural Artistic Style Transfer" (2016), sections 3 and 4.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.types import Image

COLOR_MODES = ("style", "luminance", "histogram")
"""Whose colors a painting has: the style's, or the photo's in one of two ways."""

_LEAST_SPREAD = 1e-3  # of a picture that is all of one color, in gray levels


def to_luminance(image: Image) -> Image:
    """A picture's luminance (Rec. 601) in all three channels, BGR uint8."""
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]


def match_luminance(style: Image, content: Image) -> Image:
    """The style's luminance with the mean and deviation of the content's; equation 10.

    Args:
        style: Gray BGR uint8.
        content: Gray BGR uint8.

    Returns:
        Gray BGR uint8 in the style's shape.
    """
    values = style.astype(np.float64)
    scale = content.std() / max(_LEAST_SPREAD, values.std())
    return _to_uint8((values - values.mean()) * scale + content.mean())


def transfer_chroma(painted: Image, content: Image) -> Image:
    """The luminance of one picture with the chroma of another of its size; section 4."""
    luminance = cv2.cvtColor(painted, cv2.COLOR_BGR2YCrCb)[..., :1]
    chroma = cv2.cvtColor(content, cv2.COLOR_BGR2YCrCb)[..., 1:]
    both = np.concatenate([luminance, chroma], axis=2)
    return cv2.cvtColor(both, cv2.COLOR_YCrCb2BGR)  # type: ignore[return-value]


def match_histogram(style: Image, content: Image) -> Image:
    """The style with the mean and covariance of the content's colors; section 3, "Image Analogies".

    x -> A (x - mean_style) + mean_content, with A = C_content^(1/2) C_style^(-1/2).
    """
    flat = style.reshape(-1, 3).astype(np.float64)
    other = content.reshape(-1, 3).astype(np.float64)
    change = _power(np.cov(other.T), 0.5) @ _power(np.cov(flat.T), -0.5)
    matched = (flat - flat.mean(axis=0)) @ change.T + other.mean(axis=0)
    return _to_uint8(matched.reshape(style.shape))


def _power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """A power of a symmetric matrix; directions without any spread are left without one."""
    values, vectors = np.linalg.eigh(matrix)
    powers = np.where(values > _LEAST_SPREAD**2, np.abs(values) + _LEAST_SPREAD**2, np.inf)
    scaled = np.where(
        np.isinf(powers), 0.0, np.power(np.where(np.isinf(powers), 1, powers), exponent)
    )
    result: NDArray[np.float64] = (vectors * scaled) @ vectors.T
    return result


def _to_uint8(values: NDArray[np.float64]) -> Image:
    image: Image = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return image
