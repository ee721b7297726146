"""Find out what listens at an address, and why a connection to it fails."""

import asyncio
from importlib.metadata import version
from typing import Any

from live_nst.conversion.cluster.dask_setup import import_dask
from live_nst.errors import ConversionError

_ANSWER_SECONDS = 5.0


async def check_scheduler(address: str, security: Any) -> None:
    """Raise if something listens at an address and does not answer as Dask does.

    Dask would wait for its answer. Where nothing listens yet this returns: what connects next
    waits for a scheduler that starts.

    Args:
        address: The complete address of a scheduler.
        security: What `make_security` returned.

    Raises:
        ConversionError: What listens is something else.
    """
    distributed = import_dask()
    host, port = distributed.comm.get_address_host_port(address)
    try:
        opened = asyncio.open_connection(host, port)
        _, writer = await asyncio.wait_for(opened, _ANSWER_SECONDS)
        writer.close()
    except (OSError, TimeoutError):
        return
    options = security.get_connection_args("client")
    try:
        connected = distributed.comm.connect(address, timeout=_ANSWER_SECONDS, **options)
        comm = await asyncio.wait_for(connected, _ANSWER_SECONDS)
    except Exception as exc:  # who is no scheduler sends anything
        if _concerns_certificates(exc):
            raise connect_error(address, exc) from exc
        raise ConversionError(
            f"There is no Dask scheduler at {address}: what listens there does not answer as one",
            "check the host and the port; one that has certificates needs tls://",
        ) from exc
    await comm.close()


def connect_error(address: str, exc: Exception) -> ConversionError:
    """Return what to tell the user of an error of Dask's client."""
    reason = (str(exc).splitlines() or [type(exc).__name__])[0]
    if _concerns_certificates(exc):
        return ConversionError(
            f"The scheduler at {address} refuses the certificates: {_causes(exc)[-1]}",
            "check --tls-ca, --tls-cert and --tls-key, or Dask's configuration",
        )
    if isinstance(exc, (OSError, TimeoutError)):
        return ConversionError(
            f"There is no Dask scheduler at {address}",
            "check the address, and start one with: dask scheduler",
        )
    ours = version("distributed")
    return ConversionError(
        f"The scheduler at {address} does not understand this machine: {reason}",
        f"install the same version of Dask there: pip install distributed=={ours}",
    )


def _concerns_certificates(exc: Exception) -> bool:
    text = " ".join(map(str, _causes(exc))).lower()
    return any(word in text for word in ("ssl", "certificate", "<tls"))  # a TLS connection ended


def _causes(exc: BaseException) -> list[BaseException]:
    """Return an exception and what caused it, back to the first one."""
    causes = [exc]
    while causes[-1].__cause__ is not None:
        causes.append(causes[-1].__cause__)
    return causes
