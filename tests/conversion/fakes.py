"""A stylizer that costs nothing and whose result is known."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from live_nst.engines.base import StylizedFrame
from live_nst.stylizer.look import Look
from live_nst.types import Image


class Negative:
    """Stands for a `Stylizer`: paints the negative, and counts what it is given.

    With `leans`, each frame also depends on the one before, as it does with a stabilizer.
    """

    model_name = "negative"
    engine = "numpy"
    device = "cpu"
    size = 64
    styles = ("negative",)
    look = Look()

    def __init__(
        self, look_on: Callable[[int], None] = lambda count: None, leans: bool = False
    ) -> None:
        self._leans = leans
        self.seen: list[float] = []
        self.finished: list[float] = []
        self._before: Image | None = None
        self.changes: list[tuple[Any, float]] = []
        self._look_on = look_on
        self._lock = threading.Lock()

    def select(
        self, style: Any, *, stroke: float | None = None, fade: float = 0.0, time: float = 0.0
    ) -> None:
        self.changes.append((style, time))

    def change(self, look: Look, *, fade: float = 0.0, time: float = 0.0) -> None:
        self.changes.append((look, time))

    def settings(self, styles: Sequence[Any]) -> dict[str, str]:
        return {"model": "negative", "styles": repr(list(styles))}

    def prepare(self, camera: tuple[int, int], size: int) -> None:
        pass

    def network(self, image: Image, time: float = 0.0) -> StylizedFrame:
        with self._lock:
            self.seen.append(time)
            count = len(self.seen)
        self._look_on(count)
        small = np.ascontiguousarray(image[::4, ::4])
        return StylizedFrame(small, 255 - small)

    def finish(self, image: Image, painted: StylizedFrame, time: float = 0.0) -> Image:
        self.finished.append(time)
        if not self._leans:
            return 255 - image
        self._before = 255 - image if self._before is None else self._before // 2 + image // 3
        return self._before

    def state_arrays(self) -> dict[str, np.ndarray]:
        return {} if self._before is None else {"before": self._before}

    def restore_state(self, memory: Mapping[str, np.ndarray]) -> None:
        self._before = memory.get("before")
