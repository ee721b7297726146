"""Measure how close a stylized image or video is to its content and its style."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from live_nst.errors import SourceError, UsageError
from live_nst.files.formats import PLAYABLE_SUFFIXES
from live_nst.objective.image_pyramid import (
    StyleTarget,
    image_size,
    limit_long_side,
    resize_image,
)
from live_nst.objective.loss_functions import LossConfig, LossTerms, make_loss_config
from live_nst.objective.paint_inputs import read_content
from live_nst.objective.perceptual_loss import PerceptualLoss
from live_nst.objective.vgg import Vgg, preprocess
from live_nst.objective.vgg_weights import load_vgg
from live_nst.runtime.pyav import open_for_reading
from live_nst.runtime.tensorflow import pick_device
from live_nst.styles.image import read_style_image
from live_nst.styles.spec import parse_style
from live_nst.types import Image, Notify

DEFAULT_SCORE_SIZE = 256
DEFAULT_SCORE_FRAMES = 8
_MIN_SIZE, _MAX_SIZE = 32, 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreOptions:
    """What to measure.

    Attributes:
        content: The original image or video.
        style: A name, an image file or a mix.
        stylized: The stylized images or videos.
        loss: A name of `LOSS_CONFIGS`.
        network: "vgg16" or "vgg19"; None for that of the loss.
        vgg_file: A copy of Keras' file of weights; None for the one in the cache.
        size: Long side at which images are compared, in pixels.
        frames: The number of frames of a video that are measured.
        device: "auto", "cpu" or "gpu".
    """

    content: Path
    style: str
    stylized: tuple[Path, ...]
    loss: str = "gatys"
    network: str | None = None
    vgg_file: Path | None = None
    size: int = DEFAULT_SCORE_SIZE
    frames: int = DEFAULT_SCORE_FRAMES
    device: str = "auto"


@dataclass(frozen=True, slots=True)
class StyleScore:
    """The mean losses of an image, or of the frames of a video.

    Attributes:
        name: The path of the file.
        frames: The number of images.
        content: Weighted sum over the content layers, without alpha.
        style: Weighted sum over the style layers, without beta.
        total: alpha content + beta style.
        relative: `total` divided by that of the content itself.
        content_layers: By layer, without weights.
        style_layers: By layer, without weights.
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
    """Computes the loss of images for one style.

    Args:
        vgg: The network that `config` names.
        style: A name, an image file or a mix.
        config: The loss.
        size: Long side at which images are compared, in pixels.
        device: TensorFlow's name of the device.

    Raises:
        StyleError: The style cannot be read.
        UsageError: The size is out of range.
    """

    def __init__(
        self,
        vgg: Vgg,
        style: str,
        config: LossConfig,
        size: int = DEFAULT_SCORE_SIZE,
        device: str = "CPU:0",
    ) -> None:
        if not _MIN_SIZE <= size <= _MAX_SIZE:
            raise UsageError(f"Invalid size {size}", f"use {_MIN_SIZE} to {_MAX_SIZE} pixels")
        self._vgg, self._config, self._size, self._device = vgg, config, size, device
        self._styles = [
            StyleTarget(limit_long_side(read_style_image(part.path), size), part.weight)
            for part in parse_style(style).parts
        ]

    def measure(self, content: Image, images: Sequence[Image]) -> list[LossTerms]:
        """Return the losses of the content itself, then those of the images.

        Args:
            content: BGR uint8 `[height, width, 3]`.
            images: Versions of the content, of any size.
        """
        small = limit_long_side(content, self._size)
        loss = PerceptualLoss(self._vgg, small, self._styles, self._config, device=self._device)
        size = image_size(small)
        return [loss.terms(preprocess(resize_image(image, size))) for image in (small, *images)]


def score_files(
    options: ScoreOptions, notify: Notify = lambda sentence: None
) -> tuple[str, list[StyleScore]]:
    """Return the name of the network, and the scores of the content and the stylized files.

    Args:
        options: The files, the style and the loss.
        notify: Called before the weights are downloaded.

    Raises:
        LiveNstError: A file, the weights or an option cannot be used.
    """
    config = make_loss_config(options.loss, options.network)
    device = pick_device(options.device)
    vgg = load_vgg(config.network, options.vgg_file, notify=notify)
    scorer = StyleScorer(vgg, options.style, config, options.size, device)
    scores = compare_files(scorer, options.content, options.stylized, options.frames)
    return config.network, scores


def compare_files(
    scorer: StyleScorer,
    content: Path,
    stylized: Sequence[Path],
    frames: int = DEFAULT_SCORE_FRAMES,
) -> list[StyleScore]:
    """Return the score of the content itself, then those of the stylized files.

    Args:
        scorer: Has the style.
        content: An image or a video.
        stylized: Images if the content is one, else videos of the content's length.
        frames: The number of frames of a video that are measured, spread evenly.

    Raises:
        SourceError: A file cannot be read, or a video has another length than the content.
        UsageError: An image cannot be compared with a video; there are no frames.
    """
    if frames < 1:
        raise UsageError(f"Invalid number of frames {frames}", "use --frames 1 or more")
    is_video = _is_video(content)
    for path in stylized:
        if _is_video(path) != is_video:
            kinds = ("a video", "an image") if is_video else ("an image", "a video")
            raise UsageError(
                f"{content} is {kinds[0]} and {path} is {kinds[1]}",
                "compare images with an image, and videos with the video they were made from",
            )
    groups: Iterator[list[Image]]
    if is_video:
        groups = _read_frames_together([content, *stylized], frames)
    else:
        groups = iter([[read_content(path) for path in (content, *stylized)]])
    measured = [scorer.measure(images[0], images[1:]) for images in groups]
    losses_by_file = list(zip(*measured, strict=True))
    own = _mean([losses.total for losses in losses_by_file[0]])
    return [
        _make_score(str(path), losses, own)
        for path, losses in zip([content, *stylized], losses_by_file, strict=True)
    ]


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in PLAYABLE_SUFFIXES


def _read_frames_together(paths: Sequence[Path], count: int) -> Iterator[list[Image]]:
    """Yield `count` times the frames of all videos at the same index, spread evenly."""
    lengths = [sum(1 for _ in _read_video(path, decode=False)) for path in paths]
    for path, length in zip(paths, lengths, strict=True):
        if length != lengths[0]:
            raise SourceError(
                f"{path} has {length} frames, but {paths[0]} has {lengths[0]}",
                "compare videos that were made from that one, frame by frame",
            )
    chosen = set(np.linspace(0, lengths[0] - 1, min(count, lengths[0])).round().astype(int))
    for index, frames in enumerate(zip(*(_read_video(path) for path in paths), strict=True)):
        if index in chosen:
            yield [frame.to_ndarray(format="bgr24") for frame in frames]


def _read_video(path: Path, decode: bool = True) -> Iterator[Any]:
    """Yield the frames of a video in order, or its packets."""
    try:
        with open_for_reading(path) as container:
            if not container.streams.video:
                raise SourceError(f"{path} contains no video", "use a file with a video stream")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            if decode:
                yield from container.decode(stream)
            else:
                yield from (packet for packet in container.demux(stream) if packet.size)
    except (OSError, av.FFmpegError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise SourceError(f"{path} cannot be read: {reason}", "use another video") from exc


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _make_score(name: str, losses: Sequence[LossTerms], own: float) -> StyleScore:
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
