"""The converters of the images and of the videos in a folder."""

from importlib.metadata import version

from live_nst.conversion.batch.discovery import BatchItem
from live_nst.conversion.batch.manifest import settings_fingerprint
from live_nst.conversion.images.convert import convert_image_file
from live_nst.conversion.images.reading import is_animated
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ProgressReporter
from live_nst.conversion.video.convert import convert_video
from live_nst.conversion.video.painter import ChunkPainter
from live_nst.conversion.video.segments import output_errors
from live_nst.conversion.video.task import VideoTask
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Notify


class ImageConverter:
    """Converts the images of a folder; see `live_nst.conversion.batch.folder.ItemConverter`.

    Args:
        stylizer: The stylizer.
        settings: The fingerprint of everything that determines the outputs.
        notify: Called with sentences about what was lost.
        size: Longer side of the image that the network sees, in pixels; None for each image's own.
    """

    def __init__(
        self, stylizer: StylizerCore, settings: str, notify: Notify, size: int | None = None
    ) -> None:
        self.settings = settings
        self._stylizer = stylizer
        self._notify = notify
        self._size = size

    def __call__(self, item: BatchItem) -> bool:
        """Convert an image; return False if it is animated."""
        if is_animated(item.source, item.name):
            return False
        convert_image_file(item.source, item.target, self._stylizer, self._notify, size=self._size)
        return True


class VideoConverter:
    """Converts the videos of a folder; see `live_nst.conversion.batch.folder.ItemConverter`.

    Args:
        stylizer: The stylizer.
        options: How videos are converted.
        settings: The fingerprint of everything that determines the outputs.
        reporter: Receives the progress of each video.
        painter: Paints the chunks of each video elsewhere; None to paint here.
    """

    def __init__(
        self,
        stylizer: StylizerCore,
        options: ConvertOptions,
        settings: str,
        reporter: ProgressReporter,
        painter: ChunkPainter | None = None,
    ) -> None:
        self.settings = settings
        self._painter = painter
        self._stylizer = stylizer
        self._options = options
        self._reporter = reporter

    def __call__(self, item: BatchItem) -> bool:
        """Convert a video; continue where an earlier run stopped."""
        if not self._options.restart:
            # An earlier run made this file from another input, or with other settings.
            with output_errors(item.target):
                item.target.unlink(missing_ok=True)
        task = VideoTask.open(item.source, item.target, self._options)
        convert_video(task, self._stylizer, self._reporter, self._painter)
        return True


def image_settings(stylizer: StylizerCore, options: ConvertOptions, size: int | None) -> str:
    """Return the fingerprint of everything that determines the stylized images of a folder.

    Args:
        stylizer: The stylizer.
        options: How files are converted.
        size: See `ImageConverter`.
    """
    settings: dict[str, object] = {**stylizer.settings([options.changes[0].style])}
    settings |= {"program": version("live-nst"), "size": "full" if size is None else size}
    settings.pop("stabilizer")  # it does not concern still images
    return settings_fingerprint(settings)


def video_settings(stylizer: StylizerCore, options: ConvertOptions) -> str:
    """Return the fingerprint of everything that determines the stylized videos of a folder."""
    encoder = {"codec": options.codec, "crf": options.crf, "preset": options.preset}
    if options.audio != "copy":
        encoder["audio"] = options.audio
    styles = stylizer.settings([change.style for change in options.changes])
    program = {"program": version("live-nst")}
    return settings_fingerprint({**styles, **options.as_dict(), **encoder, **program})
