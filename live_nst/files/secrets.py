"""What may be shown of an address: the one policy for messages, figures, logs and pages.

Addresses hold passwords of cameras and keys of streams. Whoever knows such a key can stream in the
user's name.
"""

import re

HIDDEN = "***"
"""Stands for what is not shown."""

_URL = re.compile(r"\b([a-z][a-z0-9+.-]*)://(\S*)", re.IGNORECASE)
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.IGNORECASE)


def hide_keys(text: str) -> str:
    """Return a text in which each URL is cut down to its scheme, host and port.

    The path, the query, user and password are replaced: services put their keys in any of them.
    If a URL is malformed, so that its host is not certain, the host is replaced as well.
    """
    return _URL.sub(lambda match: f"{match[1]}://{_visible(match[2])}", text)


def hide_login(address: str) -> str:
    """Return the address of a source without user, password and query; a path is kept.

    The path tells the channels of a recorder. Its parts that have a "=" are replaced: some cameras
    take user and password there. Of a malformed address only the scheme is kept. What is no address
    is returned as it is.
    """
    scheme, separator, rest = address.strip().partition("://")
    if not separator:
        return address
    if _visible(rest) == HIDDEN or "\\" in rest:
        return f"{scheme}://{HIDDEN}"
    before, _, query = rest.partition("#")[0].partition("?")
    authority, *parts = before.split("/")
    login, at, host = authority.rpartition("@")
    path = "".join(f"/{HIDDEN if '=' in part else part}" for part in parts)
    return f"{scheme}://{HIDDEN if login else ''}{at}{host}{path}{'?' + HIDDEN if query else ''}"


def _visible(rest: str) -> str:
    """Return what may be shown of a URL after "://"."""
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    tail = rest[len(authority) :]
    host = authority.rpartition("@")[2]
    if "@" in tail or not _HOST.fullmatch(host):  # a password that is not escaped, perhaps
        return HIDDEN
    hidden = len(authority) > len(host) or tail not in ("", "/")
    return f"{host}/{HIDDEN}" if hidden else host
