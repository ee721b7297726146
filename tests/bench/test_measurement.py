import psutil
import pytest

from live_nst.bench.measurement import BackgroundLoadMeter, CpuUsage, read_cpu_usage
from tests.bench.fakes import Clock


def meter(clock: Clock, *usages: tuple[float, float], cores: int = 2) -> BackgroundLoadMeter:
    left = [CpuUsage(*usage) for usage in usages]
    return BackgroundLoadMeter(lambda: left.pop(0), clock, cores)


@pytest.mark.parametrize(
    ("busy", "own", "share"),
    [
        (20.0, 20.0, 0.0),  # all of it was ours
        (20.0, 10.0, 0.5),  # one core of two
        (4.0, 1.0, 0.15),
        (1.0, 1.5, 0.0),  # counters tick at different moments
        (90.0, 0.0, 1.0),
    ],
)
def test_what_others_took_of_all_cores(busy: float, own: float, share: float) -> None:
    clock = Clock()
    load = meter(clock, (1000, 50), (1000 + busy, 50 + own))
    clock.sleep(10)
    assert load.share() == pytest.approx(share)


def test_without_time_there_is_no_load() -> None:
    assert meter(Clock(), (0, 0)).share() == 0.0


def test_the_real_counters_grow_with_our_own_work() -> None:
    before = read_cpu_usage()
    process = psutil.Process()
    start = sum(process.cpu_times()[:2])
    while sum(process.cpu_times()[:2]) - start < 0.1:
        sum(range(10_000))
    after = read_cpu_usage()
    assert after.own - before.own >= 0.09
    assert after.busy - before.busy >= 0.05
