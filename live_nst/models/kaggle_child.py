"""Download one Kaggle model; `kaggle.py` runs this file as a program.

    python kaggle_child.py HANDLE RESULT.json

The result is {"path": ...} or {"error": "http" | "network" | "disk" | "other", ...}.
"""

import json
import sys
from pathlib import Path
from typing import Any


def download(handle: str) -> dict[str, Any]:
    """Call kagglehub, and return the model's folder or the error as plain data."""
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
    return {"error": "other", "detail": str(error).strip().partition("\n")[0]}


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(download(sys.argv[1])), encoding="utf-8")
