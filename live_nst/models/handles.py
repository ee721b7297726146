"""Parse what the user gives for `--model`: a name, a URL, a Kaggle handle or a folder."""

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
"""The name of Magenta's mobile networks, which are in the package."""

FINE = "fine"
"""The name of the network of our own in the package: `MOBILE`'s shape, trained further."""

LIVE = "live"
"""The name of the quickest network in the package, a shape of our own."""

PACKAGED = (MOBILE, FINE, LIVE)
"""The names of all models in the package."""

HUB = "hub"
"""The short name of `HUB_URL`."""

HUB_URL = "https://tfhub.dev/google/magenta/arbitrary-image-stylization-v1-256/2"
"""Magenta's arbitrary image stylization model on TF Hub."""

_ACCEPTED = (
    f"`{MOBILE}`, `{FINE}`, `{LIVE}`, `{HUB}`, a tfhub.dev or other https URL, a Kaggle handle "
    "(OWNER/MODEL/FRAMEWORK/VARIATION/VERSION), or a SavedModel folder"
)
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
# As Kaggle spells them. Models for other frameworks are never SavedModels.
_FRAMEWORKS = {name.lower(): name for name in ("tensorFlow1", "tensorFlow2", "keras", "other")}


class HandleKind(enum.Enum):
    """Where a model comes from."""

    PACKAGED = "packaged"
    URL = "url"
    KAGGLE = "kaggle"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class ModelHandle:
    """The address of one model.

    Attributes:
        kind: Where the model comes from.
        address: A name in `PACKAGED`; an https URL; OWNER/MODEL/FRAMEWORK/VARIATION[/VERSION]; or
            an absolute path. It is normalized: the same model always has the same address.
    """

    kind: HandleKind
    address: str

    @property
    def name(self) -> str:
        """The name to show: the short name if there is one, else the address."""
        return HUB if self.address == HUB_URL else self.address


def parse_handle(text: str) -> ModelHandle:
    """Return the model that `text` names.

    The text is compared with the short names first (write `./mobile` for a folder of that name),
    then with URLs, existing folders and Kaggle handles. Any other text that looks like a path is
    taken as a folder, which need not exist; use `check_model_folder` to check it.

    Args:
        text: What the user typed.

    Raises:
        UsageError: The text is none of these; the hint lists what is accepted.
    """
    text = text.strip()
    if text in PACKAGED:
        return ModelHandle(HandleKind.PACKAGED, text)
    if text == HUB:
        return ModelHandle(HandleKind.URL, HUB_URL)
    if _SCHEME.match(text):
        return _parse_url(text)
    if text and os.path.exists(os.path.expanduser(text)):
        return _folder(text)
    if _BARE_HOST.match(text):
        return _parse_url(f"https://{text}")
    kaggle = _KAGGLE_HANDLE.fullmatch(text)
    if kaggle is not None and kaggle["framework"].lower() in _FRAMEWORKS:
        return _kaggle(kaggle)
    if "/" in text or "\\" in text or text.startswith(("~", ".")):
        return _folder(text)
    raise no_model(text)


def no_model(text: str, accepted: str = _ACCEPTED) -> UsageError:
    """Return the error of a text that names no model.

    Args:
        text: What the user typed.
        accepted: What could be given in its place, in words.
    """
    near = difflib.get_close_matches(text.lower(), (*PACKAGED, HUB), n=1, cutoff=0.6)
    guess = f"did you mean `{near[0]}`? " if near else ""
    return UsageError(f"There is no model {text!r}", f"{guess}give {accepted}")


def check_model_folder(path: Path) -> None:
    """Raise an error unless `path` is a folder with a complete SavedModel.

    Raises:
        ModelError: The path is missing, a file, or holds something else.
    """
    if not os.path.exists(path):
        raise ModelError(f"There is no model folder {path}", f"check the path, or give {_ACCEPTED}")
    if not path.is_dir():
        raise ModelError(
            f"{path} is a file, and a model is a folder (a TensorFlow SavedModel)", _file_hint(path)
        )
    require_saved_model(path, str(path))


def _parse_url(text: str) -> ModelHandle:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        _ = parts.port  # raises ValueError if the port is no number
    except ValueError as exc:
        raise UsageError(f"{text!r} is not a URL ({exc})", f"give {_ACCEPTED}") from exc
    if not host:
        raise UsageError(f"The URL {text!r} has no host", f"give {_ACCEPTED}")
    if parts.scheme == "http" and not _is_loopback(host):
        raise UsageError(
            f"A model is program code and is not downloaded over plain http: {text}", "use https"
        )
    if parts.scheme not in ("http", "https"):
        raise UsageError(
            f"Models cannot be downloaded from {parts.scheme}:// URLs", f"give {_ACCEPTED}"
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
            f"The Kaggle URL {parts.geturl()} does not say which variation of the model to use",
            "copy OWNER/MODEL/FRAMEWORK/VARIATION/VERSION from the model's page",
        )
    return _kaggle(match)


def _kaggle(match: re.Match[str]) -> ModelHandle:
    framework = _FRAMEWORKS.get(match["framework"].lower())
    if framework is None:
        raise UsageError(
            f"Kaggle's {match['framework']} variations are not SavedModels",
            f"choose a variation for one of: {', '.join(_FRAMEWORKS.values())}",
        )
    parts = [match["owner"], match["model"], framework, match["variation"]]
    if match["version"]:
        parts.append(str(int(match["version"])))
    return ModelHandle(HandleKind.KAGGLE, "/".join(parts))


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
