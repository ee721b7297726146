import errno

import pytest

from live_nst.errors import UsageError
from live_nst.remote.addresses import ListenAddress, listen_error, parse_address, parse_port


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("", "127.0.0.1", 9000, True),
        ("1234", "127.0.0.1", 1234, True),
        (":1234", "127.0.0.1", 1234, True),
        ("localhost:0", "localhost", 0, True),
        ("127.0.0.2:1", "127.0.0.2", 1, True),
        ("[::1]:65535", "::1", 65535, True),
        ("0.0.0.0:1234", "0.0.0.0", 1234, False),
        ("studio.lan:1234", "studio.lan", 1234, False),
    ],
)
def test_parse(text: str, host: str, port: int, loopback: bool) -> None:
    address = parse_address(text, 9000, "--osc")
    assert address == ListenAddress(host, port)
    assert address.is_loopback == loopback


@pytest.mark.parametrize("text", ["x", "-1", "65536", "1.5", "a b:1", "host:", "٣"])
def test_invalid(text: str) -> None:
    with pytest.raises(UsageError, match="Invalid address") as caught:
        parse_address(text, 9000, "--osc")
    assert "9000" in caught.value.hint


def test_port_alone() -> None:
    assert parse_port("8000", 9000, "--metrics") == ListenAddress("127.0.0.1", 8000)
    with pytest.raises(UsageError, match="on this computer only"):
        parse_port("0.0.0.0:8000", 9000, "--metrics")


def test_text() -> None:
    assert str(ListenAddress("::1", 5)) == "[::1]:5"
    assert str(ListenAddress("127.0.0.1", 5)) == "127.0.0.1:5"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EADDRINUSE, "another program uses port 80"),
        (errno.EACCES, "no permission for port 80"),
        (errno.EADDRNOTAVAIL, "cannot listen at 127.0.0.1:80"),
    ],
)
def test_errors(number: int, words: str) -> None:
    error = listen_error(ListenAddress("127.0.0.1", 80), "--osc", OSError(number, "No"))
    assert words in error.message and error.hint
