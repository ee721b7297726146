"""The page and its JSON agree, and the tables are made from the JSON alone."""

import json
from pathlib import Path

import pytest

from benchmarks.speed import record
from benchmarks.speed.page import fill, places
from benchmarks.speed.part import summarize

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
RECORD = json.loads((ROOT / "docs" / "benchmarks.json").read_text("utf-8"))


def test_places_are_filled_and_the_rest_is_left_alone() -> None:
    page = (
        "# A\n\n<!-- table: one -->\nold\nold\n<!-- end -->\nB\n<!-- table: two -->\n<!-- end -->\n"
    )
    filled = fill(page, {"one": "| 1 |"})
    assert filled == (
        "# A\n\n<!-- table: one -->\n| 1 |\n<!-- end -->\nB\n"
        "<!-- table: two -->\nNot measured yet.\n<!-- end -->\n"
    )
    assert fill(filled, {"one": "| 1 |"}) == filled
    assert places(page) == ["one", "two"]


def test_the_page_says_what_the_json_says() -> None:
    assert fill(PAGE, record.tables(RECORD)) == PAGE


def test_every_part_has_its_place() -> None:
    assert set(places(PAGE)) == {*record.NAMES, "machine", "promises"}


@pytest.mark.parametrize("name", sorted(RECORD["parts"]))
def test_every_part_of_the_json_has_its_form(name: str) -> None:
    part = RECORD["parts"][name]
    assert name in record.NAMES
    assert part["date"]
    assert part["seconds"] > 0
    if name != "accuracy":
        assert part["summary"].keys() == summarize(part["rounds"]).keys()
        for value, spread in summarize(part["rounds"]).items():
            assert part["summary"][value] == pytest.approx(spread, rel=1e-3)


def test_the_json_tells_the_machine() -> None:
    assert set(RECORD["machine"]) == {
        "processor", "instructions", "cores", "memory_gb", "system", "python", "versions",
    }  # fmt: skip
