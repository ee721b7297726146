"""One meaning of SIGINT and SIGTERM."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from live_nst.runtime.signals import STOP_SIGNALS, handle_stop_signals, raise_interrupt

BOTH = pytest.mark.parametrize("number", STOP_SIGNALS)


@BOTH
def test_first_signal_sets_the_request(number: signal.Signals) -> None:
    with handle_stop_signals() as stop:
        assert not stop.is_set()
        os.kill(os.getpid(), number)
        assert stop.is_set()


@BOTH
def test_first_signal_calls_on_request(number: signal.Signals) -> None:
    called: list[str] = []
    with handle_stop_signals(lambda: called.append("first")) as stop:
        stop.on_request = lambda: called.append("replaced")
        os.kill(os.getpid(), number)
    assert called == ["replaced"]


@BOTH
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
@pytest.mark.parametrize("second", STOP_SIGNALS)
def test_second_signal_ends_the_process_at_once(
    first: signal.Signals, second: signal.Signals
) -> None:
    script = SCRIPT.format(first=int(first), second=int(second))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == -second
    assert done.stdout == "goes on\n"


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
