"""The public names of the package."""

import subprocess
import sys

import pytest

import live_nst
from live_nst import errors
from live_nst.conversion.api import convert
from live_nst.stylizer.stylizer import Stylizer

INTERNAL_ERRORS = {
    "SplitError",  # caught inside the package
    *("ControlError", "ServerError"),  # raised by commands that have no function in the package
}


def test_dir_lists_the_public_names() -> None:
    assert dir(live_nst) == sorted(live_nst.__all__)
    for name in live_nst.__all__:
        assert getattr(live_nst, name) is not None
    assert live_nst.Stylizer is Stylizer
    assert live_nst.convert is convert


def test_all_errors_are_public() -> None:
    defined = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert defined - INTERNAL_ERRORS <= set(live_nst.__all__)


def test_unknown_names() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        live_nst.Nothing  # noqa: B018


def test_import_is_light() -> None:
    code = "import sys, live_nst; print([m for m in ('numpy', 'cv2', 'av') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
