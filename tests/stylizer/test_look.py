from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.errors import UsageError
from live_nst.stylizer.look import Look, interpolate_looks

SHARES = st.floats(0, 1)
ONLY = st.sampled_from(["everywhere", "person", "background", "mask.png"])
BLENDS = st.sampled_from(["pictures", "styles"])
LOOKS = st.builds(Look, strength=SHARES, keep_colors=SHARES, detail=SHARES, only=ONLY, blend=BLENDS)


@pytest.mark.parametrize("name", ["strength", "keep_colors", "detail"])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf"), -float("inf")])
def test_invalid_numbers(name: str, value: float) -> None:
    values: dict[str, Any] = {name: value}
    with pytest.raises(UsageError, match=name.replace("_", "-")) as caught:
        Look(**values)
    assert caught.value.hint


def test_invalid_blend() -> None:
    with pytest.raises(UsageError, match="paint") as caught:
        Look(blend="paint")
    assert "pictures or styles" in caught.value.hint


@given(LOOKS)
def test_opacity_and_style_share(look: Look) -> None:
    assert look.opacity == (look.strength if look.blend == "pictures" else 1.0)
    assert look.style_share == (look.strength if look.blend == "styles" else 1.0)
    assert look.shows_content_only == (look.blend == "pictures" and look.strength == 0)


@given(LOOKS, LOOKS, SHARES)
def test_interpolate_looks(first: Look, second: Look, share: float) -> None:
    middle = interpolate_looks(first, second, share)
    nearer = first if share < 0.5 else second
    assert (middle.only, middle.blend) == (nearer.only, nearer.blend)
    for name in ("strength", "keep_colors", "detail"):
        low, high = sorted((getattr(first, name), getattr(second, name)))
        assert low - 1e-12 <= getattr(middle, name) <= high + 1e-12


@given(LOOKS, LOOKS)
def test_interpolate_looks_ends_are_the_looks(first: Look, second: Look) -> None:
    assert interpolate_looks(first, second, 0.0) is first
    assert interpolate_looks(first, second, 1.0) is second


@given(LOOKS, SHARES)
def test_interpolate_looks_of_equal_looks(look: Look, share: float) -> None:
    middle = interpolate_looks(look, look, share)
    assert abs(middle.strength - look.strength) < 1e-12


def test_mask_file() -> None:
    assert Look(only="person").mask_file is None
    assert Look(only="folder/mask.png").mask_file == Path("folder/mask.png")
    assert Look(only="~/mask.png").mask_file == Path.home() / "mask.png"


def test_fingerprint_includes_mask_content(tmp_path: Path) -> None:
    one, same, other = (tmp_path / name for name in ("one.png", "same.png", "other.png"))
    for path, content in ((one, b"a"), (same, b"a"), (other, b"b")):
        path.write_bytes(content)
    prints = [Look(only=str(path)).fingerprint() for path in (one, same, other)]
    assert prints[0] == prints[1] != prints[2]
    one.write_bytes(b"c")
    assert Look(only=str(one)).fingerprint() != prints[0]


@given(LOOKS.filter(lambda look: look.mask_file is None), LOOKS)
def test_fingerprint_differs_for_different_looks(first: Look, second: Look) -> None:
    if second.mask_file is None:
        assert (first.fingerprint() == second.fingerprint()) == (first == second)
