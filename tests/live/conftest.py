"""What all tests of the live pipeline must leave behind: nothing."""

from collections.abc import Iterator

import pytest

from tests.live.fakes import FakeClock, own_threads, wait_until


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    wait_until(lambda: not own_threads(), f"threads are left: {own_threads()}")
