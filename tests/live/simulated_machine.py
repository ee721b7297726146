"""A simulated machine that stylizes a simulated source, in simulated time and without threads."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from live_nst.live.adaptive_size import AdaptiveSize
from live_nst.live.size_controller import SIZE_STEPS
from live_nst.stylizer.sizes import network_size


def pixels_of(size: int, camera: tuple[int, int] = (1280, 720)) -> int:
    width, height = network_size(camera, size)
    return width * height


@dataclass(frozen=True)
class SimulatedFrame:
    """One frame: when it was done, at which size, and how long it took."""

    time: float
    size: int
    cost: float


class SimulatedMachine:
    """Stylizes as the live worker does: the newest frame, one after the other.

    Args:
        fps: What the user wants.
        source_fps: What the source gives.
        at_384: Seconds for a frame at 384x216 while nothing else runs.
        fixed: Share of that which every frame costs, whatever its size.
        load: By how much everything is slowed at a time in seconds.
        noise: Standard deviation of the logarithm of a frame's cost.
        spikes: Every so many frames one takes three times as long; 0 for none.
        compile_seconds: What preparing a size takes; frames are slowed by half meanwhile.
        unusable: Sizes at which the network cannot run.
    """

    def __init__(
        self,
        *,
        fps: float = 30.0,
        source_fps: float = 30.0,
        at_384: float = 0.012,
        fixed: float = 0.1,
        load: Callable[[float], float] = lambda time: 1.0,
        noise: float = 0.05,
        spikes: int = 0,
        compile_seconds: float = 0.4,
        start: int = 384,
        seed: int = 1,
    ) -> None:
        self.fps, self.source_fps = fps, source_fps
        self._at_384, self._fixed, self._load = at_384, fixed, load
        self._noise, self._spikes = noise, spikes
        self._compile_seconds = compile_seconds
        self._rng = np.random.default_rng(seed)
        self.adaptive = AdaptiveSize(fps, SIZE_STEPS, start, pixels_of)
        self.time = 0.0
        self.ready = {start}
        self.prepared: list[int] = []
        self._preparing: tuple[int, float] | None = None
        self.frames: list[SimulatedFrame] = []

    def cost(self, size: int, time: float = 0.0) -> float:
        """Seconds for a frame, without chance."""
        share = self._fixed + (1 - self._fixed) * pixels_of(size) / pixels_of(384)
        return self._at_384 * share * self._load(time)

    def best(self, time: float, share: float) -> int:
        """The largest size whose frames take at most `share` of the time there is."""
        there_is = share / min(self.fps, self.source_fps)
        fitting = [size for size in SIZE_STEPS if self.cost(size, time) <= there_is]
        return max(fitting, default=SIZE_STEPS[0])

    def run(self, seconds: float) -> "SimulatedMachine":
        """Let time pass."""
        end = self.time + seconds
        while self.time < end:
            self._stylize()
        return self

    def _stylize(self) -> None:
        # The newest frame that was not stylized yet; if there is none, the next one.
        newest = int(self.time * self.source_fps)
        index = max(newest, self._index + 1) if self.frames else newest
        captured = index / self.source_fps
        started = max(self.time, captured)
        self._index = index
        cost = self.cost(self.adaptive.size, started) * self._chance()
        if self._preparing is not None:
            cost *= 1.5
        size = self.adaptive.size
        self.time = started + cost
        preparing = self._preparing is not None
        self.adaptive.add(
            index, captured, started, self.time, pixels=pixels_of(size), preparing=preparing
        )
        self.frames.append(SimulatedFrame(self.time, size, cost))
        if self._preparing is not None and self.time >= self._preparing[1]:
            self.ready.add(self._preparing[0])
            self._preparing = None
        choice = self.adaptive.choose(self.ready.__contains__)
        assert choice.size in self.ready, "it switched to a size that was not ready"
        if choice.prepare and self._preparing is None:
            assert choice.prepare[0] not in self.ready, "it is ready already"
            self.prepared.append(choice.prepare[0])
            slowed = self._compile_seconds * self._load(self.time)
            self._preparing = (choice.prepare[0], self.time + slowed)

    def _chance(self) -> float:
        spike = 3.0 if self._spikes and len(self.frames) % self._spikes == 0 else 1.0
        return spike * float(np.exp(self._rng.normal(0.0, self._noise)))

    # What came of it.

    def rate(self, since: float, until: float) -> float:
        """Painted frames per second."""
        return len([p for p in self.frames if since <= p.time < until]) / (until - since)

    def changes(self, since: float = 0.0, until: float = np.inf) -> list[tuple[float, int]]:
        """(time, new size) of every change of size."""
        pairs = zip(self.frames, self.frames[1:], strict=False)
        return [
            (after.time, after.size)
            for before, after in pairs
            if before.size != after.size and since <= after.time < until
        ]

    def sizes(self, since: float, until: float) -> set[int]:
        return {p.size for p in self.frames if since <= p.time < until}


def steps(*changes: tuple[float, float]) -> Callable[[float], float]:
    """A load that changes at times: (from this second, by this factor)."""

    def load(time: float) -> float:
        return [factor for since, factor in ((0.0, 1.0), *changes) if since <= time][-1]

    return load


def loads(changes: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Durations and factors as `steps` takes them."""
    time, result = 0.0, []
    for seconds, factor in changes:
        result.append((time, factor))
        time += seconds
    return result
