"""Options of live sessions: their texts."""

import pytest

from live_nst.errors import UsageError
from live_nst.live.options import parse_bitrate


@pytest.mark.parametrize(
    ("text", "bitrate"),
    [("4M", 4_000_000), ("2500k", 2_500_000), ("1.5m", 1_500_000), ("3000000", 3_000_000)],
)
def test_bitrate(text: str, bitrate: int) -> None:
    assert parse_bitrate(text) == bitrate


@pytest.mark.parametrize("text", ["", "x", "4G", "-4M", "4 M", "4Mbit", "1e6"])
def test_wrong_bitrate(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_bitrate(text)
    assert caught.value.hint
