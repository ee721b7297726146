"""What a worker must know to paint, as values: it needs none of the head's files."""

import hashlib
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from live_nst.conversion.cluster.chunks import decoder_setup
from live_nst.conversion.cluster.packets import DecoderSetup
from live_nst.conversion.options import WARM_UP_FRAMES, ConvertOptions
from live_nst.conversion.timetable import LookChange, StyleChange
from live_nst.conversion.video.encoding import EncoderSettings
from live_nst.conversion.video.probe import VideoInfo
from live_nst.conversion.video.task import VideoTask
from live_nst.errors import SourceError
from live_nst.styles.registry import ComputedStyle
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions

_MASK = "mask:"  # begins the name of a mask in a look, instead of its path


@dataclass(frozen=True)
class StylizerSetup:
    """A stylizer with its styles and looks.

    Attributes:
        options: The options; model and size are those that the head uses, not "auto" or None.
        changes: The styles and looks over time; of the other options only `fade` counts.
        masks: The files of mask images, by their names in the looks.
        model: The fingerprint of the model.
        key: Differs from that of any other setup.
    """

    options: StylizerOptions
    changes: ConvertOptions
    masks: Mapping[str, bytes]
    model: str
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def of(
        cls, options: StylizerOptions, changes: ConvertOptions, stylizer: StylizerCore
    ) -> "StylizerSetup":
        """Return the setup of a stylizer that runs here.

        Args:
            options: The options that it was made with.
            changes: Its styles and looks over time.
            stylizer: The stylizer.

        Raises:
            SourceError: A mask image cannot be read any more.
        """
        styles = _computed(changes, stylizer)
        looks = [change.look for change in changes.looks] or [options.look]
        files = {look.only: look.mask_file for look in looks if look.mask_file is not None}
        names = {only: f"{_MASK}{n}{path.suffix}" for n, (only, path) in enumerate(files.items())}
        masks = {names[only]: _read(path) for only, path in files.items()}
        sent_looks = tuple(
            LookChange(_renamed(look, names), time)
            for look, time in zip(looks, [c.time for c in changes.looks] or [0.0], strict=True)
        )
        return cls(
            options=replace(
                options,
                model=stylizer.model_name,
                size=stylizer.size,
                styles=(styles[0].style,),
                stroke=styles[0].stroke or 1.0,
                look=sent_looks[0].look,
                concurrency=1,
            ),
            changes=ConvertOptions(changes=styles, looks=sent_looks, fade=changes.fade),
            masks=masks,
            model=stylizer.settings([])["model"],
        )

    def unpacked(self, folder: Path) -> "StylizerSetup":
        """Return the same setup with its masks as files in a folder.

        Raises:
            OSError: They cannot be written.
        """
        paths = {}
        for name, content in self.masks.items():
            path = folder / f"{self.key}-{name.removeprefix(_MASK)}"
            path.write_bytes(content)
            paths[name] = str(path)
        looks = tuple(replace(c, look=_renamed(c.look, paths)) for c in self.changes.looks)
        return replace(
            self,
            options=replace(self.options, look=looks[0].look),
            changes=replace(self.changes, looks=looks),
        )


@dataclass(frozen=True)
class FilmJob:
    """A film of which a worker paints chunks.

    Attributes:
        stylizer: How it is painted.
        info: The film.
        decoder: Its decoder.
        settings: The settings of the encoder.
        warm_up: How many frames the stylizer sees before each chunk.
    """

    stylizer: StylizerSetup
    info: VideoInfo
    decoder: DecoderSetup
    settings: EncoderSettings
    warm_up: int = WARM_UP_FRAMES

    @classmethod
    def of(cls, task: VideoTask, options: StylizerOptions, stylizer: StylizerCore) -> "FilmJob":
        """Return the job of a task; see `StylizerSetup.of`.

        Raises:
            LiveNstError: The film, or a mask image, cannot be read any more.
        """
        return cls(
            stylizer=StylizerSetup.of(options, task.options, stylizer),
            info=replace(task.info, path=Path(task.input.name), clock=None, notes=()),
            decoder=decoder_setup(task.info),
            settings=task.encoder_settings(1),
        )


@dataclass(frozen=True)
class PictureJob:
    """Pictures that workers paint.

    Attributes:
        stylizer: How they are painted.
        size: Longer side of the image that the network sees, in pixels; None for each image's own.
    """

    stylizer: StylizerSetup
    size: int | None


def mask_folder() -> "tempfile.TemporaryDirectory[str]":
    """Return a new folder for masks, which is removed with this object."""
    return tempfile.TemporaryDirectory(prefix="live-nst-worker-", ignore_cleanup_errors=True)


def _computed(options: ConvertOptions, stylizer: StylizerCore) -> tuple[StyleChange, ...]:
    """Return the changes of style with bottlenecks in the place of files."""
    changes: list[StyleChange] = []
    stroke = stylizer.stroke
    for change in options.changes:
        stroke = stroke if change.stroke is None else change.stroke
        bottleneck = stylizer.bottleneck(change.style, stroke=stroke)
        label = hashlib.sha256(bottleneck.tobytes() + repr(stroke).encode()).hexdigest()
        style = ComputedStyle(label, {stroke: bottleneck})
        changes.append(StyleChange(style, change.time, stroke))
    return tuple(changes)


def _renamed(look: Look, names: Mapping[str, str]) -> Look:
    return replace(look, only=names.get(look.only, look.only))


def _read(path: Path) -> bytes:
    try:
        return path.expanduser().read_bytes()
    except OSError as exc:
        raise SourceError(f"The mask picture {path} cannot be read any more") from exc
