from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.errors import UsageError
from live_nst.look import Look, between

SHARES = st.floats(0, 1)
LOOKS = st.builds(Look, strength=SHARES, keep_colors=SHARES, detail=SHARES)


@pytest.mark.parametrize("name", ["strength", "keep_colors", "detail"])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf"), -float("inf")])
def test_what_is_out_of_range_is_refused(name: str, value: float) -> None:
    values: dict[str, Any] = {name: value}
    with pytest.raises(UsageError, match=name.replace("_", "-")) as caught:
        Look(**values)
    assert caught.value.hint


@given(LOOKS, LOOKS, SHARES)
def test_between_lies_between(first: Look, second: Look, share: float) -> None:
    middle = between(first, second, share)
    for name in ("strength", "keep_colors", "detail"):
        low, high = sorted((getattr(first, name), getattr(second, name)))
        assert low - 1e-12 <= getattr(middle, name) <= high + 1e-12


@given(LOOKS, LOOKS)
def test_the_ends_are_the_looks_themselves(first: Look, second: Look) -> None:
    assert between(first, second, 0.0) is first
    assert between(first, second, 1.0) is second


@given(LOOKS, SHARES)
def test_between_two_that_are_equal_is_hardly_anything_else(look: Look, share: float) -> None:
    middle = between(look, look, share)
    assert abs(middle.strength - look.strength) < 1e-12
