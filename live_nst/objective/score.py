"""How close a stylized picture or video is to its content and its style, by the objective."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from live_nst.errors import SourceError, UsageError
from live_nst.objective.image_pyramid import StyleTarget, resize_image, scale_to_long_side
from live_nst.objective.loss_functions import LossConfig, LossTerms
from live_nst.objective.paint_inputs import read_photo
from live_nst.objective.perceptual_loss import PerceptualLoss
from live_nst.objective.vgg import Vgg, preprocess
from live_nst.styles.image import read_style_image
from live_nst.styles.spec import parse_style
from live_nst.types import Image

DEFAULT_SCORE_SIZE = 256
DEFAULT_SCORE_FRAMES = 8
VIDEO_SUFFIXES = {
    ".avi", ".flv", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class StyleScore:
    """The mean losses of a picture, or of the frames of a video.

    Attributes:
        name: The file's.
        frames: How many pictures it is the mean of.
        content: Weighted sum over the content layers, without alpha.
        style: Weighted sum over the style layers, without beta.
        total: alpha content + beta style.
        relative: `total` divided by that of the unpainted content.
        content_layers: By layer, unweighted.
        style_layers: By layer, unweighted.
    """

    name: str
    frames: int
    content: float
    style: float
    total: float
    relative: float
    content_layers: dict[str, float]
    style_layers: dict[str, float]


class StyleScorer:
    """Measures pictures against one style.

    Args:
        vgg: The network.
        style: A name, a picture file or a mix.
        form: The loss; total variation is left out.
        size: Long side, in pixels, at which pictures are looked at.
        device: TensorFlow's name of the device.

    Raises:
        StyleError: The style cannot be read.
    """

    def __init__(
        self,
        vgg: Vgg,
        style: str,
        form: LossConfig,
        size: int = DEFAULT_SCORE_SIZE,
        device: str = "CPU:0",
    ) -> None:
        if not 32 <= size <= 4096:
            raise UsageError(f"A size of {size} is out of range.", "use 32 to 4096 pixels")
        self._vgg, self._form, self._size, self._device = vgg, form, size, device
        self._styles = [
            StyleTarget(_fit(read_style_image(part.picture), size), part.weight)
            for part in parse_style(style).parts
        ]

    def measure(self, content: Image, pictures: Sequence[Image]) -> list[LossTerms]:
        """The losses of the content itself, then of each picture.

        Args:
            content: BGR uint8 `[height, width, 3]`, of any size.
            pictures: Of the same scene, each of any size.
        """
        small = _fit(content, self._size)
        objective = PerceptualLoss(self._vgg, small, self._styles, self._form, device=self._device)
        size = small.shape[1], small.shape[0]
        return [
            objective.losses(preprocess(resize_image(each, size))) for each in (small, *pictures)
        ]


def score_files(
    ruler: StyleScorer, content: Path, painted: Sequence[Path], frames: int = DEFAULT_SCORE_FRAMES
) -> list[StyleScore]:
    """Measure files: the content first, unpainted, then each painted one.

    Args:
        ruler: Knows the style.
        content: A picture or a video.
        painted: Pictures if the content is one; videos of the same length if it is one.
        frames: How many frames of a video are measured, spread evenly.

    Raises:
        SourceError: A file cannot be read, or a video has not the content's length.
        UsageError: A picture is to be compared with a video.
    """
    if frames < 1:
        raise UsageError(f"{frames} frames cannot be measured.", "use --frames 1 or more")
    video = is_video(content)
    for path in painted:
        if is_video(path) != video:
            kinds = ("video", "picture") if video else ("picture", "video")
            raise UsageError(
                f"{content} is a {kinds[0]} and {path} a {kinds[1]}.",
                "compare pictures with a picture, and videos with the video they were made from",
            )
    if not video:
        losses = ruler.measure(read_photo(content), [read_photo(path) for path in painted])
        found = [[each] for each in losses]
    else:
        found = [[] for _ in range(1 + len(painted))]
        for pictures in _together([content, *painted], frames):
            for kept, each in zip(found, ruler.measure(pictures[0], pictures[1:]), strict=True):
                kept.append(each)
    own = _mean([each.total for each in found[0]])
    names = [str(content), *(str(path) for path in painted)]
    return [_summary(name, losses, own) for name, losses in zip(names, found, strict=True)]


def is_video(path: Path) -> bool:
    """Whether a file's name is that of a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def _together(paths: Sequence[Path], wanted: int) -> Iterator[list[Image]]:
    """Frames of the same index in all videos, `wanted` of them, spread evenly."""
    lengths = [sum(1 for _ in _frames(path, decode=False)) for path in paths]
    for path, length in zip(paths, lengths, strict=True):
        if length != lengths[0]:
            raise SourceError(
                f"{path} has {length} frames, {paths[0]} has {lengths[0]}.",
                "compare videos that were made from that one, frame by frame",
            )
    places = set(np.linspace(0, lengths[0] - 1, min(wanted, lengths[0])).round().astype(int))
    streams = zip(*(_frames(path) for path in paths), strict=True)
    for index, pictures in enumerate(streams):
        if index in places:
            yield [picture.to_ndarray(format="bgr24") for picture in pictures]


def _frames(path: Path, decode: bool = True) -> Iterator[Any]:
    """The pictures of a video in order; only counted, if not to be decoded."""
    import av

    from live_nst.runtime.pyav import open_for_reading

    try:
        with open_for_reading(str(path)) as container:
            if not container.streams.video:
                raise SourceError(f"{path} holds no video.", "choose a file with pictures")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            if decode:
                yield from container.decode(stream)
            else:
                yield from (packet for packet in container.demux(stream) if packet.size)
    except (OSError, av.FFmpegError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise SourceError(f"{path} cannot be read: {reason}.", "choose another video") from exc


def _fit(image: Image, size: int) -> Image:
    """A picture with that long side; never enlarged."""
    own = image.shape[1], image.shape[0]
    return resize_image(image, scale_to_long_side(own, min(size, max(own))))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _summary(name: str, losses: Sequence[LossTerms], own: float) -> StyleScore:
    total = _mean([each.total for each in losses])
    return StyleScore(
        name=name,
        frames=len(losses),
        content=_mean([each.content_total for each in losses]),
        style=_mean([each.style_total for each in losses]),
        total=total,
        relative=total / own if own else float("nan"),
        content_layers={k: _mean([each.content[k] for each in losses]) for k in losses[0].content},
        style_layers={k: _mean([each.style[k] for each in losses]) for k in losses[0].style},
    )
