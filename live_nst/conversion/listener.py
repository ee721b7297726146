"""Who is told how a conversion goes, and may stop it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from live_nst.conversion.progress import Plan, Progress
from live_nst.errors import ConversionCancelled
from live_nst.timing import Clock, SystemClock


class Event(Protocol):
    """What tells a conversion to stop, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


@dataclass(frozen=True)
class Listener:
    """Who is told what goes on; every call comes from the thread that converts.

    Attributes:
        say: One sentence worth knowing.
        plan: What is about to be done.
        progress: How far it is, about ten times a second.
        cancel: Set to stop: what is finished is kept.
        clock: Tells the time.
    """

    say: Callable[[str], None] = lambda sentence: None
    plan: Callable[[Plan], None] = lambda plan: None
    progress: Callable[[Progress], None] = lambda progress: None
    cancel: Event | None = None
    clock: Clock = field(default_factory=SystemClock)

    def check(self) -> None:
        """Raise if it was told to stop.

        Raises:
            ConversionCancelled: It was.
        """
        if self.cancel is not None and self.cancel.is_set():
            raise ConversionCancelled(
                "Stopped", "run the same command again: it goes on where it stopped"
            )
