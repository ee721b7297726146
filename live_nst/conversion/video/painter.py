"""The seam behind which the chunks of a video are painted elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from live_nst.conversion.progress import ProgressMeter, ProgressReporter
from live_nst.conversion.video.encoding import EncoderSettings
from live_nst.conversion.video.segments import SegmentStore
from live_nst.conversion.video.task import VideoTask
from live_nst.stylizer.core import StylizerCore


@dataclass(frozen=True)
class PaintingJob:
    """A video whose chunks are to be painted elsewhere, and where they belong.

    Attributes:
        task: The video.
        stylizer: The stylizer, with the styles and looks of the task.
        settings: The settings of the encoder.
        store: Where finished chunks are stored, as segments.
        reporter: Is told the progress; its `check` is called from time to time.
        meter: Computes the progress.
    """

    task: VideoTask
    stylizer: StylizerCore
    settings: EncoderSettings
    store: SegmentStore
    reporter: ProgressReporter
    meter: ProgressMeter


class CannotSpread(Exception):
    """A video that cannot be painted in chunks elsewhere; its argument is a sentence for users."""


class ChunkPainter(Protocol):
    """Paints the chunks of videos elsewhere. All calls come from the thread that converts."""

    def settings(
        self, task: VideoTask, stylizer: StylizerCore, stored: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Return the settings that determine the output and are not those of `stylizer`.

        It may wait until it is known where the video will be painted.

        Args:
            task: The video.
            stylizer: The stylizer, with the styles and looks of the task.
            stored: The settings of an earlier run, which can be continued with the same ones.

        Raises:
            LiveNstError: There is no place to paint it.
        """
        ...

    def paint(self, job: PaintingJob) -> str:
        """Store all chunks that are missing, in any order.

        Returns:
            What is wrong with the input; empty if nothing is.

        Raises:
            CannotSpread: The chunks that are missing must be painted here.
            LiveNstError: The conversion failed; what is stored is complete.
        """
        ...
