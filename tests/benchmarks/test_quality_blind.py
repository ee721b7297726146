"""The blind comparison, without painting."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.quality import blind
from benchmarks.quality.models import Pair

GREY = np.full((40, 60, 3), 128, np.uint8)


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(
        blind, "pairs", lambda: [Pair(f"photo/style-{i % 4}", GREY, GREY) for i in range(40)]
    )
    shades = {"ours": 250, "theirs": 10}
    monkeypatch.setattr(
        blind, "paint_at_full_strength",
        lambda pairs, model: [np.full_like(pair.photo, shades[model]) for pair in pairs],
    )  # fmt: skip
    blind.main(["draw", str(tmp_path), "--models", "ours", "theirs"])
    return tmp_path


def key_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "key.json").read_text())
    return found


def test_the_sheets_show_what_the_key_says(drawn: Path) -> None:
    from PIL import Image

    assert len(list(drawn.glob("sheet-*.jpg"))) == 7
    key = key_of(drawn)
    assert [entry["A"] for entry in key.values()] != ["ours"] * 40
    assert {entry["A"] for entry in key.values()} == {"ours", "theirs"}  # by lot
    sheet = np.asarray(Image.open(drawn / "sheet-02.jpg"))
    for row in range(6):
        entry = key[str(7 + row)]
        bright = sheet[8 + row * 288 + 140, 8 + 400 + 8 + 200 + 8 + 200, 0] > 128
        assert entry["A" if bright else "B"] == "ours"


def test_count(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = key_of(drawn)
    answers = {
        number: ("A" if entry["A"] == "ours" else "B") + ("A" if entry["A"] == "theirs" else "B")
        for number, entry in key.items()
    }
    found = blind.count(key, answers)
    assert found["stream"]["ours"] == 40 and found["style"] == {"theirs": 40}
    assert found["stream"]["style-1: ours"] == 10
    (drawn / "answers.json").write_text(json.dumps(answers))
    assert blind.main(["count", str(drawn)]) == 0
    assert "stream {'ours': 40" in capsys.readouterr().out


@pytest.mark.parametrize("answer", [None, "A", "ABA", "AX"])
def test_every_pair_needs_an_answer(drawn: Path, answer: str | None) -> None:
    key = key_of(drawn)
    answers = dict.fromkeys(key, "AA") | ({} if answer is None else {"3": answer})
    if answer is None:
        del answers["3"]
    with pytest.raises(ValueError, match="3 has no answer"):
        blind.count(key, answers)
