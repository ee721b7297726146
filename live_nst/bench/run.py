"""`live-nst bench`: measure within a minute what this machine can do."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import mean, median

import numpy as np

from live_nst.bench.flops import Calls, MatmulShape, frame_flops, matmul_name, peak_flops
from live_nst.bench.measurement import (
    MAX_BACKGROUND_LOAD,
    BackgroundLoadMeter,
    MeasurementRounds,
    block_seconds,
    time_calls,
)
from live_nst.bench.report import BenchReport, BenchResult, EngineSetup, recommend
from live_nst.bench.setups import StylizerSetups
from live_nst.errors import DeviceError, LiveNstError, UsageError
from live_nst.runtime.machine import describe_machine
from live_nst.runtime.timing import Clock, PreciseClock
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Notify, Size

SIZES = (256, 384, 512, 640, 960, 1280)
QUICK_SIZES = (256, 384, 640)
PEAK_SHAPES: tuple[MatmulShape, ...] = ((256, 512, 512), (512, 512, 512), (512, 1024, 512))
MIN_USEFUL_FPS = 5.0
"""Larger sizes are not measured once a size is slower than this."""

_PREPARATION_SHARE = 0.4  # of the progress bar
_MAX_BLOCK, _MIN_BLOCK, _PEAK_BLOCK = 0.6, 0.08, 0.05  # seconds
_PEAK_START = 0.025  # seconds before a block of matrix multiplications

Times = dict[str, list[float]]
"""Seconds of single calls in one round, by name."""


@dataclass(frozen=True)
class BenchOptions:
    """Options of `live-nst bench`.

    Attributes:
        camera: (width, height) of the camera's frames in pixels.
        fps: The wanted rate, for which a setup is recommended.
        quick: Measure only what live-nst would choose by itself, at fewer sizes.
        extra: Arguments that the recommended command needs, too.
    """

    camera: Size = (1280, 720)
    fps: float = 30.0
    quick: bool = False
    extra: tuple[str, ...] = ()

    @property
    def sizes(self) -> Sequence[int]:
        """The sizes to measure, ascending."""
        return QUICK_SIZES if self.quick else SIZES

    @property
    def seconds(self) -> float:
        """The time to take; starting and ending the program is not included."""
        return 11.0 if self.quick else 55.0

    @property
    def rounds(self) -> int:
        """The number of quiet rounds that is enough."""
        return 2 if self.quick else 4

    def check(self) -> None:
        """Check the ranges of the numbers.

        Raises:
            UsageError: A number is out of range.
        """
        if not all(64 <= side <= 8192 for side in self.camera):
            width, height = self.camera
            raise UsageError(
                f"Invalid camera size {width}x{height}",
                "use 64 to 8192 pixels for each side, such as 1280x720",
            )
        if not 1 <= self.fps <= 240:
            raise UsageError(
                f"Invalid rate of {self.fps:g} frames per second", "use 1 to 240, such as 30"
            )


def run_bench(
    options: BenchOptions,
    setups: StylizerSetups,
    *,
    notify: Notify = lambda sentence: None,
    progress: Callable[[float, str], None] = lambda done, what: None,
    clock: Clock | None = None,
    meter: Callable[[], BackgroundLoadMeter] = BackgroundLoadMeter,
) -> BenchReport:
    """Measure every device, engine, precision and size on this machine, in rounds.

    Ctrl-C ends it with a report of the rounds until then.

    Args:
        options: What to measure.
        setups: Opens what is measured.
        notify: Called with one sentence at a time.
        progress: Called with the share that is done, 0..1, and the name of the current step.
        clock: Gives the time.
        meter: Starts to measure the load of other programs.

    Raises:
        LiveNstError: Nothing can be measured.
        KeyboardInterrupt: Ctrl-C before the end of the first round.
    """
    options.check()
    with ExitStack() as stack:
        run = _BenchRun(options, setups, notify, progress, clock or PreciseClock(), stack)
        run.prepare()
        return run.report(*run.measure(meter))


@dataclass(frozen=True)
class _Candidate:
    """A setup at one size, ready to run."""

    setup: EngineSetup
    size: int
    network: Size
    stylizer: StylizerCore
    seconds: float  # for a frame, about

    @property
    def name(self) -> str:
        return f"{self.setup} {self.size}"


class _BenchRun:
    """One run: everything is prepared first, then rounds are measured until time is up."""

    def __init__(
        self,
        options: BenchOptions,
        setups: StylizerSetups,
        notify: Notify,
        progress: Callable[[float, str], None],
        clock: Clock,
        stack: ExitStack,
    ) -> None:
        self._options = options
        self._setups = setups
        self._notify = notify
        self._progress = progress
        self._clock = clock
        self._stack = stack
        self._start = clock.now()
        random = np.random.default_rng(0)
        self._image = random.integers(0, 256, (*options.camera[::-1], 3), np.uint8)
        self._candidates: list[_Candidate] = []
        self._warned = False

    def prepare(self) -> None:
        """Open every setup at every size that is fast enough.

        Raises:
            LiveNstError: None of them can run.
        """
        chosen = [self._setups.default] if self._options.quick else self._setups.available()
        for number, setup in enumerate(chosen):
            self._progress(_PREPARATION_SHARE * number / len(chosen), f"preparing {setup}")
            try:
                self._open(setup)
            except LiveNstError as exc:
                if len(chosen) == 1:
                    raise
                self._notify(f"{setup} is left out: {exc.message}")
        if not self._candidates:
            raise DeviceError("Nothing can be measured here.", "run `live-nst doctor`")

    def _open(self, setup: EngineSetup) -> None:
        """Open the sizes up to the first that is too slow for live video, while there is time."""
        networks: set[Size] = set()
        for size in self._options.sizes:
            network = self._setups.network_size(self._options.camera, size)
            late = self._clock.now() - self._start > self._options.seconds / 2
            if network in networks or (networks and late):
                break  # sizes above the camera's do not change the network's input
            networks.add(network)
            stylizer = self._setups.open_stylizer(setup, self._options.camera, size)
            self._stack.callback(stylizer.close)
            stylizer(self._image)
            before = self._clock.now()
            stylizer(self._image)
            taken = self._clock.now() - before
            self._candidates.append(_Candidate(setup, size, network, stylizer, taken))
            if taken > 1 / MIN_USEFUL_FPS:
                break

    def measure(
        self, meter: Callable[[], BackgroundLoadMeter]
    ) -> tuple[MeasurementRounds[Times], bool]:
        """Measure rounds; return them, and whether Ctrl-C ended them."""
        rounds: MeasurementRounds[Times] = MeasurementRounds(self._options.rounds)
        matmuls: Calls = {}
        for precision in self._precisions():
            matmuls |= self._setups.matmuls(precision, PEAK_SHAPES)
        deadline = self._start + self._options.seconds
        left = (deadline - self._clock.now()) / rounds.wanted
        left -= len(matmuls) * (_PEAK_BLOCK + _PEAK_START)
        wanted = block_seconds([candidate.seconds for candidate in self._candidates], left)
        block = min(_MAX_BLOCK, max(_MIN_BLOCK, wanted))

        def measure_round() -> Times:
            times = time_calls(matmuls, seconds=_PEAK_BLOCK, clock=self._clock)
            for number, candidate in enumerate(self._candidates):
                done = len(rounds.results) + number / len(self._candidates)
                share = (1 - _PREPARATION_SHARE) * min(1.0, done / rounds.wanted)
                self._progress(_PREPARATION_SHARE + share, candidate.name)
                call = {candidate.name: partial(candidate.stylizer, self._image)}
                times |= time_calls(call, seconds=block, clock=self._clock)
            return times

        try:
            rounds.run(
                measure_round,
                deadline=deadline,
                on_load=self._warn_of_load,
                meter=meter,
                clock=self._clock,
            )
        except KeyboardInterrupt:
            if not rounds.results:
                raise
            return rounds, True
        return rounds, False

    def _precisions(self) -> list[str]:
        """Return the precisions on the default device, whose peak is measured."""
        return list(
            dict.fromkeys(
                candidate.setup.precision
                for candidate in self._candidates
                if candidate.setup.device == self._setups.default.device
            )
        )

    def _warn_of_load(self, load: float) -> None:
        if load > MAX_BACKGROUND_LOAD and not self._warned:
            self._warned = True
            self._notify(
                f"Other programs take {load:.0%} of this machine: close them for true figures."
            )

    def report(self, rounds: MeasurementRounds[Times], interrupted: bool) -> BenchReport:
        """Return the report of the quiet rounds, or of all if none was quiet."""
        counted = rounds.quiet or rounds.results
        peaks = {
            precision: [peak_flops(precision, times, PEAK_SHAPES)[0] for times in counted]
            for precision in self._precisions()
            if matmul_name(precision, PEAK_SHAPES[0]) in counted[0]
        }
        rows = tuple(self._result(candidate, counted, peaks) for candidate in self._candidates)
        options, setups = self._options, self._setups
        return BenchReport(
            machine=describe_machine(),
            model=setups.model,
            device=setups.device,
            camera=options.camera,
            fps=options.fps,
            peaks={precision: median(flops) for precision, flops in peaks.items()},
            rows=rows,
            other_load=median(rounds.loads),
            busy=not rounds.quiet,
            rounds=len(counted),
            interrupted=interrupted,
            recommendation=recommend(rows, options.fps, setups.default, options.extra),
        )

    def _result(
        self, candidate: _Candidate, counted: Sequence[Times], peaks: dict[str, list[float]]
    ) -> BenchResult:
        setup, network = candidate.setup, candidate.network
        milliseconds = [1000 * seconds for times in counted for seconds in times[candidate.name]]
        rates = [1 / mean(times[candidate.name]) for times in counted]
        flops, share = frame_flops(self._setups.model, network), None
        on_default = setup.device == self._setups.default.device
        if flops is not None and setup.precision in peaks and on_default:
            pairs = zip(rates, peaks[setup.precision], strict=True)
            share = median(flops * rate / peak for rate, peak in pairs)
        p50, p99 = np.percentile(milliseconds, (50, 99))
        fps = median(rates)
        return BenchResult(setup, candidate.size, network, fps, float(p50), float(p99), share)
