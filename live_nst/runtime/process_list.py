"""Hide secrets among the arguments of this process, which all users of a machine can list."""

import ctypes
import sys
from pathlib import Path

_ARGUMENTS_START = 47  # field 48 of proc(5)'s "stat", and the one after it the end


def hide_in_process_list(secret: str) -> bool:
    """Overwrite a secret with asterisks in what `ps` shows of this process.

    Returns:
        Whether it was found. Only Linux lets a process change what is shown of it.
    """
    data = secret.encode("utf-8", "surrogateescape")
    if sys.platform != "linux" or not data:
        return False
    try:
        fields = Path("/proc/self/stat").read_text("utf-8", "replace")
        # The name of the program, in parentheses, may contain spaces.
        numbers = fields.rpartition(")")[2].split()
        start, end = (int(number) for number in numbers[_ARGUMENTS_START - 2 : _ARGUMENTS_START])
        shown = Path("/proc/self/cmdline").read_bytes()
    except (OSError, ValueError):
        return False
    # 0 where the kernel does not tell; other numbers where the process has changed its name.
    if not start or end - start < len(shown) or ctypes.string_at(start, len(shown)) != shown:
        return False
    position = shown.find(data)
    found = position >= 0
    while position >= 0:
        ctypes.memset(start + position, ord("*"), len(data))
        position = shown.find(data, position + len(data))
    return found
