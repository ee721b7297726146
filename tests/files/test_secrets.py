import pytest

from live_nst.files.secrets import hide_keys, hide_login

PASSWORD = "g3heim"


def test_nothing_to_hide() -> None:
    assert hide_keys("udp://127.0.0.1:5000") == "udp://127.0.0.1:5000"
    assert hide_keys("no address: a/b?c=d") == "no address: a/b?c=d"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://me:{}@cam.local:554/ch1", "rtsp://***@cam.local:554/ch1"),
        ("rtsp://{}@[fe80::1]/ch1", "rtsp://***@[fe80::1]/ch1"),
        ("http://cam/video?user=me&password={}", "http://cam/video?***"),
        ("http://cam/video#{}", "http://cam/video"),
        ("rtsp://cam/user=me&password={}&channel=1/0.sdp", "rtsp://cam/***/0.sdp"),
        ("rtsp://me:pa/{}@cam/ch1", "rtsp://***"),
        ("rtsp://me:1/{}@cam/ch1", "rtsp://***"),
        ("rtsp://me:pa?{}@cam/ch1", "rtsp://***"),
        ("rtsp://me:{}@ca m/ch1", "rtsp://***"),
        ("rtsp://me:\\{}@cam/ch1", "rtsp://***"),
        ("rtsp://cam:{}/ch1", "rtsp://***"),
        (" rtsp://me:{}@cam/ch1", "rtsp://***@cam/ch1"),
    ],
)
def test_logins_are_hidden(address: str, shown: str) -> None:
    assert hide_login(address.format(PASSWORD)) == shown


@pytest.mark.parametrize(
    "address",
    ["rtsp://cam:554/ch1", "udp://@239.0.0.1:5000", "http://cam", "films/a=b.mp4", "0", ""],
)
def test_an_address_without_a_login_is_kept(address: str) -> None:
    assert hide_login(address) == address
