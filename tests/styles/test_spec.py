import math
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_nst.errors import StyleError
from live_nst.styles.builtin import builtin_image_path, builtin_styles
from live_nst.styles.spec import StylePart, format_style, mix_styles, parse_style

NAMES = st.sampled_from(tuple(builtin_styles()))
WEIGHTS = st.floats(0, 1e300).map(lambda weight: weight if weight > 1e-300 else 0.0)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(text: str) -> StyleError:
    with pytest.raises(StyleError) as caught:
        parse_style(text)
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


# A mix of two styles


def test_mix_styles_has_the_parts_of_both() -> None:
    spec = mix_styles(parse_style("starry:1+ink:3"), parse_style("wave"), 0.25)
    assert spec.label == "(starry 25% + ink 75%) 75% + wave 25%"
    assert [(part.path.stem, part.weight) for part in spec.parts] == [
        ("starry", 0.1875),
        ("ink", 0.5625),
        ("wave", 0.25),
    ]


def test_mix_styles_ends_are_the_styles() -> None:
    first, second = parse_style("starry"), parse_style("wave")
    assert mix_styles(first, second, 0.0) is first
    assert mix_styles(first, second, 1.0) is second


# One picture


@pytest.mark.parametrize("name", builtin_styles())
def test_name(name: str) -> None:
    spec = parse_style(name)
    assert spec.label == name
    assert spec.parts == (StylePart(builtin_image_path(name), 1.0),)


def test_name_wins_over_a_file_of_that_name(folder: Path) -> None:
    (folder / "starry").touch()
    assert parse_style("starry").parts[0].path == builtin_image_path("starry")
    assert parse_style("./starry").parts[0].path == Path("starry")


@pytest.mark.parametrize(
    "name", ["my.jpg", "no suffix", "a:0.5", "a+b.png", "a:1+b:2.jpg", "starry:2", "+", "5:"]
)
def test_file_with_any_name(folder: Path, name: str) -> None:
    (folder / name).touch()
    spec = parse_style(name)
    assert spec.label == name
    assert spec.parts == (StylePart(Path(name), 1.0),)


def test_path_label_is_its_last_part(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "my.jpg").touch()
    spec = parse_style(str(folder / "deep" / "my.jpg"))
    assert spec.label == "my.jpg"
    assert spec.parts == (StylePart(folder / "deep" / "my.jpg", 1.0),)


def test_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    (folder / "my.jpg").touch()
    assert parse_style("~/my.jpg").parts == (StylePart(folder / "my.jpg", 1.0),)
    mix = parse_style("~/my.jpg:1+starry:3")
    assert mix.parts[0] == StylePart(folder / "my.jpg", 0.25)


def test_single_style_with_weight() -> None:
    assert parse_style("wave:0.3").parts == parse_style("wave").parts
    assert parse_style("wave:0.3").label == "wave"


# Mixes


def test_mix() -> None:
    spec = parse_style("starry:0.7+wave:0.3")
    assert spec.label == "starry 70% + wave 30%"
    assert [part.path for part in spec.parts] == [
        builtin_image_path("starry"),
        builtin_image_path("wave"),
    ]
    assert [part.weight for part in spec.parts] == pytest.approx([0.7, 0.3])


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("starry+wave", [0.5, 0.5]),
        ("starry:3+wave", [0.75, 0.25]),
        ("starry+wave:3", [0.25, 0.75]),
        ("starry:1+wave:0", [1, 0]),
        ("starry:70+wave:30", [0.7, 0.3]),
        ("starry:.5+wave:1.", [1 / 3, 2 / 3]),
        ("starry:1e-3+wave:3e-3", [0.25, 0.75]),
        ("starry+wave+ink+candy", [0.25] * 4),
        ("starry+starry", [0.5, 0.5]),
    ],
)
def test_weights_become_shares(text: str, shares: list[float]) -> None:
    assert [part.weight for part in parse_style(text).parts] == pytest.approx(shares)


@given(st.lists(st.tuples(NAMES, WEIGHTS), min_size=2, max_size=6))
def test_shares_keep_proportions_and_add_up_to_1(pieces: list[tuple[str, float]]) -> None:
    weights = [weight for _, weight in pieces]
    # repr may give 1e+20, whose plus would separate two styles.
    text = "+".join(f"{name}:{weight:f}" for name, weight in pieces)
    weights = [float(f"{weight:f}") for weight in weights]
    if sum(weights) == 0:
        assert "add up to 0" in refusal(text).message
        return

    shares = [part.weight for part in parse_style(text).parts]

    assert math.fsum(shares) == pytest.approx(1)
    largest = max(weights)
    proportions = [weight / largest for weight in weights]
    assert [share / max(shares) for share in shares] == pytest.approx(proportions)


def test_files_with_colons_in_a_mix(folder: Path) -> None:
    (folder / "a:2.jpg").touch()
    assert [part.weight for part in parse_style("a:2.jpg:3+starry").parts] == [0.75, 0.25]
    assert [part.weight for part in parse_style("a:2.jpg+starry").parts] == [0.5, 0.5]


# Invalid styles


@pytest.mark.parametrize(
    "weight", ["-1", "-0.5", "nan", "inf", "-inf", "1e400", "NaN", "abc", "0x10", "1..2", "1e", "_"]
)
@pytest.mark.parametrize("pattern", ["starry:{}", "starry:{}+wave:1", "wave+starry:{}"])
def test_invalid_weights(weight: str, pattern: str) -> None:
    assert "Invalid weight" in refusal(pattern.format(weight)).message


@pytest.mark.parametrize("text", ["starry:0+wave:0", "starry:0+wave:0.0+ink:-0"])
def test_weights_that_add_up_to_0(text: str) -> None:
    assert "add up to 0" in refusal(text).message


def test_weights_that_overflow() -> None:
    assert "add up" in refusal("starry:1e308+wave:1e308").message


@pytest.mark.parametrize("text", ["starry+", "+starry", "starry++wave", "+", "", " ", "starry + "])
def test_empty_part(text: str) -> None:
    assert "has an empty part" in refusal(text).message


@pytest.mark.parametrize("text", ["starry:", ":0.5+wave", ":", "starry::0.5+wave"])
def test_too_many_colons(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("stary", "starry"), ("mosiac", "mosaic"), ("wavee", "wave"), ("Starry", "starry")],
)
@pytest.mark.parametrize("pattern", ["{}", "{}:0.5+ink:0.5", "ink+{}"])
def test_typing_error_suggests_a_name(typo: str, meant: str, pattern: str) -> None:
    error = refusal(pattern.format(typo))
    assert f"There is no style called '{typo}'" in error.message
    assert f"did you mean {meant}?" in error.hint
    assert "ink" in error.hint


def test_unknown_name_lists_the_names() -> None:
    error = refusal("qqqqqq")
    assert "did you mean" not in error.hint
    assert all(name in error.hint for name in builtin_styles())


@pytest.mark.parametrize(
    "name", ["missing.jpg", "pictures/missing", "/no/such/place.png", "~/nothing-here.webp"]
)
def test_missing_image(folder: Path, name: str) -> None:
    assert f"There is no style picture {name}" in refusal(name).message


def test_missing_image_with_windows_path(folder: Path) -> None:
    assert "There is no style picture" in refusal("C:\\pictures\\missing.jpg").message


@pytest.mark.parametrize(
    "name", ["x" * 5000, "y" * 300 + ".jpg", "~nobody-of-that-name/a.jpg", "a\0b.jpg", "a\nb"]
)
def test_names_that_no_file_can_have(folder: Path, name: str) -> None:
    with pytest.raises(StyleError):
        parse_style(name)


@given(st.text(max_size=30))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        spec = parse_style(text)
    except StyleError as exc:
        assert exc.message
    else:
        assert sum(part.weight for part in spec.parts) == pytest.approx(1)


@pytest.mark.parametrize(
    "text", ["starry", "art.jpg", "starry:0.7+wave:0.3", "art.jpg:0.125+ink:0.875"]
)
def test_format(folder: Path, text: str) -> None:
    shutil.copyfile(builtin_image_path("ink"), folder / "art.jpg")
    assert format_style(parse_style(text)) == text
    assert format_style(parse_style(text), lambda path: f"x/{path}").count(
        "x/art.jpg"
    ) == text.count("art.jpg")


def test_format_of_a_mix_with_a_plus_in_a_name(folder: Path) -> None:
    shutil.copyfile(builtin_image_path("ink"), folder / "a+b.jpg")
    single = parse_style("a+b.jpg")
    assert format_style(single) == "a+b.jpg"
    with pytest.raises(StyleError, match="without a \\+"):
        format_style(mix_styles(single, parse_style("ink"), 0.5))
