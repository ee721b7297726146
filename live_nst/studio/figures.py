"""The figures of the session for Prometheus, at the studio's own address."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from live_nst.remote.metrics import GetSession, make_registry
from live_nst.studio.routes import PROBLEMS


def figure_routes(get_session: GetSession) -> APIRouter:
    """Return the request for `/metrics`.

    Args:
        get_session: Returns the session that runs; None while there is none.

    Raises:
        DeviceError: prometheus-client is not installed.
    """
    registry = make_registry(get_session)
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    router = APIRouter(responses=PROBLEMS)
    text: dict[int | str, dict[str, Any]] = {
        200: {"content": {CONTENT_TYPE_LATEST.partition(";")[0]: {}}}
    }

    @router.get("/metrics", response_class=Response, responses=text)
    def read_figures() -> Response:
        """Return the figures of the session, for Prometheus."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
