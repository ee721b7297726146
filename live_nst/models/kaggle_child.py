"""A program of its own: fetch one Kaggle model and say where it lies.

    python kaggle_child.py HANDLE RESULT.json

The result is {"path": ...}, or {"error": "http" | "network" | "disk" | "other", ...}.
"""

import json
import sys
from pathlib import Path
from typing import Any


def fetch(handle: str) -> dict[str, Any]:
    """Ask kagglehub for a model; its answer or its error as plain data."""
    import kagglehub
    import requests
    from kagglehub import exceptions

    try:
        return {"path": kagglehub.model_download(handle)}
    except requests.HTTPError as exc:
        status = exc.response.status_code if exc.response is not None else 0
        return {"error": "http", "status": status}
    except (requests.ConnectionError, requests.Timeout):
        return {"error": "network"}
    except requests.RequestException as exc:
        return _other(exc)
    except OSError as exc:
        return {"error": "disk", "number": exc.errno, "detail": exc.strerror or str(exc)}
    except (
        exceptions.BackendError,
        exceptions.CredentialError,
        exceptions.DataCorruptionError,
        exceptions.NotFoundError,
        exceptions.UnauthenticatedError,
        ValueError,
    ) as exc:
        return _other(exc)


def _other(error: Exception) -> dict[str, Any]:
    """The error's first line."""
    return {"error": "other", "detail": str(error).strip().partition("\n")[0]}


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(fetch(sys.argv[1])), encoding="utf-8")
