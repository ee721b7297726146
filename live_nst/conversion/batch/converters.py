"""The videos of a folder, each as a conversion of its own."""

from live_nst.conversion.batch.folder import BatchItem
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ProgressReporter
from live_nst.conversion.video.convert import VideoTask, convert_video
from live_nst.files.output import write_errors
from live_nst.stylizer.core import StylizerCore


class VideoConverter:
    """Converts the videos of a folder; see `live_nst.conversion.batch.folder.ItemConverter`.

    Args:
        stylizer: Paints.
        options: How.
        settings: All that shapes what it makes, as a short text.
        listener: Is told what goes on.
    """

    def __init__(
        self,
        stylizer: StylizerCore,
        options: ConvertOptions,
        settings: str,
        listener: ProgressReporter,
    ) -> None:
        self.settings = settings
        self._stylizer = stylizer
        self._options = options
        self._listener = listener

    def __call__(self, item: BatchItem) -> bool:
        """Convert one, going on where an earlier run stopped."""
        if not self._options.restart:
            # What is there an earlier run made of another input, or in another way.
            with write_errors(item.target):
                item.target.unlink(missing_ok=True)
        task = VideoTask.open(item.source, item.target, self._options)
        convert_video(task, self._stylizer, self._listener)
        return True
