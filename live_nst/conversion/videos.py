"""The videos of a folder, each as a conversion of its own."""

from live_nst.conversion.convert import VideoTask, convert_video
from live_nst.conversion.disk import writing
from live_nst.conversion.folders import Item
from live_nst.conversion.listener import Listener
from live_nst.conversion.options import ConvertOptions
from live_nst.stylizer import Stylizer


class VideoConverter:
    """Converts the videos of a folder; see `live_nst.conversion.folders.Converter`.

    Args:
        stylizer: Paints.
        options: How.
        settings: All that shapes what it makes, as a short text.
        listener: Is told what goes on.
    """

    def __init__(
        self, stylizer: Stylizer, options: ConvertOptions, settings: str, listener: Listener
    ) -> None:
        self.settings = settings
        self._stylizer = stylizer
        self._options = options
        self._listener = listener

    def __call__(self, item: Item) -> bool:
        """Convert one, going on where an earlier run stopped."""
        if not self._options.restart:
            # What is there an earlier run made of another input, or in another way.
            with writing(item.target):
                item.target.unlink(missing_ok=True)
        task = VideoTask.open(item.source, item.target, self._options)
        convert_video(task, self._stylizer, self._listener)
        return True
