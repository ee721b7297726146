"""The process of a worker: `live-nst worker`, and those that `convert --workers` starts."""

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from live_nst.conversion.cluster.address import Certificates
from live_nst.conversion.cluster.dask_connection import check_scheduler
from live_nst.conversion.cluster.dask_setup import (
    import_dask,
    make_security,
    start_quiet_tracker,
    worker_options,
)
from live_nst.errors import ConversionError
from live_nst.runtime.machine import available_cores
from live_nst.runtime.tensorflow import gpu_names
from live_nst.types import Notify

_CONNECT_SECONDS = 60.0
_POLL_SECONDS = 0.2


def default_workers() -> int:
    """Return how many workers this machine runs: one for each GPU, else one."""
    return max(1, len(gpu_names()))


def default_cores(workers: int) -> int:
    """Return how many cores each of so many workers may use."""
    return max(1, available_cores() // workers)


def serve(
    address: str,
    certificates: Certificates,
    *,
    workers: int,
    cores: int,
    notify: Notify,
    stop: Callable[[], bool],
) -> None:
    """Work for a scheduler until it ends or `stop` returns True.

    Args:
        address: The scheduler's address.
        certificates: The files of TLS.
        workers: How many workers.
        cores: How many cores each may use.
        notify: Called with sentences for the user.
        stop: Called several times a second.

    Raises:
        ConversionError: There is no scheduler, or it is gone.
        DeviceError: Dask is not installed.
    """
    import_dask()
    start_quiet_tracker()
    asyncio.run(_serve(address, certificates, workers, cores, notify, stop))


async def _serve(
    address: str,
    certificates: Certificates,
    workers: int,
    cores: int,
    notify: Notify,
    stop: Callable[[], bool],
) -> None:
    distributed = import_dask()
    security = make_security(address, certificates)
    checked = asyncio.create_task(check_scheduler(address, security))
    while not checked.done():
        if stop():
            checked.cancel()
            return
        await asyncio.wait({checked}, timeout=_POLL_SECONDS)
    checked.result()
    nannies = [
        distributed.Nanny(
            address,
            security=security,
            name=f"{socket.gethostname()}-{os.getpid()}-{index + 1}",
            death_timeout=_CONNECT_SECONDS,
            **options,
        )
        for index, options in enumerate(worker_options(workers, cores))
    ]
    try:
        try:
            connected = asyncio.gather(*nannies)
            while not connected.done():
                if stop():
                    connected.cancel()
                    with suppress(Exception, asyncio.CancelledError):
                        await connected
                    return
                await asyncio.wait({connected}, timeout=_POLL_SECONDS)
            await connected
        except (Exception, asyncio.CancelledError) as exc:
            raise ConversionError(
                f"There is no scheduler at {address} that takes this worker",
                "check the address, the certificates and that both run the same version of Dask",
            ) from exc
        each = f"{cores} {'core' if cores == 1 else 'cores'}"
        notify(
            f"Working for {address}: 1 worker with {each}"
            if workers == 1
            else f"Working for {address}: {workers} workers with {each} each"
        )
        while not stop():
            if all(nanny.status in _ended(distributed) for nanny in nannies):
                raise ConversionError(
                    f"The scheduler at {address} is gone", "start it, and this worker again"
                )
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        await asyncio.gather(*(nanny.close() for nanny in nannies), return_exceptions=True)


def _ended(distributed: Any) -> tuple[Any, ...]:
    status = distributed.core.Status
    return status.closed, status.failed, status.closing
