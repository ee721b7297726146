"""Keep the colors of the content: stylize its luminance only, or recolor the style first.

Source: Gatys et al., "Preserving Color in Neural Artistic Style Transfer" (2016), sections 3 and 4.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from live_nst.types import Image

COLOR_MODES = ("style", "luminance", "histogram")
"""The colors of the result: those of the style, or those of the content in one of two ways."""

_MIN_DEVIATION = 1e-3  # of an image of a single color, in uint8 values


def to_luminance(image: Image) -> Image:
    """Return the luminance (Rec. 601) of an image in all three channels, BGR uint8."""
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)  # type: ignore[return-value]


def match_luminance(style: Image, content: Image) -> Image:
    """Return the style with the mean and the deviation of the content's luminance; equation 10.

    Args:
        style: Gray BGR uint8.
        content: Gray BGR uint8.

    Returns:
        Gray BGR uint8 in the style's shape.
    """
    values = style.astype(np.float64)
    scale = content.std() / max(_MIN_DEVIATION, values.std())
    return _to_uint8((values - values.mean()) * scale + content.mean())


def transfer_chroma(image: Image, content: Image) -> Image:
    """Return the luminance of `image` with the chroma of `content`, of the same size; section 4."""
    luminance = cv2.cvtColor(image, cv2.COLOR_BGR2YCrCb)[..., :1]
    chroma = cv2.cvtColor(content, cv2.COLOR_BGR2YCrCb)[..., 1:]
    both = np.concatenate([luminance, chroma], axis=2)
    return cv2.cvtColor(both, cv2.COLOR_YCrCb2BGR)  # type: ignore[return-value]


def match_histogram(style: Image, content: Image) -> Image:
    """Return the style with the mean and the covariance of the content's colors; section 3.

    x -> A (x - mean_style) + mean_content, with A = C_content^(1/2) C_style^(-1/2), which the
    paper calls "Image Analogies".
    """
    flat = style.reshape(-1, 3).astype(np.float64)
    other = content.reshape(-1, 3).astype(np.float64)
    change = _matrix_power(np.cov(other.T), 0.5) @ _matrix_power(np.cov(flat.T), -0.5)
    matched = (flat - flat.mean(axis=0)) @ change.T + other.mean(axis=0)
    return _to_uint8(matched.reshape(style.shape))


def _matrix_power(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """Return a power of a symmetric matrix; eigenvalues that are nearly 0 become 0."""
    values, vectors = np.linalg.eigh(matrix)
    least = _MIN_DEVIATION**2
    positive = values > least
    powers = np.where(positive, np.power(np.where(positive, values + least, 1.0), exponent), 0.0)
    result: NDArray[np.float64] = (vectors * powers) @ vectors.T
    return result


def _to_uint8(values: NDArray[np.float64]) -> Image:
    image: Image = np.rint(np.clip(values, 0, 255)).astype(np.uint8)
    return image
