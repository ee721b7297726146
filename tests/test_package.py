"""The names that the package offers."""

import subprocess
import sys

import pytest

import live_nst
from live_nst.conversion.api import convert
from live_nst.stylizer.stylizer import Stylizer


def test_dir_lists_the_public_names() -> None:
    assert dir(live_nst) == sorted(live_nst.__all__)
    for name in live_nst.__all__:
        assert getattr(live_nst, name) is not None
    assert live_nst.Stylizer is Stylizer
    assert live_nst.convert is convert


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        live_nst.Nothing  # noqa: B018


def test_import_is_light() -> None:
    code = "import sys, live_nst; print([m for m in ('numpy', 'cv2', 'av') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
