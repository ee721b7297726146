"""`live-nst worker`: paint for a cluster; and the options of `convert` that concern clusters."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from live_nst.cli.options import InsecureOption, TlsCaOption, TlsCertOption, TlsKeyOption

if TYPE_CHECKING:
    from live_nst.conversion.cluster.address import Certificates, ClusterRequest


def worker(
    address: Annotated[
        str,
        typer.Argument(
            metavar="ADDRESS", help="The address of a Dask scheduler: tls://10.0.0.1:8786."
        ),
    ],
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            metavar="N",
            help="The number of processes that paint.",
            show_default="one for each GPU, else one",
        ),
    ] = None,
    cores: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="How many processor cores each of them uses.",
            show_default="their share of all",
        ),
    ] = None,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    insecure: InsecureOption = False,
) -> None:
    """Paint chunks of films for `live-nst convert --cluster ADDRESS`, until it is stopped."""
    from live_nst.conversion.cluster.address import Certificates, scheduler_address

    complete = scheduler_address(address, insecure=insecure)
    run(complete, Certificates(tls_ca, tls_cert, tls_key), workers, cores)


def run(address: str, certificates: "Certificates", workers: int | None, cores: int | None) -> None:
    """Paint for a scheduler until a signal comes; see `serve`.

    Raises:
        LiveNstError: There is no scheduler, or it is gone.
    """
    from live_nst.cli.console import notify
    from live_nst.conversion.cluster.dask_serving import default_cores, default_workers, serve
    from live_nst.runtime.signals import handle_stop_signals

    number = workers or default_workers()
    with handle_stop_signals() as stop:
        serve(
            address,
            certificates,
            workers=number,
            cores=cores or default_cores(number),
            notify=notify,
            stop=stop.is_set,
        )


def cluster_request(
    workers: int | None,
    address: str | None,
    tls: tuple[Path | None, Path | None, Path | None],
    insecure: bool,
) -> "ClusterRequest | None":
    """Return the workers that the options of `convert` ask for; None if none.

    Raises:
        UsageError: The options exclude each other, or the address is not safe.
    """
    from live_nst.conversion.cluster.address import (
        Certificates,
        ClusterRequest,
        scheduler_address,
    )
    from live_nst.errors import UsageError

    certificates = Certificates(*tls)
    if address is None:
        if certificates.given or insecure:
            raise UsageError("--tls-ca, --tls-cert, --tls-key and --insecure need --cluster")
        return None if workers is None else ClusterRequest(None, workers, certificates)
    if workers is not None:
        raise UsageError("--workers and --cluster exclude each other", "use one of them")
    return ClusterRequest(scheduler_address(address, insecure=insecure), 0, certificates)
