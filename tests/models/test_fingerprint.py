import os
import re

import pytest

from live_nst.errors import ModelError
from live_nst.models.saved_model import fingerprint
from tests.models.fake_saved_models import write_module


@pytest.fixture
def module(tmp_path):
    return write_module(tmp_path / "module")


def test_is_a_sha256_in_hexadecimal(module):
    assert re.fullmatch("[0-9a-f]{64}", fingerprint(module))


def test_place_and_time_do_not_matter(module, tmp_path):
    other = write_module(tmp_path / "else" / "where")
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    assert fingerprint(other) == fingerprint(module)


@pytest.mark.parametrize(
    "name",
    ["saved_model.pb", "variables/variables.index", "variables/variables.data-00001-of-00002"],
)
def test_every_byte_matters(module, name):
    before = fingerprint(module)
    content = bytearray((module / name).read_bytes())
    content[-1] ^= 1
    (module / name).write_bytes(content)
    assert fingerprint(module) != before


def test_names_matter(module):
    before = fingerprint(module)
    (module / "variables/variables.index").rename(module / "variables/other")
    assert fingerprint(module) != before


def test_bytes_that_move_between_neighbors_matter(module):
    first, second = (module / f"variables/{name}" for name in "ab")
    first.write_bytes(b"one")
    second.write_bytes(b"two")
    before = fingerprint(module)
    first.write_bytes(b"onet")
    second.write_bytes(b"wo")
    assert fingerprint(module) != before


def test_what_is_not_computed_does_not_matter(module):
    before = fingerprint(module)
    (module / "README.md").write_bytes(b"hello")
    (module / "assets/words.txt").unlink()
    assert fingerprint(module) == before


def test_a_missing_graph_is_an_error(module):
    (module / "saved_model.pb").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        fingerprint(module)
