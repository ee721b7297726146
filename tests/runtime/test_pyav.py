"""The versions of PyAV look alike to the rest of the program."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from live_nst.runtime.pyav import fraction, open_for_reading, open_for_writing

LATIN = b"Caf\xe9".decode("utf-8", "surrogateescape")


def film(path: Path, title: str) -> Path:
    with open_for_writing(path) as container:
        container.metadata["title"] = title
        stream: Any = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        picture = np.zeros((48, 64, 3), np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("numerator, denominator", [(0, 1), (0, 0), (1, 0), (-1, 0)])
def test_an_unset_fraction_is_none(numerator: int, denominator: int) -> None:
    assert fraction(SimpleNamespace(numerator=numerator, denominator=denominator)) is None


def test_fractions_are_exact_and_of_one_type() -> None:
    assert fraction(None) is None
    assert fraction(Fraction(30000, 1001)) == Fraction(30000, 1001)
    told = fraction(SimpleNamespace(numerator=2_147_483_647, denominator=90_000))
    assert type(told) is Fraction and told == Fraction(2_147_483_647, 90_000)


def test_what_a_file_says_becomes_a_fraction(tmp_path: Path) -> None:
    with open_for_reading(film(tmp_path / "in.mp4", "A film")) as container:
        stream = container.streams.video[0]
        rate, base = fraction(stream.average_rate), fraction(stream.time_base)
        assert type(rate) is type(base) is Fraction
        assert rate == 25 and base is not None and base < Fraction(1, 25)
        assert rate.limit_denominator(1001) == 25


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_metadata_that_is_no_utf8_is_kept_byte_for_byte(suffix: str, tmp_path: Path) -> None:
    source = film(tmp_path / f"in.{suffix}", LATIN)
    assert b"Caf\xe9" in source.read_bytes()
    with open_for_reading(source) as container:
        assert container.metadata["title"] == LATIN


@pytest.mark.parametrize("name", ["12:30.mp4", "a:b/out.mp4", "file:x.mp4", "file://x.mp4"])
def test_path_is_never_taken_for_a_protocol(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_for_reading(film(path, "A film")) as container:
        assert container.metadata["title"] == "A film"
