"""One meaning of SIGINT, SIGTERM and SIGHUP."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from live_nst.runtime.signals import HANGUP, STOP_SIGNALS, handle_stop_signals, raise_interrupt

EACH = pytest.mark.parametrize("number", STOP_SIGNALS)


@pytest.fixture(autouse=True)
def not_ignored() -> Iterator[None]:
    """The tests may run under nohup."""
    former = signal.signal(HANGUP, signal.SIG_DFL) if HANGUP else None
    yield
    if HANGUP:
        signal.signal(HANGUP, former)


@EACH
def test_first_signal_sets_the_request(number: signal.Signals) -> None:
    with handle_stop_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.is_set()


@EACH
def test_first_signal_calls_on_request(number: signal.Signals) -> None:
    called: list[str] = []
    with handle_stop_signals(lambda: called.append("first")) as stop:
        stop.on_request = lambda: called.append("replaced")
        os.kill(os.getpid(), number)
    assert called == ["replaced"]


@EACH
def test_raise_interrupt(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), handle_stop_signals(raise_interrupt):
        os.kill(os.getpid(), number)


SCRIPT = """
import os, signal
from live_nst.runtime.signals import handle_stop_signals
with handle_stop_signals():
    os.kill(os.getpid(), {first})
    print("goes on", flush=True)
    try:
        os.kill(os.getpid(), {second})
    finally:
        print("is never reached")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process there")
@pytest.mark.parametrize("first", STOP_SIGNALS)
@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_ends_the_process_at_once(
    first: signal.Signals, second: signal.Signals
) -> None:
    script = SCRIPT.format(first=int(first), second=int(second))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == -second
    assert done.stdout == "goes on\n"


@pytest.mark.skipif(HANGUP is None, reason="there is no SIGHUP on Windows")
@pytest.mark.parametrize("first", STOP_SIGNALS)
def test_further_hangups_do_not_end_the_process(first: signal.Signals) -> None:
    with handle_stop_signals() as stop:
        os.kill(os.getpid(), first)
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGHUP)
        assert stop.is_set()


@pytest.mark.skipif(HANGUP is None, reason="there is no SIGHUP on Windows")
def test_ignored_hangup_stays_ignored() -> None:
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with handle_stop_signals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stop.is_set()
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.is_set()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, former)


@pytest.mark.parametrize("send", [False, True])
def test_former_handlers_come_back(send: bool) -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    with handle_stop_signals():
        assert [signal.getsignal(number) for number in STOP_SIGNALS] != before
        if send:
            os.kill(os.getpid(), signal.SIGTERM)
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before


def test_other_threads_leave_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with handle_stop_signals() as stop:
            seen.extend((signal.getsignal(signal.SIGINT), stop.is_set()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before, False]
