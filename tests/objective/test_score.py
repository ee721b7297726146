"""Scores of pictures and videos."""

from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from live_nst.errors import SourceError, StyleError, UsageError
from live_nst.objective.loss_functions import LossConfig
from live_nst.objective.score import StyleScorer, compare_files
from live_nst.objective.vgg import Vgg
from tests.objective.conftest import picture

FORM = LossConfig("vgg16", {"block2_conv1": 1.0}, {"block1_conv2": 0.5, "block2_conv1": 0.5})


@pytest.fixture
def scorer(vgg16: Vgg, tmp_path: Path) -> StyleScorer:
    cv2.imwrite(str(tmp_path / "style.png"), picture(48, 48, 9))
    return StyleScorer(vgg16, str(tmp_path / "style.png"), FORM, size=48)


def write(path: Path, image: Any) -> Path:
    cv2.imwrite(str(path), image)
    return path


def write_video(path: Path, pictures: list[Any]) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "1"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv444p"
        for image in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


def test_scores_between_content_and_style(scorer: StyleScorer, tmp_path: Path) -> None:
    one, style = picture(48, 48, 1), picture(48, 48, 9)
    half = cv2.addWeighted(one, 0.5, style, 0.5, 0)
    files = [write(tmp_path / f"{n}.png", p) for n, p in (("c", one), ("h", half), ("s", style))]
    own, between, there = compare_files(scorer, files[0], files[1:])
    assert own.content == 0 and own.relative == 1 and own.frames == 1
    assert 0 < between.content < there.content
    assert min(own.style, between.style) > 0
    assert there.style == pytest.approx(0, abs=1e-6 * own.style)
    assert there.total == pytest.approx(FORM.alpha * there.content + FORM.beta * there.style)
    assert set(there.style_layers) == set(FORM.style_layers)


def test_scores_do_not_depend_on_the_size(scorer: StyleScorer, tmp_path: Path) -> None:
    content = write(tmp_path / "content.png", picture(480, 480, 1))
    painted = cv2.resize(picture(480, 480, 2), (480, 480))
    large = write(tmp_path / "large.png", painted)
    small = write(tmp_path / "s.png", cv2.resize(painted, (48, 48), interpolation=cv2.INTER_AREA))
    _, one, two = compare_files(scorer, content, [large, small])
    assert one.total == pytest.approx(two.total, rel=1e-6)


def test_score_of_a_video(scorer: StyleScorer, tmp_path: Path) -> None:
    before, after = ([picture(48, 64, seed + i) for i in range(5)] for seed in (10, 30))
    content = write_video(tmp_path / "content.mp4", before)
    painted = write_video(tmp_path / "painted.mp4", after)
    own, found = compare_files(scorer, content, [painted], frames=3)
    assert own.frames == found.frames == 3
    expected = [scorer.measure(before[i], [after[i]])[1].total for i in (0, 2, 4)]
    assert found.total == pytest.approx(np.mean(expected), rel=0.05)  # it was encoded
    (lonely, _) = compare_files(scorer, content, [painted], frames=99)
    assert lonely.frames == 5


def test_invalid_comparisons(scorer: StyleScorer, vgg16: Vgg, tmp_path: Path) -> None:
    photo = write(tmp_path / "photo.png", picture(40, 40, 1))
    long = write_video(tmp_path / "long.mp4", [picture(48, 64, i) for i in range(5)])
    short = write_video(tmp_path / "short.mp4", [picture(48, 64, i) for i in range(3)])
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(UsageError, match=r"is an image and .* is a video"):
        compare_files(scorer, photo, [long])
    with pytest.raises(SourceError, match="has 3 frames"):
        compare_files(scorer, long, [short])
    with pytest.raises(SourceError, match=r"text\.mp4 cannot be read"):
        compare_files(scorer, long, [tmp_path / "text.mp4"])
    with pytest.raises(SourceError, match=r"missing\.png"):
        compare_files(scorer, photo, [tmp_path / "missing.png"])
    with pytest.raises(UsageError, match="frames 0"):
        compare_files(scorer, photo, [photo], frames=0)
    with pytest.raises(UsageError, match="size 5"):
        StyleScorer(vgg16, "starry", FORM, size=5)
    with pytest.raises(StyleError, match="nosuch"):
        StyleScorer(vgg16, "nosuch", FORM)
