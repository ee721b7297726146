"""Workers of a Dask cluster. Only modules named `dask_...` import Dask.

Dask's client runs in a thread of its own, which this module starts.
"""

import asyncio
import pickle
import signal
import threading
import time
import uuid
import warnings
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, TypeVar

from live_nst.conversion.cluster.address import Certificates
from live_nst.conversion.cluster.dask_connection import check_scheduler, connect_error
from live_nst.conversion.cluster.dask_setup import (
    import_dask,
    make_security,
    start_quiet_tracker,
    worker_options,
)
from live_nst.conversion.cluster.dask_task import PROGRESS_TOPIC, Call, is_loss
from live_nst.conversion.cluster.workers import WorkerLost
from live_nst.errors import ConversionError, LiveNstError

T = TypeVar("T")

_CONNECT_SECONDS = 10.0
_START_SECONDS = 100.0
_POLL_SECONDS = 0.5
_CHECK_SECONDS = 0.2
_GONE_SECONDS = 30.0  # without an answer for so long, a scheduler is gone
_CLOSE_SECONDS = 10.0
_HERE = "this machine"


class DaskWorkers:
    """The workers of a scheduler; see `Workers`. Use `connect` or `start`."""

    def __init__(self) -> None:
        self.where, self.dashboard = "", ""
        self._names: dict[str, str] = {}
        self._error: LiveNstError | None = None
        self._progress: dict[str, Callable[[int], None]] = {}
        self._client: Any = None
        self._cluster: Any = None
        self._poll: Future[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dask", daemon=True)
        self._thread.start()

    @classmethod
    def connect(
        cls, address: str, certificates: Certificates, check: Callable[[], None] = lambda: None
    ) -> "DaskWorkers":
        """Connect to a scheduler.

        Args:
            address: Its address.
            certificates: The files of TLS.
            check: Called several times a second; may raise.

        Raises:
            ConversionError: There is none, or it has another version.
            DeviceError: Dask is not installed.
        """
        import_dask()
        self = cls()
        self.where = address
        try:
            security = make_security(address, certificates)
            self._wait(self._connect(address, security), 3 * _CONNECT_SECONDS, check)
        except BaseException:
            self.close()
            raise
        return self

    @classmethod
    def start(cls, number: int, cores: int) -> "DaskWorkers":
        """Start a scheduler in this process, and workers in processes of their own.

        Args:
            number: How many workers.
            cores: How many cores each may use.

        Raises:
            ConversionError: They cannot be started.
            DeviceError: Dask is not installed.
        """
        import_dask()
        self = cls()
        self.where = _HERE
        try:
            with _ignored_interrupts():
                start_quiet_tracker()
                self._wait(self._start(number, cores), _START_SECONDS + 10 * number)
        except BaseException:
            self.close()
            raise
        return self

    def names(self) -> Mapping[str, str]:
        """Return the names of the workers that are connected, by their addresses."""
        if self._error is not None:
            raise self._error
        return dict(self._names)

    def submit(
        self,
        worker: str,
        function: Callable[..., Any],
        *arguments: Any,
        progress: Callable[[int], None] = lambda done: None,
    ) -> "Future[Any]":
        """Run a function on a worker; see `Workers.submit`."""
        task = self._run(worker, function, arguments, progress)
        return asyncio.run_coroutine_threadsafe(task, self._loop)

    def close(self) -> None:
        """Disconnect, and end the workers that were started. Again does nothing."""
        if not self._thread.is_alive():
            return
        if self._poll is not None:
            self._poll.cancel()
        for each in (self._client, self._cluster):
            if each is not None:
                with suppress(Exception):
                    self._wait(each.close(), _CLOSE_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_SECONDS)

    def _wait(
        self, task: "Awaitable[T]", timeout: float, check: Callable[[], None] = lambda: None
    ) -> T:
        """Run a coroutine in the thread of the client, and wait for it."""

        async def run() -> T:
            return await task

        future = asyncio.run_coroutine_threadsafe(run(), self._loop)
        end = time.monotonic() + timeout
        try:
            while not wait([future], _CHECK_SECONDS).done:
                check()
                if time.monotonic() > end:
                    raise self._time_out()
        except BaseException:
            future.cancel()
            raise
        return future.result()

    def _time_out(self) -> ConversionError:
        if self.where == _HERE:
            return ConversionError(
                "The workers do not start: this machine is too busy", "use fewer, or try it later"
            )
        return ConversionError(
            f"Dask does not answer at {self.where}",
            "check the address, and whether a Dask scheduler runs there",
        )

    async def _connect(self, address: str, security: Any) -> None:
        distributed = import_dask()
        await check_scheduler(address, security)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # other versions are checked below
                self._client = await distributed.Client(
                    address, security=security, asynchronous=True, timeout=_CONNECT_SECONDS
                )
        except Exception as exc:
            raise connect_error(address, exc) from exc
        versions = await self._client.scheduler.versions(packages=[])
        theirs, ours = versions["packages"].get("distributed"), version("distributed")
        if theirs != ours:
            raise ConversionError(
                f"The scheduler at {address} runs Dask {theirs}, this machine {ours}",
                f"install the same version: pip install distributed=={theirs}",
            )
        await self._begin()

    async def _start(self, number: int, cores: int) -> None:
        distributed = import_dask()
        scheduler = {
            "cls": distributed.Scheduler,
            "options": {"host": "127.0.0.1", "port": 0, "dashboard_address": "127.0.0.1:0"},
        }
        specification = {
            f"worker {index + 1}": {"cls": distributed.Nanny, "options": options}
            for index, options in enumerate(worker_options(number, cores))
        }
        try:
            self._cluster = await distributed.SpecCluster(
                workers=specification, scheduler=scheduler, asynchronous=True
            )
        except (RuntimeError, OSError, TimeoutError) as exc:
            raise ConversionError(f"The workers cannot be started: {exc}", "use fewer") from exc
        self._client = await distributed.Client(self._cluster, asynchronous=True)
        await self._begin()

    async def _begin(self) -> None:
        """Take note of workers and progress from now on."""
        self._client.subscribe_topic(PROGRESS_TOPIC, self._on_progress)
        await self._read_names()
        self._poll = asyncio.run_coroutine_threadsafe(self._poll_names(), self._loop)

    async def _poll_names(self) -> None:
        answered = self._loop.time()
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            try:
                await asyncio.wait_for(self._read_names(), _CONNECT_SECONDS)
                answered = self._loop.time()
            except Exception as exc:  # a client that gave up raises more than network errors
                silent = self._loop.time() - answered
                if self._client.status != "closed" and silent < _GONE_SECONDS:
                    continue  # a busy machine is slow to answer
                self._error = ConversionError(
                    f"The scheduler at {self.where} is gone",
                    "start it and run the same command again: it continues where it stopped",
                )
                self._error.__cause__ = exc
                return

    async def _read_names(self) -> None:
        identity = await self._client.scheduler.identity(n_workers=-1)
        shown = self._cluster is None or find_spec("bokeh") is not None  # Dask draws it with that
        if shown and not self.dashboard and "dashboard" in identity["services"]:
            self.dashboard = self._client.dashboard_link
        self._names = {
            address: str(worker["name"])
            for address, worker in identity["workers"].items()
            if worker["status"] == "running"
        }

    async def _run(
        self,
        worker: str,
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
        progress: Callable[[int], None],
    ) -> Any:
        token = uuid.uuid4().hex
        self._progress[token] = progress
        future = self._client.submit(
            pickle.loads,
            pickle.dumps(Call(function, arguments, token)),
            key=f"{function.__name__}-{token}",
            workers=[worker],
            allow_other_workers=False,
            pure=False,
        )
        try:
            return await future
        except asyncio.CancelledError:
            raise
        except Exception as exc:
            if is_loss(exc):
                raise WorkerLost(str(exc)) from exc
            raise
        finally:
            self._progress.pop(token, None)
            with suppress(Exception):
                future.release()

    def _on_progress(self, event: tuple[float, Any]) -> None:
        token, done = event[1]
        progress = self._progress.get(token)
        if progress is not None:
            progress(done)


@contextmanager
def _ignored_interrupts() -> Iterator[None]:
    """Let processes that start meanwhile ignore Ctrl-C, which a terminal sends to all of them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
