"""Random requests made from the studio's own description of its interface."""

from typing import Any
from urllib.parse import unquote

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.generation import GenerationMode

ENDLESS = ("/stream.mjpeg",)
EXPECTED = {200, 201, 204, 303, 304, 400, 401, 403, 404, 405, 408, 409, 413, 422, 503}


def fuzz(address: str, examples: int, seed: int) -> dict[int, int]:
    """Send `examples` requests to each operation, half of them valid, half not.

    Args:
        address: "http://127.0.0.1:8000".
        examples: Number of requests per operation.
        seed: Makes them the same again.

    Returns:
        How often each status was answered.
    """
    schema = schemathesis.openapi.from_url(f"{address}/api/openapi.json")
    statuses: dict[int, int] = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path in ENDLESS:
            continue
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                strategy = operation.as_strategy(generation_mode=mode)
                _send(address, strategy, max(1, examples // 2), seed, statuses)
            except hypothesis.errors.Unsatisfiable:
                continue  # an operation without parameters has no invalid request
    return statuses


def _send(address: str, strategy: Any, examples: int, seed: int, statuses: dict[int, int]) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(strategy)
    def run(case: Any) -> None:
        answer = case.call(base_url=address, timeout=30)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        check(answer)

    run()


def check(answer: Any) -> None:
    """Check that an answer is one of those that the studio gives."""
    what = f"{answer.request.method} {unquote(str(answer.request.url))[:300]}"
    assert answer.status_code in EXPECTED, (what, answer.status_code, answer.content[:300])
    assert b"Traceback" not in answer.content, what
    if answer.status_code >= 400:
        body = answer.json()
        assert set(body) == {"error", "hint"} and body["error"], what
