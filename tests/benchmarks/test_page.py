"""Test that the tables of the page agree with the JSON file."""

import json
from pathlib import Path

import pytest

from benchmarks.markdown import fill_tables, table_names
from benchmarks.speed import record
from benchmarks.speed.part import summarize

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "benchmarks" / "speed" / "results.md").read_text("utf-8")
RECORD = json.loads((ROOT / "benchmarks" / "speed" / "results.json").read_text("utf-8"))


def test_fill_tables() -> None:
    page = (
        "# A\n\n<!-- table: one -->\nold\nold\n<!-- end -->\nB\n<!-- table: two -->\n<!-- end -->\n"
    )
    filled = fill_tables(page, {"one": "| 1 |"})
    assert filled == (
        "# A\n\n<!-- table: one -->\n| 1 |\n<!-- end -->\nB\n"
        "<!-- table: two -->\nNot measured yet.\n<!-- end -->\n"
    )
    assert fill_tables(filled, {"one": "| 1 |"}) == filled
    assert table_names(page) == ["one", "two"]


def test_page_equals_json() -> None:
    assert fill_tables(PAGE, record.make_tables(RECORD)) == PAGE


def test_page_has_all_tables() -> None:
    assert set(table_names(PAGE)) == {*record.PART_NAMES, "machine", "promises"}


@pytest.mark.parametrize("name", sorted(RECORD["parts"]))
def test_parts_of_json(name: str) -> None:
    part = RECORD["parts"][name]
    assert name in record.PART_NAMES
    assert part["date"]
    assert part["seconds"] > 0
    if name != "accuracy":
        assert part["summary"].keys() == summarize(part["rounds"]).keys()
        for value, spread in summarize(part["rounds"]).items():
            assert part["summary"][value] == pytest.approx(spread, rel=1e-3)


def test_machine_of_json() -> None:
    assert set(RECORD["machine"]) == {
        "processor", "instructions", "cores", "memory_gb", "system", "python", "versions",
    }  # fmt: skip
