"""The files of the page, without a browser: they fit together, and ask no other host."""

import re
from pathlib import Path

import pytest

import live_nst
from live_nst.live.keys import HELP_KEYS, KEY_ACTIONS

PAGE = Path(live_nst.__file__).parent / "studio" / "page"
INDEX = (PAGE / "index.html").read_text("utf-8")
MODULES = sorted((PAGE / "js").glob("*.js"))
STYLES = sorted((PAGE / "css").glob("*.css"))
SYMBOLS = set(re.findall(r'<symbol id="([\w-]+)"', (PAGE / "icons.svg").read_text("utf-8")))


def text_of(name: str) -> str:
    return (PAGE / "js" / name).read_text("utf-8")


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r'"/static/([^"#]+)', INDEX)
    assert "js/main.js" in named
    assert [name for name in named if not (PAGE / name).is_file()] == []


def test_every_module_and_style_sheet_is_used() -> None:
    imports = {
        name for path in MODULES for name in re.findall(r'"\./([\w-]+\.js)"', text_of(path.name))
    }
    imports |= set(re.findall(r"/static/js/([\w-]+\.js)", INDEX))
    assert {path.name for path in MODULES} == imports
    assert {path.name for path in STYLES} == set(re.findall(r"/static/css/([\w-]+\.css)", INDEX))


def test_every_icon_is_there() -> None:
    used = set(re.findall(r"icons\.svg#([\w-]+)", INDEX))
    for path in MODULES:
        used |= set(re.findall(r'\bicon\("([\w-]+)"\)', text_of(path.name)))
    assert len(used) > 10
    assert used <= SYMBOLS


def test_every_element_that_a_module_looks_for_is_in_the_page() -> None:
    ids = set(re.findall(r'\bid="([\w-]+)"', INDEX))
    for path in MODULES:
        for found in re.findall(r'\bbyId\("([\w-]+)"', text_of(path.name)):
            assert found in ids, path.name


@pytest.mark.parametrize("path", [PAGE / "index.html", *MODULES, *STYLES], ids=lambda p: p.name)
def test_nothing_breaks_the_content_security_policy(path: Path) -> None:
    text = path.read_text("utf-8")
    hosts = set(re.findall(r"\b(?:https?|wss?)://([\w.]+)", text))
    assert hosts <= {"www.w3.org", "127.0.0.1"}  # a namespace; an address in a sentence
    assert not re.search(
        r"\beval\(|new Function\(|\.innerHTML|insertAdjacentHTML|javascript:", text
    )
    if path.suffix == ".html":
        assert not re.search(r"<style|\sstyle=|\son\w+=", text)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_the_keys_are_those_of_the_window() -> None:
    text = text_of("keys.js")
    sent = re.search(r'const SENT = "([^"]+)"', text)
    assert sent is not None
    named = re.search(r"const NAMED = \{(.*?)\}", text)
    assert named is not None
    handled = set(sent[1]) | set(re.findall(r': "(\w+)"', named[1]))
    own = text[text.index("const own = {") : text.index("document.addEventListener")]
    handled |= set(re.findall(r'^\s+"?([a-z?])"?:', own, re.MULTILINE))
    handled |= {"h", "?"} & set(own)
    # The browser needs escape itself: it closes dialogs and ends the full screen.
    assert handled == set(KEY_ACTIONS) - {"escape"}


def test_the_help_is_that_of_the_window() -> None:
    text = text_of("help.js")
    rows = re.findall(r'^  \["([^"]+)", "([^"]+)"\],$', text, re.MULTILINE)
    assert tuple(rows) == HELP_KEYS
