"""Import Dask, and what the head and the workers tell it."""

import logging
import os
import sys
from multiprocessing import resource_tracker
from typing import Any

from live_nst.conversion.cluster.address import Certificates
from live_nst.errors import DeviceError, UsageError
from live_nst.runtime.tensorflow import gpu_names

_LOGGERS = (
    "distributed",
    *(f"distributed.{name}" for name in ("client", "nanny", "scheduler", "worker")),
)

# By default each worker takes 6% of a core while it does nothing: its profiler looks at all
# threads 100 times a second, and each process wakes up 50 times a second.
_QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "2s",
}


def import_dask() -> Any:
    """Return the module `distributed`, with its log messages turned off.

    Raises:
        DeviceError: It is not installed.
    """
    try:
        import dask

        dask.config.set({"logging": {"distributed": "critical", "tornado": "critical"}})
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1TB"})
        dask.config.set(_QUIET)
        import distributed
    except ImportError as exc:
        raise DeviceError(
            "Dask is not installed", "install it with: pip install 'live-nst[cluster]'"
        ) from exc
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return distributed


def start_quiet_tracker() -> None:
    """Start the process that frees what other processes share, without its warnings.

    When a head is killed, that process frees the semaphores of its workers, and would say so in the
    terminal some seconds later.
    """
    options = list(sys.warnoptions)
    sys.warnoptions.append("ignore:resource_tracker:UserWarning")
    try:
        resource_tracker.ensure_running()
    finally:
        sys.warnoptions[:] = options


def make_security(address: str, certificates: Certificates) -> Any:
    """Return Dask's form of certificates; those that are not given come from its configuration.

    Raises:
        UsageError: The address needs certificates, and there are none, or a file is missing.
    """
    certificates.check()
    certificate = None if certificates.certificate is None else str(certificates.certificate)
    key = None if certificates.key is None else str(certificates.key)
    given: dict[str, Any] = {}
    if certificates.authority is not None:
        given["tls_ca_file"] = str(certificates.authority)
    for role in ("client", "worker", "scheduler"):
        if certificate is not None:
            given[f"tls_{role}_cert"] = certificate
        if key is not None:
            given[f"tls_{role}_key"] = key
    security = import_dask().Security(**given)
    if address.startswith("tls:") and not (security.tls_ca_file and security.tls_client_cert):
        raise UsageError(
            f"{address} needs certificates",
            "give --tls-ca, --tls-cert and --tls-key, or name them in Dask's configuration",
        )
    return security


def worker_options(number: int, cores: int) -> list[dict[str, Any]]:
    """Return the options of Dask's `Nanny` for workers on this machine.

    A nanny starts a worker again that was killed. Workers spread over the GPUs.

    Args:
        number: How many workers.
        cores: How many cores each may use.
    """
    gpus = len(gpu_names()) if number > 1 else 0
    return [
        {
            "nthreads": cores,
            # A task takes what its frames need: Dask would end the worker at a guess of that.
            "memory_limit": 0,
            "silence_logs": logging.CRITICAL,
            "env": {"CUDA_VISIBLE_DEVICES": _gpu(index % gpus)} if gpus > 1 else {},
        }
        for index in range(number)
    ]


def _gpu(index: int) -> str:
    """Return the name of a GPU for CUDA, within those that this process may use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return visible.split(",")[index] if visible else str(index)
