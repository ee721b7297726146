"""The words of `live-nst ctl`: between what people type and read, and the JSON of a session."""

import difflib
import re
from typing import Any

from live_nst.errors import UsageError

SETTINGS: dict[str, tuple[str, str]] = {
    "strength": ("0..1", "Set how strong the style is."),
    "keep-colors": ("0..1", "Set how much of the original's colors is kept."),
    "detail": ("0..1", "Set how much of the original's fine detail is added."),
    "stroke": ("0.3..3", "Set the size of the brush strokes."),
    "blend": ("pictures|styles", "Set what the strength blends."),
    "only": ("everywhere|person|background", "Set where the picture is stylized."),
    "size": ("auto|PIXELS", "Set the long side of the image that the network sees."),
    "mirror": ("on|off", "Flip left and right."),
    "split": ("on|off", "Show the original beside the result."),
    "split-at": ("0..1", "Set the place of the divider."),
    "frozen": ("on|off", "Hold the frame."),
}
"""The commands that set one number, word or switch: their values, and what they do."""


def to_value(name: str, text: str) -> float | bool | str:
    """Return the value of a setting as JSON has it.

    Raises:
        UsageError: It is none of the words, and no number in the range, where one is needed.
    """
    words = SETTINGS[name][0].split("|")
    if words == ["on", "off"]:
        return to_switch(text)
    if text in words:
        return text
    bounds = re.fullmatch(r"([\d.]+)\.\.([\d.]+)", words[0])
    try:
        value = int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
        if (bounds and float(bounds[1]) <= value <= float(bounds[2])) or words[-1] == "PIXELS":
            return value
    except ValueError:
        pass
    raise UsageError(f"Invalid {name} {text!r}", f"use {SETTINGS[name][0]}")


def to_switch(text: str) -> bool:
    """Return whether a word means on.

    Raises:
        UsageError: It means neither on nor off.
    """
    if text not in ("on", "off"):
        raise UsageError(f"{text!r} is neither on nor off", "use on or off")
    return text == "on"


def find_style(text: str, known: list[dict[str, Any]]) -> str | dict[str, float]:
    """Return the id of a style, or ids and weights of a mix.

    Args:
        text: An id, a label, or a mix of them.
        known: The styles that the session offers.

    Raises:
        UsageError: There is no such style.
    """
    ids = {entry["label"]: entry["id"] for entry in known}
    ids.update({entry["id"]: entry["id"] for entry in known})
    if text in ids:
        return str(ids[text])
    weights: dict[str, float] = {}
    for piece in text.split("+"):
        match = re.fullmatch(r"(.+):(\d*\.?\d+)", piece)
        name, weight = (match[1], float(match[2])) if match else (piece, 1.0)
        if name not in ids:
            close = difflib.get_close_matches(name, ids, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise UsageError(
                f"There is no style {name!r} in this session",
                f"{hint}`live-nst ctl styles` lists them",
            )
        weights[ids[name]] = weights.get(ids[name], 0.0) + weight
    return weights


def describe(state: dict[str, Any]) -> list[str]:
    """Return a state as lines for people."""
    session, settings, figures, runs = (
        state[name] for name in ("session", "settings", "figures", "runs")
    )
    if not session["running"]:
        return [session["problem"] or ("starting" if session["starting"] else "no session runs")]
    where = session["source"]
    lines = [
        f"{where['name']}: {where['width']}x{where['height']}, {figures['fps']:g} fps, "
        f"latency {figures['latency_ms']:.0f} ms, {figures['dropped']} dropped",
        f"style {settings['style_label']}, strength {settings['strength']:.0%}",
        f"{runs['model']}, {runs['engine']} on {runs['device']}, size "
        f"{runs['size'][0]}x{runs['size'][1]}{' auto' if runs['automatic_size'] else ''}",
    ]
    if state["recording"]["on"]:
        lines.append(f"recording {state['recording']['file']}")
    if state["virtual_camera"]["on"]:
        lines.append(f"virtual camera {state['virtual_camera']['device']}")
    lines += [
        f"stream {each['id']} to {each['url']}: {each['sentence']}" for each in state["streams"]
    ]
    if session["problem"]:
        lines.append(session["problem"])
    return lines
