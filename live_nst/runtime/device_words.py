"""The words of `--device`: auto, cpu, gpu, gpu:1, npu. Nothing heavy is imported here."""

import re

from live_nst.errors import UsageError

DEVICE_WORDS = "auto, cpu, gpu, gpu:1 (the second GPU) or npu"

DEVICE_PATTERN = r"^(auto|cpu|npu|gpu(:[0-9]{1,2})?)$"
"""A regular expression for them."""


def check_device(text: str) -> str:
    """Return the word of a device; "gpu:0" and "gpu" are the same one, the first GPU.

    Raises:
        UsageError: It is none.
    """
    if not re.fullmatch(DEVICE_PATTERN, text):
        raise UsageError(f"Invalid device {text!r}.", f"use {DEVICE_WORDS}")
    kind, _, number = text.partition(":")
    return f"{kind}:{int(number)}" if number and int(number) else kind


def gpu_number(word: str) -> int:
    """Return the number of a GPU, from 0: 1 for "gpu:1"."""
    return int(word.partition(":")[2] or 0)


def gpu_word(number: int) -> str:
    """Return the word of a GPU by its number, from 0."""
    return f"gpu:{number}" if number else "gpu"


def describe_device(word: str) -> str:
    """Return a word as it is written in sentences: "CPU", "GPU", "GPU 1", "NPU"."""
    return word.upper().replace(":", " ")
