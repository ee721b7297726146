"""The camera of a browser as a source."""

import threading
import time

import cv2
import numpy as np
import pytest

from live_nst.errors import SourceError, SourceLostError
from live_nst.sinks.encoder import VideoEncoder
from live_nst.sources import browser
from live_nst.sources.base import InterruptibleSource, SourceRequest
from live_nst.sources.browser import BrowserSource
from live_nst.sources.browser_feed import BrowserFeed, BrowserInbox, SentFrame, VideoFormat
from live_nst.types import Frame, Image

REQUEST = SourceRequest(640, 480, 30.0)


def picture(number: int, size: tuple[int, int] = (64, 48)) -> Image:
    return np.full((size[1], size[0], 3), number, np.uint8)


def jpeg(number: int = 100, size: tuple[int, int] = (64, 48)) -> bytes:
    return cv2.imencode(".jpg", picture(number, size))[1].tobytes()


class Page:
    """A page that sends frames.

    Attributes:
        acks: The frames that were decoded.
        asked: How many keyframes were asked for.
        errors: Why the frames were refused.
    """

    def __init__(self, inbox: BrowserInbox, form: VideoFormat = "jpeg") -> None:
        self.acks: list[int] = []
        self.asked = 0
        self.errors: list[SourceError] = []
        self.inbox = inbox
        self.feed = BrowserFeed(
            "browser's camera",
            form,
            on_decoded=self.acks.append,
            on_keyframe_needed=self._ask,
            on_refused=self.errors.append,
        )
        inbox.connect(self.feed)

    def _ask(self) -> None:
        self.asked += 1

    def send(self, data: bytes, index: int = 0, *, key: bool = True, at: float = 0.0) -> None:
        self.feed.put(SentFrame(data, key, index, at))

    def leave(self) -> None:
        self.inbox.disconnect(self.feed)


def encoded(count: int, size: tuple[int, int] = (64, 48)) -> list[SentFrame]:
    encoder = VideoEncoder()
    reader = encoder.subscribe()
    frames = []
    for index in range(count):
        encoder.write(Frame(picture(40 + 10 * index, size), index, 100 + index / 30))
        frame = reader.get(1.0)
        assert frame is not None
        frames.append(SentFrame(frame.data, frame.keyframe, index, 0.0))
    encoder.close()
    return frames


def read(source: BrowserSource) -> Frame:
    frame = source.read()
    assert frame is not None
    return frame


def test_newest_jpeg_wins() -> None:
    inbox = BrowserInbox()
    page = Page(inbox)
    source = BrowserSource(inbox, REQUEST)
    assert source.info.width == 640
    page.send(jpeg(10), 0)
    page.send(jpeg(200), 1)
    frame = read(source)
    assert frame.index == 0 and abs(int(frame.image[0, 0, 0]) - 200) < 4
    assert page.acks == [1]
    page.send(jpeg(50, (32, 32)), 2)
    assert read(source).size == (32, 32)


def test_time_is_that_of_the_capture_if_it_is_believable() -> None:
    inbox = BrowserInbox()
    page, source = Page(inbox), BrowserSource(inbox, REQUEST)
    sent = time.monotonic() - 0.2
    page.send(jpeg(), at=sent)
    assert read(source).time == sent
    for nonsense in (0.0, -1e300, time.monotonic() + 100, sent - 1):
        before = time.monotonic()
        page.send(jpeg(), at=nonsense)
        assert sent <= read(source).time <= time.monotonic()
        assert nonsense == sent - 1 or source._time >= before


def test_h264_is_decoded_in_order() -> None:
    inbox = BrowserInbox()
    page, source = Page(inbox, "h264"), BrowserSource(inbox, REQUEST)
    for sent in encoded(5):
        page.feed.put(sent)
    frame = read(source)
    assert frame.size == (64, 48) and page.acks[-1] >= 3
    assert frame.image[24, 32, 1] > 60


def test_h264_begins_at_a_keyframe_and_again_after_damage() -> None:
    inbox = BrowserInbox()
    page, source = Page(inbox, "h264"), BrowserSource(inbox, REQUEST)
    first, *rest = encoded(3)
    page.feed.put(rest[0])
    assert page.asked == 1
    page.feed.put(first)
    read(source)
    page.send(b"\0\0\0\1" + b"\x65" * 500, 5)
    page.feed.put(first)
    assert read(source).size == (64, 48)


def test_many_broken_frames_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "_READ_SECONDS", 0.3)
    monkeypatch.setattr(browser, "_MAX_BROKEN", 3)
    inbox = BrowserInbox()
    page, source = Page(inbox), BrowserSource(inbox, REQUEST)
    for index in range(3):
        page.send(b"\xff\xd8" + bytes(100), index)
        with pytest.raises(SourceLostError):
            source.read()
    (error,) = page.errors
    assert "cannot be decoded" in error.message


def test_huge_pictures_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "_READ_SECONDS", 0.2)
    monkeypatch.setattr(browser, "MAX_PIXELS", 64 * 64)
    for form, data in (("jpeg", jpeg(size=(65, 64))), ("h264", encoded(1, (80, 64))[0].data)):
        inbox = BrowserInbox()
        page, source = Page(inbox, form), BrowserSource(inbox, REQUEST)  # type: ignore[arg-type]
        page.send(data)
        with pytest.raises(SourceLostError):
            source.read()
        assert page.acks == []


def test_page_that_leaves_and_comes_back() -> None:
    inbox = BrowserInbox()
    page, source = Page(inbox), BrowserSource(inbox, REQUEST)
    page.send(jpeg())
    read(source)
    page.leave()
    with pytest.raises(SourceLostError, match="gone"):
        source.read()
    other = Page(inbox)
    other.send(jpeg(30))
    assert abs(int(read(source).image[0, 0, 0]) - 30) < 4


def test_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "_READ_SECONDS", 0.05)
    with pytest.raises(SourceLostError, match="no page"):
        BrowserSource(BrowserInbox(), REQUEST).read()


def test_page_that_comes_while_it_waits() -> None:
    inbox = BrowserInbox()
    source = BrowserSource(inbox, REQUEST)

    def come() -> None:
        Page(inbox).send(jpeg(77))

    threading.Timer(0.1, come).start()
    assert abs(int(read(source).image[0, 0, 0]) - 77) < 4


def test_one_page_at_a_time() -> None:
    inbox = BrowserInbox()
    page = Page(inbox)
    with pytest.raises(SourceError, match="already"):
        Page(inbox)
    page.leave()
    Page(inbox)


def test_full_queue_goes_on_at_a_keyframe() -> None:
    page = Page(BrowserInbox(), "h264")
    page.send(b"key")
    for index in range(200):
        page.send(b"x" * 100, index, key=False)
    assert page.asked >= 1
    assert page.feed.take(0) == []
    page.send(b"key", 500)
    assert [frame.index for frame in page.feed.take(0)] == [500]


def test_closed_source() -> None:
    source = BrowserSource(BrowserInbox(), REQUEST)
    source.close()
    source.close()
    assert source.read() is None


@pytest.mark.parametrize("sends", [False, True])
def test_interrupt_ends_a_read_that_waits(sends: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "_READ_SECONDS", 1e6)
    inbox = BrowserInbox()
    page = Page(inbox) if sends else None
    source = BrowserSource(inbox, REQUEST)
    assert isinstance(source, InterruptibleSource)
    results: list[Frame | None] = []
    thread = threading.Thread(target=lambda: results.append(source.read()), daemon=True)
    thread.start()
    source.interrupt()
    thread.join(20)
    assert results == [None]
    assert source.read() is None  # and so it stays
    if page is not None:  # the page goes on with the next source
        other = BrowserSource(inbox, REQUEST)
        page.send(jpeg(30))
        assert abs(int(read(other).image[0, 0, 0]) - 30) < 4
