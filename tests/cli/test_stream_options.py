"""`--stream` and `--bitrate`: their texts."""

from pathlib import Path

import pytest

from live_nst.cli.options import parse_bitrate, read_stream_addresses
from live_nst.errors import UsageError


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


def test_address_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "twitch.txt"
    file.write_text("rtmp://host/app/key\nnotes\n")
    assert read_stream_addresses([f"@{file}", "udp://host:1"]) == (
        "rtmp://host/app/key",
        "udp://host:1",
    )


def test_wrong_files(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").write_text("")
    assert read_stream_addresses([f"@{tmp_path / 'empty'}"]) == ("",)
    for name in ("missing", "binary", ""):
        with pytest.raises(UsageError, match="cannot be read") as caught:
            read_stream_addresses([f"@{tmp_path / name}"])
        assert caught.value.hint
