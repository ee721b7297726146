from fractions import Fraction

import av
import pytest

from live_nst.video.timestamps import BestEffortTimestamps

Times = list[tuple[int | None, int | None]]


def best_effort(times: Times) -> list[int | None]:
    """The timestamps that frames with these presentation and decoding times get."""
    timestamps = BestEffortTimestamps()
    found = []
    for pts, dts in times:
        frame = av.VideoFrame(16, 16, "yuv420p")
        frame.pts, frame.dts, frame.time_base = pts, dts, Fraction(1, 25)
        found.append(timestamps.next(frame))
    return found


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([(0, -2), (1, -1), (2, 0)], [0, 1, 2]),
        ([(2, 3), (3, 4), (5, 5), (4, 6), (6, 7), (9, 8)], [2, 3, 5, 6, 7, 8]),
        ([(0, 0), (1, 0), (2, 0)], [0, 1, 2]),
        ([(None, 4), (None, 5)], [4, 5]),
        ([(4, None), (5, None)], [4, 5]),
        ([(None, None)], [None]),
    ],
    ids=["good", "pts go back", "dts stand still", "no pts", "no dts", "neither"],
)
def test_best_effort_timestamps(times: Times, expected: list[int | None]) -> None:
    assert best_effort(times) == expected
