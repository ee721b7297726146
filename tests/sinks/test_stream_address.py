from pathlib import Path

import pytest

from live_nst.errors import UsageError
from live_nst.files.secrets import hide_keys
from live_nst.sinks.stream_address import (
    parse_stream_address,
    read_stream_address,
    srt_parameters,
)

KEY = "s3cr3t-Key_42"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtmp://live.twitch.tv/app/{}", "rtmp://live.twitch.tv/***"),
        ("rtmp://a.rtmp.youtube.com/live2/{}", "rtmp://a.rtmp.youtube.com/***"),
        ("rtmps://live-api-s.facebook.com:443/rtmp/{}?s_bl=1", "rtmps://live-api-s.facebook.com:443/***"),
        ("RTMP://HOST/APP/{}", "RTMP://HOST/***"),
        ("rtmp://host/{}", "rtmp://host/***"),
        ("rtmp://host/app?key={}", "rtmp://host/***"),
        ("rtmp://host/app#{}", "rtmp://host/***"),
        ("rtmp://host/a/b/c/{}/d", "rtmp://host/***"),
        ("rtmp://user:{}@host/app", "rtmp://host/***"),
        ("rtmp://{}@host:1935", "rtmp://host:1935/***"),
        ("rtsp://user:p%40ss{}@[::1]:8554/x", "rtsp://[::1]:8554/***"),
        ("rtsp://user:a/{}@host/x", "rtsp://***"),
        ("rtsp://user:1/{}@host/x", "rtsp://***"),
        ("rtsp://user:{}@ho st/x", "rtsp://ho/*** st/x"),
        ("rtsp://us@er:{}@host/x", "rtsp://host/***"),
        ("srt://host:9000?streamid=#!::r=live,u={}", "srt://host:9000/***"),
        ("srt://host:9000?passphrase={}&mode=caller", "srt://host:9000/***"),
        ("srt://host:9000/?streamid=publish:{}", "srt://host:9000/***"),
        ("udp://239.0.0.1:1234?pkt_size=1316&key={}", "udp://239.0.0.1:1234/***"),
        ("rtmp:///{}", "rtmp://***"),
        ("rtmp://host:{}/x", "rtmp://***"),
        ("rtmp://host\\{}", "rtmp://host/***"),
        ("rtmp://{}'", "rtmp://***"),
    ],
)  # fmt: skip
def test_keys_are_hidden(url: str, shown: str) -> None:
    url = url.format(KEY)
    assert hide_keys(url) == shown
    message = f"[Errno 32] Broken pipe: '{url}'; opening {url} failed"
    assert KEY not in hide_keys(message)
    assert hide_keys(message).startswith("[Errno 32] Broken pipe: '")
    try:
        address = parse_stream_address(url)
    except UsageError as error:
        assert KEY not in f"{error} {error.hint} {error!r}"
    else:
        assert KEY not in f"{address} {address!r} {[address]}"
        assert address.url.lower() == url.lower()


@pytest.mark.parametrize(
    "text",
    [
        *("foo", KEY, f"{KEY}://x", "", " ", "out.mp4", "no-such-folder/live.m3u8"),
        *("rtmp://", "rtmp://host", "rtmp:///app/key", "rtmp:/host/a", "rtmp://h:x/app"),
        *("rtmp://ho st/app/key", "rtmp://host/app/k\ney", "http://host/live", "https://x/whip"),
        *("udp://host", "udp://host:99999", "srt://host", "srt://host:9000?nonsense=1"),
        *("srt://host:9000?passphrase=short", "x" * 5000, "x" * 5000 + "/y.m3u8"),
    ],
)
def test_wrong_addresses(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_stream_address(text)
    assert caught.value.hint
    assert KEY.lower() not in str(caught.value).lower()


def test_playlists(tmp_path: Path) -> None:
    named = parse_stream_address(str(tmp_path / "show.m3u8"))
    assert (named.scheme, named.shown) == ("hls", str(tmp_path / "show.m3u8"))
    assert parse_stream_address(str(tmp_path)).url == str(tmp_path / "live.m3u8")
    assert named.host == ""


def test_properties() -> None:
    address = parse_stream_address(" RTMPS://Live.Example:443/app/key ")
    assert (address.scheme, address.host, address.encrypted) == ("rtmps", "live.example", True)
    assert address.url == "rtmps://Live.Example:443/app/key"
    assert parse_stream_address("srt://0.0.0.0:9000?mode=listener").waits_for_reader
    assert not parse_stream_address("srt://host:9000?mode=caller").waits_for_reader


def test_srt_parameters() -> None:
    url = "srt://host:9000?streamid=#!::r=a/b,m=publish&passphrase=with%20space"
    assert srt_parameters(url) == [
        ("streamid", "#!::r=a/b,m=publish"),
        ("passphrase", "with space"),
    ]


def test_address_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "twitch.txt"
    file.write_text("rtmp://host/app/key\nnotes\n")
    assert read_stream_address(f"@{file}") == "rtmp://host/app/key"
    assert read_stream_address("udp://host:1") == "udp://host:1"


def test_wrong_files(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty").write_text("")
    with pytest.raises(UsageError, match=r"first line .* is empty"):
        read_stream_address(f"@{tmp_path / 'empty'}")
    for name in ("missing", "binary", ""):
        with pytest.raises(UsageError, match="cannot be read") as caught:
            read_stream_address(f"@{tmp_path / name}")
        assert caught.value.hint
