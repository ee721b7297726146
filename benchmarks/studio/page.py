"""A page in Chromium: its first picture, a click on a style, the latency."""

import re
import shutil
import time
from typing import Any

CHANGED = 8.0
"""By how many levels of 0..255, in the mean, a picture has visibly changed."""

_STYLES = ("candy", "ink", "mosaic", "wave", "comic")
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_NOTES = """
window.__first = null; window.__log = null; window.__base = null; window.__click = null;
const Decoder = window.VideoDecoder;
const small = new OffscreenCanvas(16, 9).getContext("2d", { willReadFrequently: true });
window.VideoDecoder = class extends Decoder {
  constructor(init) {
    super({ ...init, output: (frame) => {
      if (window.__log) {
        small.drawImage(frame, 0, 0, 16, 9);
        const pixels = small.getImageData(0, 0, 16, 9).data;
        window.__base ??= pixels;
        let sum = 0;
        for (let i = 0; i < pixels.length; i++) sum += Math.abs(pixels[i] - window.__base[i]);
        window.__log.push([performance.now(), sum / (16 * 9 * 3)]);
      }
      init.output(frame);
      window.__first ??= performance.now();
    } });
  }
};
addEventListener("click", () => { window.__click = performance.now(); }, { capture: true });
"""


def measure_page(url: str, loads: int = 4) -> dict[str, list[float]] | None:
    """Measure a page of a running studio.

    Args:
        url: Its address.
        loads: How often the page is loaded.

    Returns:
        "first_ms": from the start of a navigation to the first picture, of each load; "click_ms":
        from a click on a style to a picture that differs by `CHANGED`; "latency_ms": from the
        camera to the page, as the page says it; None without Playwright or Chromium.
    """
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    if program is None:
        return None
    found: dict[str, list[float]] = {"first_ms": [], "click_ms": [], "latency_ms": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for number in range(loads):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.add_init_script(_NOTES)
            page.goto(url, wait_until="commit")
            while page.evaluate("window.__first") is None:
                time.sleep(0.05)
            found["first_ms"].append(page.evaluate("window.__first"))
            time.sleep(3)
            if number < loads - 1:
                page.close()
        found["click_ms"] = [_click(page, style) for style in _STYLES]
        for _ in range(30):
            shown = re.search(r"Latency\s*(\d+)\s*ms", page.inner_text("body"))
            if shown:
                found["latency_ms"].append(float(shown[1]))
            time.sleep(0.3)
        browser.close()
    return found


def _click(page: Any, style: str) -> float:
    page.evaluate("window.__base = null; window.__log = []")
    time.sleep(0.2)
    page.get_by_text(style, exact=True).first.click()
    time.sleep(1.5)
    clicked, log = page.evaluate("[window.__click, window.__log]")
    page.evaluate("window.__log = null")
    time.sleep(1.0)
    changed = (at - clicked for at, levels in log if at > clicked and levels > CHANGED)
    return float(next(changed, float("inf")))
