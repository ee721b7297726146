import gc
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from live_nst.video.color import HLG, PQ
from live_nst.video.hdr_colors import USUAL_PEAK, compress_highlights, peak_of, to_bt709
from tests.video import hdr_reference

NAMES = {HLG: "HLG", PQ: "PQ"}
GRADED_ON_4000 = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(40000000,50)"


def random_colors(count: int) -> np.ndarray:
    """Colors of all saturations, `[count, 3]`."""
    random = np.random.default_rng(5)
    colors = random.random((count, 3))
    gray = colors.mean(1, keepdims=True)
    return gray + random.random((count, 1)) * (colors - gray)


@pytest.mark.parametrize("peak", [400.0, 1000.0, 4000.0])
@pytest.mark.parametrize("transfer", NAMES)
def test_to_bt709_follows_the_recommendations(transfer: int, peak: float) -> None:
    colors = random_colors(500)
    expected = [hdr_reference.sdr(tuple(color), NAMES[transfer], peak) for color in colors]
    # The reference's matrix has four places.
    np.testing.assert_allclose(to_bt709(colors, transfer, 9, peak), expected, atol=0.004)


@pytest.mark.parametrize("transfer", NAMES)
def test_to_bt709_maps_black_and_the_peak(transfer: int) -> None:
    peak = 1.0 if transfer == HLG else hdr_reference.pq_inverse_eotf(1000.0)
    black, white = to_bt709(np.array([[0.0] * 3, [peak] * 3]), transfer)
    assert black == pytest.approx(0, abs=1e-3)
    assert white == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("transfer", NAMES)
def test_to_bt709_keeps_all_channels(transfer: int) -> None:
    """Nothing below the peak clips, not even colors far outside of BT.709."""
    colors = 0.02 + random_colors(2000) * (0.9 if transfer == HLG else 0.65)
    result = to_bt709(colors, transfer)
    assert result.min() > 0
    assert result.max() < 1


def test_to_bt709_keeps_the_hue() -> None:
    """The ratios of linear channels stay, where BT.709 has the color."""
    scene = np.array([0.9, 0.6, 0.4])  # BT.709 primaries, so that no matrix is in the way
    signals = np.array([[hdr_reference.pq_inverse_eotf(s * n) for s in scene] for n in (50, 900)])
    linear = to_bt709(signals, PQ, primaries=1) ** 2.4
    np.testing.assert_allclose(linear / linear[:, :1], [scene / scene[0]] * 2, rtol=1e-6)


def test_compress_highlights_leaves_the_rest() -> None:
    light = np.array([0.0, 1.0, 50.0, 203.0, 600.0, 1000.0, 5000.0])
    result = compress_highlights(light, 1000.0)
    np.testing.assert_allclose(result[:3], light[:3], atol=1e-4)
    assert 130 < result[3] < 145 < result[4] < 190
    np.testing.assert_allclose(result[5:], 203, rtol=1e-6)
    dark = np.array([0.0, 100.0, 203.0])
    np.testing.assert_allclose(compress_highlights(dark, 203.0), dark, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("peak", [300.0, 1000.0, 4000.0])
def test_compress_highlights_bends_only_downward(peak: float) -> None:
    """In PQ; otherwise some highlights would have more contrast than darker ones."""
    signals = np.linspace(0.01, hdr_reference.pq_inverse_eotf(peak), 400)
    light = np.array([hdr_reference.pq_eotf(value) for value in signals])
    mapped = [hdr_reference.pq_inverse_eotf(v) for v in compress_highlights(light, peak)]
    slope = np.diff(mapped) / np.diff(signals)
    assert np.diff(slope).max() < 1e-6
    assert slope.min() > 0.14


def first_frame(path: Path, params: str, transfer: int = PQ) -> av.VideoFrame:
    """The first frame of a new HEVC video with 10 bits, whose encoder gets these parameters."""
    with av.open(str(path), "w") as out:
        options = {"x265-params": f"log-level=none:{params}", "preset": "ultrafast"}
        stream: Any = out.add_stream("libx265", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_range = 9, 1
        context.color_primaries, context.color_trc = 9, transfer
        frame = av.VideoFrame(64, 64, "yuv420p10le")
        for plane in frame.planes:
            plane.update(b"\x00\x02" * (plane.buffer_size // 2))
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        out.mux(stream.encode(frame) + stream.encode(None))
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


@pytest.mark.parametrize(
    ("params", "transfer", "peak"),
    [
        ("repeat-headers=1", PQ, USUAL_PEAK),
        (f"master-display={GRADED_ON_4000}", PQ, 4000),
        ("max-cll=1500,300", PQ, 1500),
        (f"max-cll=1500,300:master-display={GRADED_ON_4000}", PQ, 1500),
        (f"max-cll=0,0:master-display={GRADED_ON_4000}", PQ, 4000),
        ("max-cll=7,1", PQ, 203),
        ("max-cll=1500,300", HLG, USUAL_PEAK),
    ],
)
def test_peak_of(tmp_path: Path, params: str, transfer: int, peak: float) -> None:
    frame = first_frame(tmp_path / "in.hevc", params, transfer)
    gc.collect()
    references = sys.getrefcount(frame)
    assert peak_of(frame) == peak
    assert sys.getrefcount(frame) == references  # it is not kept in memory


def test_peak_of_unknown_side_data(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(frame: av.VideoFrame) -> None:
        raise ValueError("unknown kind of side data")

    monkeypatch.setattr("live_nst.video.hdr_colors.SideDataContainer", fails)
    frame = av.VideoFrame(64, 48, "yuv420p10le")
    frame.color_trc = PQ
    assert peak_of(frame) == USUAL_PEAK
