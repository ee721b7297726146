"""What changes when, from words and pairs."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.timetable import (
    LookChange,
    StyleChange,
    TimedValue,
    build_look_changes,
    parse_look_changes,
    parse_number,
    parse_style_changes,
    parse_timed_values,
    timetable,
    value_at,
    with_strokes,
)
from live_nst.errors import UsageError
from live_nst.stylizer.look import Look
from tests.conversion.fakes import Negative


def numbers(*texts: str) -> tuple[TimedValue[float], ...]:
    return parse_timed_values("--strength", texts, 1.0, parse_number("--strength"))


def test_parse_timed_values() -> None:
    assert numbers() == (TimedValue(0.0, 1.0),)
    assert numbers("0.3") == (TimedValue(0.0, 0.3),)
    assert numbers("1@0:30", "0.3") == (TimedValue(0.0, 0.3), TimedValue(30.0, 1.0))
    assert numbers("0@1:02:03.5", "0.5@2s") == (
        TimedValue(0.0, 1.0),
        TimedValue(2.0, 0.5),
        TimedValue(3723.5, 0.0),
    )
    assert numbers("0.5@0") == (TimedValue(0.0, 0.5),)


@pytest.mark.parametrize(
    ("texts", "word"),
    [
        (("some",), "Invalid number 'some' for --strength"),
        (("0.3@soon",), "Invalid number '0.3@soon'"),
        (("@0:30",), "Invalid number '@0:30'"),
        (("0.3", "0.5"), "Two values of --strength begin at 0 s"),
        (("0.3@0:30", "0.5@30"), "Two values of --strength begin at 30 s"),
    ],
)
def test_parse_timed_values_errors(texts: tuple[str, ...], word: str) -> None:
    with pytest.raises(UsageError, match=word) as caught:
        numbers(*texts)
    assert "--strength" in caught.value.hint


def test_parse_style_changes_file_with_at_sign(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mask@0:30").touch()
    assert parse_timed_values("--only", ["mask@0:30"], "everywhere", str) == (
        TimedValue(0.0, "mask@0:30"),
    )
    keys = parse_timed_values("--only", ["a@b.png@0:30"], "everywhere", str)
    assert keys == (TimedValue(0.0, "everywhere"), TimedValue(30.0, "a@b.png"))


@given(
    st.dictionaries(st.integers(0, 20), st.floats(0, 1), max_size=5),
    st.dictionaries(st.integers(0, 20), st.floats(0, 1), max_size=5),
)
def test_build_look_changes(one: dict[int, float], other: dict[int, float]) -> None:
    strengths = numbers(*(f"{value}@{time}" for time, value in one.items()))
    details = parse_timed_values(
        "--detail", [f"{v}@{t}" for t, v in other.items()], 0.0, parse_number("--detail")
    )
    looks = build_look_changes(Look(keep_colors=0.5), {"strength": strengths, "detail": details})

    assert [coming.time for coming in looks] == sorted({0, *one, *other})
    for moment in range(25):
        look = value_at([TimedValue(coming.time, coming.look) for coming in looks], moment)
        assert look == Look(
            strength=value_at(strengths, moment), detail=value_at(details, moment), keep_colors=0.5
        )


def test_with_strokes() -> None:
    changes = with_strokes(
        parse_style_changes(["starry", "wave@10"]),
        (TimedValue(0.0, 1.0), TimedValue(5.0, 2.0), TimedValue(10.0, 0.5)),
    )
    assert changes == (
        StyleChange("starry", 0.0, 1.0),
        StyleChange("starry", 5.0, 2.0),
        StyleChange("wave", 10.0, 0.5),
    )


def test_build_look_changes_out_of_range() -> None:
    with pytest.raises(UsageError, match="strength"):
        build_look_changes(Look(), {"strength": numbers("1.5@0:30")})


def test_parse_look_changes() -> None:
    later, last = Look(strength=0.5), Look(detail=1.0)
    assert parse_look_changes(Look(), [(last, 9.0), (later, 3.0)]) == (
        LookChange(Look(), 0.0),
        LookChange(later, 3.0),
        LookChange(last, 9.0),
    )
    for time in (-1.0, math.nan, math.inf):
        with pytest.raises(UsageError, match="Invalid time"):
            parse_look_changes(Look(), [(later, time)])
    for times in ((0.0,), (3.0, 3.0)):
        with pytest.raises(UsageError, match="Two looks begin at"):
            parse_look_changes(Look(), [(later, time) for time in times])


def test_timetable_contains_only_changes() -> None:
    changes = with_strokes(
        parse_style_changes(["starry", "wave@10"]), (TimedValue(0.0, 1.0), TimedValue(5.0, 2.0))
    )
    looks = build_look_changes(Look(), {"strength": numbers("0.5", "1@10", "1@20")})
    assert timetable(changes, looks) == (
        {"time": 0.0, "style": "starry", "strength": 0.5},
        {"time": 5.0, "stroke": 2.0},
        {"time": 10.0, "style": "wave", "strength": 1.0},
    )
    picture = np.zeros((4, 4, 3), np.uint8)
    assert timetable(parse_style_changes([picture]), ()) == ({"time": 0.0, "style": "a picture"},)


def test_options_apply_in_order_of_times() -> None:
    weak, strong = Look(strength=0.2), Look()
    options = ConvertOptions(
        parse_style_changes(["starry", "wave@9"]),
        fade=2.0,
        looks=parse_look_changes(weak, [(strong, 5.0)]),
    )
    stylizer = Negative()
    options.apply(stylizer)
    assert stylizer.changes == [
        ("starry", -math.inf),
        ("wave", 9.0),
        (weak, -math.inf),
        (strong, 5.0),
    ]


def test_options_as_dict_differs_with_timetable() -> None:
    def shape(strokes: tuple[TimedValue[float], ...], *texts: str) -> dict[str, Any]:
        changes = with_strokes(parse_style_changes(["starry"]), strokes)
        looks = build_look_changes(Look(), {"strength": numbers(*texts)})
        return ConvertOptions(changes, looks=looks).as_dict()

    one = (TimedValue(0.0, 1.0),)
    shapes = [
        shape(one, "0.3", "1@9"),
        shape(one, "0.4", "1@9"),
        shape(one, "0.3", "1@8"),
        shape(one, "0.3", "0.9@9"),
        shape((TimedValue(0.0, 2.0),), "0.3", "1@9"),
        shape((TimedValue(0.0, 1.0), TimedValue(2.0, 2.0)), "0.3", "1@9"),
    ]
    assert shapes[0] == shape(one, "1@9", "0.3")
    assert all(a != b for i, a in enumerate(shapes) for b in shapes[:i])


def test_options_check_masks_and_strokes(tmp_path: Any) -> None:
    missing = Look(only=str(tmp_path / "mask.png"))
    with pytest.raises(UsageError, match=r"mask\.png"):
        ConvertOptions(looks=(LookChange(Look(), 0.0), LookChange(missing, 5.0))).check()
    with pytest.raises(UsageError, match="stroke"):
        ConvertOptions((StyleChange("starry", 0.0, 9.0),)).check()
