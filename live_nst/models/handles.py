"""What `--model` may say: a name, a URL, a Kaggle handle or a folder."""

import difflib
import enum
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from live_nst.errors import ModelError, UsageError
from live_nst.models.saved_model import GRAPH_FILE, require_saved_model

MOBILE = "mobile"
"""The name of the model inside the package."""

HUB = "hub"
"""The short name of `HUB_URL`."""

HUB_URL = "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2"
"""Magenta's arbitrary-image-stylization module on TF Hub."""

ACCEPTED = (
    f"`{MOBILE}`, `{HUB}`, a tfhub.dev or other https URL, a Kaggle handle "
    "(OWNER/MODEL/FRAMEWORK/VARIATION/VERSION), or a SavedModel folder"
)
"""What `parse_handle` takes, in words."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_BARE_HOST = re.compile(r"(www\.)?(tfhub\.dev|kaggle\.com)/")
_KAGGLE_PATH = re.compile(
    r"/models/(?P<owner>[^/]+)/(?P<model>[^/]+)(/frameworks)?/(?P<framework>[^/]+)"
    r"(/variations)?/(?P<variation>[^/]+)((/versions)?/(?P<version>\d+))?"
)
_KAGGLE_HANDLE = re.compile(
    r"(?P<owner>[\w-]+)/(?P<model>[\w.-]+)/(?P<framework>\w+)/(?P<variation>[\w.-]+)"
    r"(/(?P<version>\d+))?"
)
# Kaggle's own spellings. Only these frameworks can hold a SavedModel.
_FRAMEWORKS = {name.lower(): name for name in ("tensorFlow1", "tensorFlow2", "keras", "other")}


class HandleKind(enum.Enum):
    """Where a model comes from."""

    PACKAGED = "packaged"
    URL = "url"
    KAGGLE = "kaggle"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class ModelHandle:
    """One model, named without doubt.

    Attributes:
        kind: Where it comes from.
        address: In one spelling, so that equal models have equal handles: "mobile"; an https URL;
            OWNER/MODEL/FRAMEWORK/VARIATION[/VERSION]; an absolute path.
    """

    kind: HandleKind
    address: str

    @property
    def name(self) -> str:
        """For people: the short name where there is one, else the address."""
        return HUB if self.address == HUB_URL else self.address


def parse_handle(text: str) -> ModelHandle:
    """Say which model `text` means.

    The short names come first (write `./mobile` for a folder of that name), then URLs, then
    folders that exist, then Kaggle handles, then anything else that looks like a path.
    A folder need not exist here; `check_folder` looks at it.

    Args:
        text: What the user wrote.

    Raises:
        UsageError: It is none of these; the hint lists what is accepted.
    """
    text = text.strip()
    if text == MOBILE:
        return ModelHandle(HandleKind.PACKAGED, MOBILE)
    if text == HUB:
        return ModelHandle(HandleKind.URL, HUB_URL)
    if _SCHEME.match(text):
        return _parse_url(text)
    if text and os.path.exists(os.path.expanduser(text)):
        return _folder(text)
    if _BARE_HOST.match(text):
        return _parse_url(f"https://{text}")
    return _parse_kaggle(text) or _parse_path(text)


def check_model_folder(path: Path) -> None:
    """Raise unless `path` is a folder that holds a whole SavedModel.

    Raises:
        ModelError: It is missing, a file, no SavedModel, or one of another format.
    """
    if not os.path.exists(path):
        raise ModelError(f"There is no model folder {path}", f"check the path, or give {ACCEPTED}")
    if not path.is_dir():
        raise ModelError(
            f"{path} is a file, and a model is a folder (a TensorFlow SavedModel)", _file_hint(path)
        )
    require_saved_model(path, str(path))


def _parse_url(text: str) -> ModelHandle:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError as exc:
        raise UsageError(f"{text!r} is not a URL ({exc})", f"give {ACCEPTED}") from exc
    if not host:
        raise UsageError(f"The URL {text!r} names no server", f"give {ACCEPTED}")
    if parts.scheme == "http" and not _is_loopback(host):
        raise UsageError(
            f"A model is program code and is not fetched over plain http: {text}", "use https"
        )
    if parts.scheme not in ("http", "https"):
        raise UsageError(
            f"Models cannot be fetched from {parts.scheme}:// addresses", f"give {ACCEPTED}"
        )
    if host.removeprefix("www.") == "kaggle.com" and parts.path.startswith("/models/"):
        return _kaggle_from_url(parts)
    if host.removeprefix("www.") == "tfhub.dev":
        return ModelHandle(HandleKind.URL, f"https://tfhub.dev{parts.path.rstrip('/')}")
    return ModelHandle(HandleKind.URL, text)


def _kaggle_from_url(parts: SplitResult) -> ModelHandle:
    match = _KAGGLE_PATH.fullmatch(parts.path.rstrip("/"))
    if match is None:
        raise UsageError(
            f"The Kaggle address {parts.geturl()} does not say which variation is meant",
            "copy OWNER/MODEL/FRAMEWORK/VARIATION/VERSION from the model's page",
        )
    return _kaggle(match)


def _parse_kaggle(text: str) -> ModelHandle | None:
    match = _KAGGLE_HANDLE.fullmatch(text)
    if match is None or match["framework"].lower() not in _FRAMEWORKS:
        return None
    return _kaggle(match)


def _kaggle(match: re.Match[str]) -> ModelHandle:
    framework = _FRAMEWORKS.get(match["framework"].lower())
    if framework is None:
        raise UsageError(
            f"Kaggle's {match['framework']} variations are not SavedModels",
            f"choose a variation for one of: {', '.join(_FRAMEWORKS.values())}",
        )
    words = [match["owner"], match["model"], framework, match["variation"]]
    if match["version"]:
        words.append(str(int(match["version"])))
    return ModelHandle(HandleKind.KAGGLE, "/".join(words))


def _parse_path(text: str) -> ModelHandle:
    if "/" in text or "\\" in text or text.startswith(("~", ".")):
        return _folder(text)
    near = difflib.get_close_matches(text.lower(), (MOBILE, HUB), n=1, cutoff=0.6)
    guess = f"did you mean `{near[0]}`? " if near else ""
    raise UsageError(f"There is no model {text!r}", f"{guess}give {ACCEPTED}")


def _folder(text: str) -> ModelHandle:
    return ModelHandle(HandleKind.FOLDER, os.path.abspath(os.path.expanduser(text)))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _file_hint(path: Path) -> str:
    if path.name == GRAPH_FILE:
        return f"give its folder: `--model {path.parent}`"
    if path.suffix.lower() in (".gz", ".tgz", ".tar", ".zip"):
        return "unpack it, and give the folder that comes out"
    return f"give a folder that holds {GRAPH_FILE}, or use `--model mobile`"
