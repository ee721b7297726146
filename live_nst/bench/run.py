"""`live-nst bench`: measure what this machine can do, within a minute."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import mean, median
from typing import Protocol

import numpy as np

from live_nst.bench.flops import MatmulShape, frame_flops, matmul_name, peak_flops
from live_nst.bench.measurement import (
    MAX_BACKGROUND_LOAD,
    BackgroundLoadMeter,
    LoadMeter,
    MeasurementRounds,
    PreciseClock,
    block_seconds,
    time_calls,
)
from live_nst.bench.report import BenchReport, BenchResult, EngineSetup, recommend
from live_nst.errors import DeviceError, LiveNstError, UsageError
from live_nst.runtime.machine import describe_machine
from live_nst.runtime.timing import Clock
from live_nst.types import Image, Size

SIZES = (256, 384, 512, 640, 960, 1280)
QUICK_SIZES = (256, 384, 640)
PEAK_SHAPES: tuple[MatmulShape, ...] = ((256, 512, 512), (512, 512, 512), (512, 1024, 512))
MIN_USEFUL_FPS = 5.0
"""Frames per second below which a larger size is not worth the time it takes to measure."""

_SECONDS = {False: 55.0, True: 11.0}  # by `quick`; to start and end the program takes some more
_ROUNDS = {False: 4, True: 2}
_READY = 0.4  # of the progress, when all is ready
_LONGEST_BLOCK, _SHORTEST_BLOCK, _PEAK_BLOCK = 0.6, 0.08, 0.05  # seconds
_PEAK_START = 0.025  # seconds before a block of products

Times = dict[str, list[float]]


class TimedStylizer(Protocol):
    """Paints frames in one way; `live_nst.Stylizer` does."""

    def __call__(self, image: Image) -> Image: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102


class BenchSetups(Protocol):
    """What there is to measure on a machine."""

    model: str
    device: str
    default: EngineSetup

    @property
    def setups(self) -> Sequence[EngineSetup]:
        """Every engine and precision that runs here."""
        ...

    def network(self, camera: Size, size: int) -> Size:
        """What the network sees of a camera frame at a long side."""
        ...

    def painter(self, setup: EngineSetup, camera: Size, size: int) -> TimedStylizer:
        """One that is ready to paint frames of `camera` pixels."""
        ...

    def products(
        self, precision: str, shapes: Sequence[MatmulShape]
    ) -> dict[str, Callable[[], object]]:
        """Matrix products on the device, by `product_name`; empty if they cannot be had."""
        ...


@dataclass(frozen=True)
class BenchOptions:
    """What `live-nst bench` is asked.

    Attributes:
        camera: (width, height) of the camera's frames.
        fps: The wanted rate, for which a way to paint is recommended.
        quick: Measure only what live-nst would pick by itself, at fewer sizes.
        extra: Arguments that the recommended command needs, too.
    """

    camera: Size = (1280, 720)
    fps: float = 30.0
    quick: bool = False
    extra: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            UsageError: A number is out of range.
        """
        if not all(64 <= side <= 8192 for side in self.camera):
            width, height = self.camera
            raise UsageError(
                f"A camera of {width}x{height} pixels cannot be meant.",
                "use 64 to 8192 pixels each way, such as 1280x720",
            )
        if not 1 <= self.fps <= 240:
            raise UsageError(
                f"A rate of {self.fps:g} frames per second cannot be meant.",
                "use 1 to 240, such as 30",
            )


def run_bench(
    options: BenchOptions,
    workshop: BenchSetups,
    *,
    notify: Callable[[str], None] = lambda sentence: None,
    progress: Callable[[float, str], None] = lambda done, what: None,
    clock: Clock | None = None,
    meter: Callable[[], LoadMeter] = BackgroundLoadMeter,
) -> BenchReport:
    """Measure every way to paint on this machine, in rounds, within about a minute.

    Interrupted from the keyboard it reports what was measured until then, if that is a round.

    Args:
        options: What to measure.
        workshop: What there is to measure.
        notify: Called with one sentence at a time.
        progress: Called with how much is done, 0..1, and what is done now.
        clock: Time.
        meter: Begins to measure what other programs take.

    Raises:
        LiveNstError: Nothing of it can be run.
        KeyboardInterrupt: Before a round was played.
    """
    options.check()
    with ExitStack() as stack:
        run = _BenchRun(options, workshop, notify, progress, clock or PreciseClock(), stack)
        run.get_ready()
        rounds = run.play(meter)
        return _report(options, workshop, run.ways, rounds, run.interrupted)


@dataclass(frozen=True)
class _Candidate:
    """One way to paint, ready."""

    setup: EngineSetup
    size: int
    network: Size
    painter: TimedStylizer
    seconds: float  # for a frame, about

    @property
    def name(self) -> str:
        return f"{self.setup} {self.size}"


class _BenchRun:
    """One run: first everything is made ready, then rounds are played until time is up."""

    def __init__(
        self,
        options: BenchOptions,
        workshop: BenchSetups,
        notify: Callable[[str], None],
        progress: Callable[[float, str], None],
        clock: Clock,
        stack: ExitStack,
    ) -> None:
        self._options = options
        self._workshop = workshop
        self._notify = notify
        self._progress = progress
        self._clock = clock
        self._stack = stack
        self._start = clock.now()
        self._seconds = _SECONDS[options.quick]
        random = np.random.default_rng(0)
        self._image = random.integers(0, 256, (*options.camera[::-1], 3), np.uint8)
        self.ways: list[_Candidate] = []
        self.interrupted = False
        self._told = False

    def get_ready(self) -> None:
        """Open every setup at every size that makes sense.

        Raises:
            LiveNstError: None of them can be run.
        """
        workshop = self._workshop
        setups = [workshop.default] if self._options.quick else list(workshop.setups)
        for number, setup in enumerate(setups):
            self._progress(_READY * number / len(setups), f"getting {setup} ready")
            try:
                self._open(setup)
            except LiveNstError as exc:
                if len(setups) == 1:
                    raise
                self._notify(f"{setup} is left out: {exc.message}")
        if not self.ways:
            raise DeviceError("Nothing can be measured here.", "`live-nst doctor` may tell why")

    def _open(self, setup: EngineSetup) -> None:
        """From the smallest size to the first that is too slow for live, while there is time."""
        networks: set[Size] = set()
        for size in QUICK_SIZES if self._options.quick else SIZES:
            network = self._workshop.network(self._options.camera, size)
            late = self._clock.now() - self._start > self._seconds / 2
            if network in networks or (networks and late):
                break  # beyond the camera's size nothing changes
            networks.add(network)
            painter = self._workshop.painter(setup, self._options.camera, size)
            self._stack.callback(painter.close)
            painter(self._image)
            before = self._clock.now()
            painter(self._image)
            taken = self._clock.now() - before
            self.ways.append(_Candidate(setup, size, network, painter, taken))
            if taken > 1 / MIN_USEFUL_FPS:
                break

    def play(self, meter: Callable[[], LoadMeter]) -> MeasurementRounds[Times]:
        """Play the rounds."""
        rounds: MeasurementRounds[Times] = MeasurementRounds(_ROUNDS[self._options.quick])
        products: dict[str, Callable[[], object]] = {}
        for precision in dict.fromkeys(way.setup.precision for way in self.ways):
            products |= self._workshop.products(precision, PEAK_SHAPES)
        left = self._start + self._seconds - self._clock.now()
        for_ways = left / rounds.wanted - len(products) * (_PEAK_BLOCK + _PEAK_START)
        wanted = block_seconds([way.seconds for way in self.ways], for_ways)
        block = min(_LONGEST_BLOCK, max(_SHORTEST_BLOCK, wanted))

        def play_one() -> Times:
            times = time_calls(products, seconds=_PEAK_BLOCK, clock=self._clock)
            for number, way in enumerate(self.ways):
                done = (len(rounds.results) + number / len(self.ways)) / rounds.wanted
                self._progress(_READY + (1 - _READY) * min(1.0, done), way.name)
                call = partial(way.painter, self._image)
                times |= time_calls({way.name: call}, seconds=block, clock=self._clock)
            return times

        try:
            rounds.play(
                play_one,
                deadline=self._start + self._seconds,
                tell=self._tell_load,
                meter=meter,
                clock=self._clock,
            )
        except KeyboardInterrupt:
            if not rounds.results:
                raise
            self.interrupted = True
        return rounds

    def _tell_load(self, load: float) -> None:
        if load > MAX_BACKGROUND_LOAD and not self._told:
            self._told = True
            self._notify(
                f"Other programs take {load:.0%} of this machine: close them for true figures."
            )


def _report(
    options: BenchOptions,
    workshop: BenchSetups,
    ways: Sequence[_Candidate],
    rounds: MeasurementRounds[Times],
    interrupted: bool,
) -> BenchReport:
    """What the rounds say: quiet ones alone, or all where the machine was never quiet."""
    played = rounds.quiet or rounds.results
    peaks = [_peaks(ways, times) for times in played]
    rows = tuple(_row(way, workshop.model, played, peaks) for way in ways)
    return BenchReport(
        machine=describe_machine(),
        model=workshop.model,
        device=workshop.device,
        camera=options.camera,
        fps=options.fps,
        peaks={name: median(each[name] for each in peaks) for name in peaks[0]},
        rows=rows,
        other_load=median(rounds.loads),
        busy=not rounds.quiet,
        rounds=len(played),
        interrupted=interrupted,
        recommendation=recommend(rows, options.fps, workshop.default, options.extra),
    )


def _peaks(ways: Sequence[_Candidate], times: Times) -> dict[str, float]:
    """The peaks of one round, by precision."""
    precisions = dict.fromkeys(way.setup.precision for way in ways)
    measured = [p for p in precisions if matmul_name(p, PEAK_SHAPES[0]) in times]
    return {p: peak_flops(p, times, PEAK_SHAPES)[0] for p in measured}


def _row(
    way: _Candidate, model: str, played: Sequence[Times], peaks: Sequence[dict[str, float]]
) -> BenchResult:
    calls = [1000 * seconds for times in played for seconds in times[way.name]]
    rates = [1 / mean(times[way.name]) for times in played]
    flops, precision = frame_flops(model, way.network), way.setup.precision
    share = None
    if flops is not None and precision in peaks[0]:
        share = median(
            flops * rate / peak[precision] for rate, peak in zip(rates, peaks, strict=True)
        )
    p50, p99 = np.percentile(calls, (50, 99))
    return BenchResult(
        way.setup, way.size, way.network, median(rates), float(p50), float(p99), share
    )
