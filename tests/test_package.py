"""The public names of the package."""

import subprocess
import sys

import live_nst
from live_nst import errors

INTERNAL = {"SplitError"}
"""Errors that never leave the package."""


def test_dir_shows_the_public_names() -> None:
    assert dir(live_nst) == sorted(live_nst.__all__)
    for name in live_nst.__all__:
        assert getattr(live_nst, name) is not None


def test_all_errors_are_public() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.LiveNstError)
    }
    assert defined - INTERNAL == {name for name in live_nst.__all__ if hasattr(errors, name)} - {
        "__doc__"
    }


def test_import_loads_nothing_heavy() -> None:
    program = "import sys, live_nst; print({'numpy', 'cv2', 'av', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
