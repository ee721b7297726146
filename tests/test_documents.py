"""Every example in the README and in docs/ is run, or at least understood by the command line."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from live_nst.cli import add_optional_values
from live_nst.cli.app import app
from live_nst.styles.builtin import builtin_styles

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[tuple[str, str]]:
    """(document, text) of every fenced block in `language`."""
    return [
        (document.name, match)
        for document in DOCUMENTS
        for match in re.findall(rf"```{language}\n(.*?)```", document.read_text("utf-8"), re.S)
    ]


def shell_lines(program: str, only: str = "") -> list[str]:
    """The commands of a program in all documents, or in one."""
    shown = [block for document, block in blocks("sh") if only in ("", document)]
    lines = [line for block in shown for line in block.splitlines()]
    return [line for line in lines if line.split(" ", 1)[0] == program]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what the commands of export.md write, which its examples read."""
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in shell_lines("live-nst", "export.md"):
            arguments = shlex.split(line, comments=True)[1:]
            assert CliRunner().invoke(app, arguments).exit_code == 0
    return folder


@pytest.mark.parametrize(("document", "example"), blocks("python"))
def test_python_examples_run(
    document: str,
    example: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    needs = {"export.md": "exported"}.get(document)
    monkeypatch.chdir(request.getfixturevalue(needs) if needs else tmp_path)
    names: dict[str, Any] = {}
    exec(compile(example, "example", "exec"), names)
    assert names["stylized"].shape == names["frame"].shape


class FakeClient:
    """Answers `live-nst ctl` as a session without styles of its own would."""

    def __init__(self, asked: list[Any]) -> None:
        self._asked = asked

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        self._asked.append((method, path, body))
        if path == "/api/styles":
            return [
                {"id": name, "label": name, "description": text}
                for name, text in builtin_styles().items()
            ]
        if path in ("/api/sources", "/api/presets"):
            return []
        return {
            "session": {"running": False, "problem": "", "starting": False},
            "recording": {"on": False, "file": ""},
            **dict.fromkeys(("settings", "figures", "runs")),
        }

    def read(self, method: str, path: str, body: Any = None) -> bytes:
        self._asked.append((method, path, body))
        return b"PNG"


@pytest.mark.parametrize("line", shell_lines("live-nst"))
def test_commands_are_understood(
    line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for _, text in blocks("toml"):  # each begins with a comment that names its file
        (tmp_path / text.split()[1]).write_text(text)
    (tmp_path / "twitch.txt").write_text("rtmp://example.com/live/key\n")
    monkeypatch.chdir(tmp_path)
    ran = []
    for function in (
        *("live.run", "convert.run", "styles.list_styles", "styles.make_sheet", "devices.run"),
        *("doctor.run", "bench.run", "paint.run", "score.run", "worker.run", "export.run"),
        "studio.run",
    ):
        monkeypatch.setattr(f"live_nst.cli.{function}", lambda *args, **options: ran.append(args))
    monkeypatch.setattr("live_nst.cli.ctl._client", lambda context: FakeClient(ran))
    arguments = add_optional_values(shlex.split(line, comments=True)[1:])
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert len(ran) == 1 or (ran and arguments[0] == "ctl")


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
