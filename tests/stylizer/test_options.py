"""Options are checked where they are made, before a model is downloaded."""

import subprocess
import sys
from typing import Any

import pytest

from live_nst.errors import UsageError
from live_nst.stylizer.options import STABILIZE_MODES, StylizerOptions, check_stabilize_mode


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"styles": ()}, "style"),
        ({"size": 63}, "size 63"),
        ({"size": 4097}, "size 4097"),
        ({"stroke": 0.29}, "stroke 0.29"),
        ({"stroke": float("nan")}, "stroke nan"),
        ({"stabilize": "steady"}, "steady"),
        ({"concurrency": 0}, "concurrency 0"),
    ],
)
def test_invalid_values(values: dict[str, Any], word: str) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        StylizerOptions(**values)
    assert caught.value.hint


def test_check_stabilize_mode() -> None:
    assert [check_stabilize_mode(mode) for mode in STABILIZE_MODES] == ["off", "fast", "best"]


def test_import_is_light() -> None:
    code = "import sys, live_nst.stylizer.options; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
