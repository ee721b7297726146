"""Every example in the README and in docs/ is run, or at least understood by the command line."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from live_nst.cli import add_optional_values
from live_nst.cli.app import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[tuple[str, str]]:
    """(document, text) of every fenced block in `language`."""
    return [
        (document.name, match)
        for document in DOCUMENTS
        for match in re.findall(rf"```{language}\n(.*?)```", document.read_text("utf-8"), re.S)
    ]


def shell_lines(program: str) -> list[str]:
    lines = [line for _, block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line.split(" ", 1)[0] == program]


@pytest.mark.parametrize("example", [text for _, text in blocks("python")])
def test_python_examples_run(example: str) -> None:
    names: dict[str, Any] = {}
    exec(compile(example, "example", "exec"), names)
    assert names["stylized"].shape == names["frame"].shape


@pytest.mark.parametrize("line", shell_lines("live-nst"))
def test_commands_are_understood(
    line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for _, text in blocks("toml"):  # each begins with a comment that names its file
        (tmp_path / text.split()[1]).write_text(text)
    monkeypatch.chdir(tmp_path)
    ran = []
    for function in (
        *("live.run", "convert.run", "styles.list_styles", "styles.make_sheet", "devices.run"),
        *("doctor.run", "bench.run", "paint.run", "score.run", "studio.run"),
    ):
        monkeypatch.setattr(f"live_nst.cli.{function}", lambda *args, **options: ran.append(args))
    arguments = add_optional_values(shlex.split(line, comments=True)[1:])
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert len(ran) == 1


@pytest.mark.parametrize("line", shell_lines("make"))
def test_make_targets_exist(line: str) -> None:
    target = line.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.M)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target


def test_there_are_examples_to_test() -> None:
    assert blocks("python") and shell_lines("live-nst") and shell_lines("make")
