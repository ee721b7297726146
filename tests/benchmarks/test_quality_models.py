"""The comparison of models at equal style, without painting."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from benchmarks.quality import models
from benchmarks.quality.models import (
    BLENDS,
    OURS,
    REFERENCE,
    STRENGTHS,
    STROKES,
    Pair,
    at_equal_style,
    content_at,
    control_names,
    lowest_control,
    share_name,
    strength_name,
    stroke_name,
    uneven_strengths,
)
from benchmarks.quality.record import broken_by_models
from benchmarks.quality.report import write_tables
from live_nst.models.handles import PACKAGED

MODEL = OURS[0]


def terms(style: float, content: float) -> dict[str, float]:
    return {"style": style, "content": content, "total": style + content}


def summary(content: float = 0.1) -> dict[str, dict[str, float]]:
    """Controls as of the record, and our models, whose content rises evenly to `content`."""
    found = {REFERENCE: terms(0.366, 0.227)}
    shares = zip((0.1, 0.2, 0.35), ((0.291, 0.19), (0.298, 0.158), (0.405, 0.116)), strict=True)
    found |= {share_name(share): terms(*point) for share, point in shares}
    points = zip(STROKES, ((0.321, 0.151), (0.533, 0.122)), strict=True)
    found |= {stroke_name(stroke): terms(*point) for stroke, point in points}
    for model, strength in product(OURS, STRENGTHS):
        style = 1 - 0.8 * strength
        found[strength_name(model, strength, "styles")] = terms(style, content * strength)
        if strength < 1:  # the worse way
            name = strength_name(model, strength, "pictures")
            found[name] = terms(style, 1.5 * content * strength)
    return found


def test_what_is_compared_is_packaged() -> None:
    assert {REFERENCE, *OURS} <= set(PACKAGED)
    assert STRENGTHS[0] == 1 and list(STRENGTHS) == sorted(STRENGTHS, reverse=True)
    names = {strength_name(MODEL, s, blend) for s in STRENGTHS for blend in BLENDS}
    assert len({*control_names(), *names}) == 16


def test_content_at() -> None:
    curve = [(1.0, 0.0), (0.2, 0.4), (0.6, 0.1)]
    assert content_at(0.4, curve) == pytest.approx(0.25)
    assert content_at(0.2, curve) == pytest.approx(0.4)
    assert content_at(0.19, curve) is None and content_at(1.1, curve) is None


def test_the_lowest_control() -> None:
    means = summary()
    assert lowest_control(0.25, means) is None  # no control has so little
    assert lowest_control(0.291, means) == pytest.approx(0.19)
    assert lowest_control(0.3, means) == pytest.approx(0.158 - 0.042 * 2 / 107, abs=1e-3)
    # At .33 the broader strokes are no better than the share of the photo.
    assert lowest_control(0.33, means) == pytest.approx(0.158 - 0.042 * 32 / 107, abs=1e-3)
    means[stroke_name(2.0)] = terms(0.321, 0.1)
    assert lowest_control(0.33, means) == pytest.approx(0.1)
    assert lowest_control(0.32, means) > 0.14


def test_at_equal_style() -> None:
    table = at_equal_style(summary(0.1))
    assert list(table) == ["0.250", "0.300", "0.350", "0.366", "0.400", "0.450"]
    assert table["0.300"][MODEL] == pytest.approx(0.1 * 0.7 / 0.8)
    assert table["0.250"]["controls"] is None
    means = summary(0.1)
    for strength in STRENGTHS[1:]:
        means[strength_name(MODEL, strength, "pictures")] = terms(1 - 0.8 * strength, 0.0)
    assert at_equal_style(means)["0.400"][MODEL] == pytest.approx(0.0)  # the better way counts


def measured(content: float, pairs: dict[str, Any] | None = None) -> dict[str, Any]:
    means = summary(content)
    pairs = pairs or {way: {"a/b": each} for way, each in means.items()}
    return {"means": means, "content at equal style": at_equal_style(means), "pairs": pairs}


def test_broken_promises() -> None:
    assert broken_by_models({"record": measured(0.1)}) == []
    broken = broken_by_models({"record": measured(0.2)})
    assert f"record: {MODEL} is not below the controls at 0.350" in broken
    assert f"record: {MODEL} is not below the controls at 0.250" not in broken
    weak = measured(0.1)
    weak["content at equal style"]["0.250"][MODEL] = None
    assert broken_by_models({"record": weak}) == [
        f"record: {MODEL} does not reach a style of 0.250"
    ]


def test_uneven_strengths() -> None:
    pairs = {way: {"a/b": dict(each), "c/d": dict(each)} for way, each in summary().items()}
    assert uneven_strengths(pairs) == []
    pairs[strength_name(MODEL, STRENGTHS[2], "styles")]["c/d"]["style"] = 0.0
    assert uneven_strengths(pairs) == [f"{MODEL} at strength {STRENGTHS[2]:g}: c/d"]
    pairs[strength_name(MODEL, STRENGTHS[-1], "styles")]["a/b"]["content"] = 1.0
    assert f"{MODEL} at strength {STRENGTHS[-1]:g}: a/b" in uneven_strengths(pairs)


def test_paint_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = np.full((4, 6, 3), 200, np.uint8)
    pairs = [Pair("a/b", photo, photo), Pair("c/d", photo // 2, photo)]
    calls = []

    def paint(given: Any, model: str, look: Any, stroke: float) -> list[Any]:
        calls.append((model, look.strength, look.blend, stroke))
        return [pair.photo // 2 for pair in given]

    monkeypatch.setattr(models, "_paint", paint)
    found = models.paint_pairs(pairs)

    assert set(found) == {REFERENCE, *control_names()} | {
        strength_name(*way) for way in product(OURS, STRENGTHS, BLENDS)
    }
    assert (REFERENCE, 1.0, "pictures", 2.0) in calls and (MODEL, 0.6, "styles", 1.0) in calls
    assert (found[share_name(0.2)][0] == 120).all() and (found[share_name(0.1)][1] == 55).all()


def test_the_tables(tmp_path: Any) -> None:
    page = tmp_path / "results.md"
    names = ("models-record", "equal-record", "models-held-out", "equal-held-out")
    page.write_text("".join(f"<!-- table: {name} -->\n<!-- end -->\n" for name in names))
    write_tables(page, {"models": {"record": measured(0.1), "held out": measured(0.2)}})
    text = page.read_text()
    assert "| mobile, stroke 2 | 0.151 | 0.321 | 0.472 |" in text
    assert f"| style | controls | {' | '.join(OURS)} |" in text and "Not measured" not in text
