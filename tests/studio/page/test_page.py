"""The page in a real browser: it shows, changes and sends pictures."""

import re
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.types import Image
from tests.studio.page.conftest import Studio

pytestmark = pytest.mark.slow

OpenPage = Callable[..., Any]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def picture_of(page: Any) -> Image:
    """Return what the canvas shows, small: RGB float."""
    data = page.evaluate(
        """() => {
          const small = document.createElement("canvas");
          small.width = 64; small.height = 36;
          const context = small.getContext("2d");
          context.drawImage(document.getElementById("canvas"), 0, 0, 64, 36);
          return [...context.getImageData(0, 0, 64, 36).data];
        }"""
    )
    return np.asarray(data, np.float32).reshape(36, 64, 4)[..., :3]


def wait_until(page: Any, holds: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, what
        page.wait_for_timeout(50)


def saturation(image: Image) -> float:
    return float(np.mean(image.max(-1) - image.min(-1)))


def choose(page: Any, style: str) -> None:
    page.locator(f"[data-style={style}] .tile").click()
    page.wait_for_selector(f"[data-style={style}] .tile[aria-pressed=true]")


def file_of(color: tuple[int, int, int]) -> bytes:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 60, (96, 128, 3))
    buffer = BytesIO()
    Pillow.fromarray(np.clip(np.array(color) + noise, 0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_it_shows_moving_painted_video(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, "ink")
    wait_until(page, lambda: saturation(picture_of(page)) < 40, "ink has no colors")
    first = picture_of(page)
    assert first.std() > 20  # a picture, no empty canvas
    wait_until(page, lambda: abs(picture_of(page) - first).mean() > 1, "nothing moves")


def test_a_click_on_a_style_changes_the_picture(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, "ink")
    wait_until(page, lambda: saturation(picture_of(page)) < 40, "ink has no colors")
    choose(page, "candy")
    wait_until(page, lambda: saturation(picture_of(page)) > 70, "candy has bright ones")
    assert page.locator("#style-label").inner_text() == "candy"


def test_an_uploaded_picture_becomes_a_style(open_page: OpenPage) -> None:
    page = open_page()
    page.set_input_files(
        "#upload-file",
        {"name": "my_orange wall.png", "mimeType": "image/png", "buffer": file_of((190, 90, 0))},
    )
    tile = page.locator(".tile-item", has_text="my orange wall")
    tile.locator(".tile[aria-pressed=true]").wait_for()
    wait_until(
        page,
        lambda: "thumbnail" in (tile.locator("img").get_attribute("src") or ""),
        "its thumbnail is not painted",
    )
    choose(page, "ink")
    tile.hover()
    tile.locator(".tile-remove").click()
    wait_until(page, lambda: tile.count() == 0, "it is not removed")


def test_a_dropped_and_a_pasted_picture_become_styles(open_page: OpenPage) -> None:
    page = open_page()
    for kind, name in (("drop", "dropped.png"), ("paste", "pasted.png")):
        page.evaluate(
            """([kind, name, bytes]) => {
              const data = new DataTransfer();
              data.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
              const options = { bubbles: true, cancelable: true };
              window.document.body.dispatchEvent(
                kind === "drop"
                  ? new DragEvent("drop", { ...options, dataTransfer: data })
                  : new ClipboardEvent("paste", { ...options, clipboardData: data }));
            }""",
            [kind, name, list(file_of((40, 60, 160)))],
        )
        page.locator(".tile-item", has_text=name.removesuffix(".png")).wait_for()
    choose(page, "ink")
    for name in ("dropped", "pasted"):
        tile = page.locator(".tile-item", has_text=name)
        tile.hover()
        tile.locator(".tile-remove").click()
        wait_until(page, lambda tile=tile: tile.count() == 0, "it is not removed")


def test_a_second_page_shows_the_same(open_page: OpenPage) -> None:
    first, second = open_page(), open_page()
    choose(first, "wave")
    second.wait_for_selector("[data-style=wave] .tile[aria-pressed=true]")
    first.locator("#strength-row-input").fill("0.4")
    wait_until(
        second, lambda: second.locator("#strength-row-input").input_value() == "0.4", "strength"
    )
    second.locator("#detail-row-input").fill("0.5")
    wait_until(first, lambda: first.locator("#detail-row-input").input_value() == "0.5", "and back")


def test_two_styles_are_mixed_with_a_slider(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, "ink")
    page.select_option("#mix-second", "candy")
    page.locator("#mix-slider").fill("0.25")
    share = page.locator("[data-style=candy] .tile-share")
    wait_until(page, lambda: share.inner_text() == "25%", "the share is shown")
    page.locator("#mix-slider").fill("1")
    wait_until(page, lambda: saturation(picture_of(page)) > 70, "candy alone is seen")
    page.select_option("#mix-second", "")
    wait_until(page, lambda: saturation(picture_of(page)) < 40, "ink alone is seen")


def test_the_divider_is_dragged_and_moved_by_keys(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, "ink")
    page.keyboard.press("v")
    divider = page.locator("#divider")
    divider.wait_for()
    box = page.locator("#picture").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], middle, steps=4)
    page.mouse.up()
    assert divider.get_attribute("aria-valuenow") == "80"
    wait_until(
        page,
        lambda: saturation(picture_of(page)[:, :45]) > saturation(picture_of(page)[:, 54:]) + 15,
        "the original is left of the divider",
    )
    divider.press("ArrowLeft")
    wait_until(page, lambda: divider.get_attribute("aria-valuenow") == "78", "a key moves it")
    page.keyboard.press("v")
    divider.wait_for(state="hidden")


def test_keys_do_what_they_do_in_the_window(open_page: OpenPage) -> None:
    page = open_page()
    choose(page, "ink")
    page.keyboard.press("m")
    page.wait_for_selector("#mirror[aria-pressed=true]")
    page.keyboard.press("m")
    page.wait_for_selector("#mirror[aria-pressed=false]")
    page.keyboard.press("2")
    page.wait_for_selector("[data-style=candy] .tile[aria-pressed=true]")
    page.keyboard.press(" ")
    page.wait_for_selector("#frozen[aria-pressed=true]")
    page.keyboard.press(" ")
    page.wait_for_selector("#frozen[aria-pressed=false]")
    page.keyboard.press("?")
    page.wait_for_selector("#help-dialog[open]")
    page.keyboard.press("m")  # the dialog is open: no key reaches the picture
    page.keyboard.press("Escape")
    page.locator("#stream-url").focus()
    page.keyboard.type("m")  # nor from a text
    assert page.locator("#stream-url").input_value() == "m"
    page.wait_for_timeout(500)
    assert page.locator("#mirror").get_attribute("aria-pressed") == "false"


def test_a_snapshot_is_downloaded(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    with page.expect_download() as download:
        page.locator("#snapshot").click()
    assert re.fullmatch(r"live-nst-\d{8}-\d{6}\.png", download.value.suggested_filename)
    path = tmp_path / "snapshot.png"
    download.value.save_as(path)
    with Pillow.open(path) as image:
        assert image.size == (320, 180)


def test_a_recording_is_made_and_downloaded(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    page.locator("#record").click()
    page.wait_for_selector("#record[aria-pressed=true]")
    wait_until(page, lambda: page.locator("#record-label").inner_text() == "0:01", "its clock runs")
    page.locator("#record").click()
    link = page.locator(".files a")
    link.wait_for()
    with page.expect_download() as download:
        link.click()
    path = tmp_path / "recording.mp4"
    download.value.save_as(path)
    assert path.read_bytes()[4:8] == b"ftyp"


def test_a_preset_is_saved_and_loaded(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#stroke-row-input").press("Home")
    page.keyboard.press("w")
    page.wait_for_selector("#presets-dialog[open]")
    page.keyboard.type("fine_ink")
    page.keyboard.press("Enter")
    preset = page.locator(".preset", has_text="fine_ink")
    preset.wait_for()
    page.keyboard.press("Escape")
    page.locator("#stroke-row-input").press("End")
    wait_until(
        page, lambda: page.locator("#stroke-row output").inner_text().startswith("3.00"), "broad"
    )
    page.locator("#presets-button").click()
    preset.click()
    wait_until(
        page, lambda: page.locator("#stroke-row output").inner_text().startswith("0.30"), "fine"
    )


@pytest.mark.parametrize("missing", ["", "delete window.VideoEncoder;"], ids=["h264", "jpeg"])
def test_the_browsers_own_camera_comes_back_painted(open_page: OpenPage, missing: str) -> None:
    page = open_page(script=missing)
    page.locator("#strength-row-input").fill("0")  # so that the picture is the camera's
    page.locator("#source-button").click()
    page.locator(".source-card", has_text="This browser's camera").click()
    page.wait_for_selector("#uplink:not([hidden])")

    def shows_camera() -> bool:
        red, green, _ = np.median(picture_of(page), axis=(0, 1))
        return bool(red > 150 and green < 90)

    wait_until(page, shows_camera, "the red ground of the fake camera is seen")
    first = picture_of(page)
    wait_until(page, lambda: abs(picture_of(page) - first).mean() > 3, "its bar moves")
    choose(page, "ink")
    page.locator("#strength-row-input").fill("1")
    wait_until(page, lambda: not shows_camera(), "it is painted")
    page.get_by_text("Stop sending").click()
    page.get_by_text("Waiting for a browser's camera").wait_for()


def test_the_model_is_chosen(open_page: OpenPage) -> None:
    page = open_page()
    choice = page.get_by_label("Model", exact=True)

    def choose_model(name: str) -> None:
        choice.select_option(name)
        choice.evaluate("element => element.blur()")
        said = page.locator("#runs-summary")
        wait_until(page, lambda: f"Runs {name} on" in said.inner_text(), f"{name} runs", 60.0)
        assert choice.input_value() == name

    choose_model("fine")
    choose_model("mobile")


def test_a_session_is_stopped_and_started(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#session-button").click()
    page.get_by_text("Nothing is running").wait_for()
    assert page.locator("#strength-row-input").is_disabled()
    page.locator("#stage-card .source-card", has_text="Demo").click()
    page.wait_for_selector("#stage-card", state="hidden")
    wait_until(
        page, lambda: page.locator("#strength-row-input").is_enabled(), "controls work again"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("form", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_serious(open_page: OpenPage, theme: str, form: dict[str, Any]) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(color_scheme=theme, **form)

    def check(where: str) -> None:
        found = axe.run(page).response["violations"]
        serious = [v for v in found if v["impact"] in ("serious", "critical")]
        assert serious == [], where

    page.locator(".runs summary").click()
    page.select_option("#mix-second", "wave")
    page.locator("#split").click()
    page.locator("#divider").wait_for()
    check("the page")
    for name in ("source", "presets", "help"):
        button = page.locator(f"#{name}-button")
        if button.is_visible():
            button.click()
            page.wait_for_selector(f"#{name}-dialog[open]")
            check(name)
            page.keyboard.press("Escape")


def test_nothing_is_wider_than_a_phone(open_page: OpenPage) -> None:
    page = open_page(**PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_damaged_frame_does_not_stop_the_picture(open_page: OpenPage) -> None:
    damage = """
      window.decoded = 0;
      const decode = VideoDecoder.prototype.decode;
      VideoDecoder.prototype.decode = function (chunk) {
        window.decoded += 1;
        if (window.decoded !== 10) return decode.call(this, chunk);
        const data = new Uint8Array(64).fill(255);
        return decode.call(this, new EncodedVideoChunk(
          { type: chunk.type, timestamp: chunk.timestamp, data }));
      };
    """
    page = open_page(script=damage)
    wait_until(page, lambda: page.evaluate("window.decoded") > 20, "frames go on")
    shown = picture_of(page)
    wait_until(page, lambda: abs(picture_of(page) - shown).mean() > 1, "they are drawn")


def test_without_webcodecs_the_picture_comes_as_jpegs(browser: Any, studio: Studio) -> None:
    context = browser.new_context()
    try:
        context.add_init_script(
            "delete window.VideoDecoder; delete window.VideoEncoder;"
            "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
            "Object.defineProperty(window, 'isSecureContext', { value: false });"
        )
        page = context.new_page()
        page.goto(studio.url)
        page.wait_for_selector("#mjpeg:not([hidden])")
        width = "document.getElementById('mjpeg').naturalWidth"
        wait_until(page, lambda: page.evaluate(width) == 320, "no picture comes")
        assert page.locator("#limits").is_visible()
        page.locator("#source-button").click()
        line = page.locator(".advice code")
        assert line.inner_text() == f"ssh -L {studio.port}:127.0.0.1:{studio.port} 127.0.0.1"
    finally:
        context.close()


def test_it_says_that_the_studio_is_away_and_comes_back(browser: Any, tmp_path: Path) -> None:
    first = Studio(tmp_path)
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(first.url)
        page.wait_for_selector("#picture.lit")
        first.close()
        page.get_by_text("The studio does not answer.").wait_for()
        second = Studio(tmp_path, first.port)
        try:
            page.wait_for_selector("#stage-card", state="hidden")
            shown = picture_of(page)
            wait_until(page, lambda: abs(picture_of(page) - shown).mean() > 1, "it moves again")
        finally:
            second.close()
    finally:
        first.close()
        context.close()
