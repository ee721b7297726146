"""What convert does with every pair of sound and subtitles in every container.

The measure is FFmpeg's own muxer, asked without any of our code: what it stores and gives back is
copied; everything else is encoded, converted or left out, with a line.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from live_nst.conversion.api import convert
from tests.conversion.fakes import Negative
from tests.conversion.make_streams import (
    DRAWN,
    PICTURES,
    PROGRAM_SOUNDS,
    SOUNDS,
    TEXTS,
    open_any,
    write_streams,
)
from tests.conversion.reading import packets

pytestmark = pytest.mark.slow

MPEG = {"mp2float": "mp2", "mp3float": "mp2"}  # in MP4 both have the same name
CONTAINERS = (".mp4", ".mov", ".mkv", ".webm")
LAYOUTS = {1: "mono", 2: "stereo"}
DOCUMENT = Path(__file__).parents[3] / "docs" / "convert.md"


def codecs(path: Path) -> dict[str, str]:
    """The codec of the first stream of each kind."""
    with av.open(str(path)) as container:
        return {
            stream.type: MPEG.get(stream.codec_context.name, stream.codec_context.name)
            for stream in reversed(container.streams)
            if stream.codec_context is not None
        }


def decodes(path: Path) -> bool:
    """Whether a file's sound can be decoded."""
    with av.open(str(path)) as container:
        return len(list(container.decode(audio=0))) > 0


def ffmpeg_keeps(source: Path, kind: str, suffix: str, folder: Path) -> bool:
    """Whether FFmpeg's muxer takes the stream of that kind, and its reader gives it back."""
    target = folder / f"reference{suffix}"
    # `tee` takes codecs that PyAV does not know of, but no packets of the same time.
    return any(
        copies(source, kind, target, opened)
        for opened in (lambda path: av.open(str(path), "w"), open_any)
    )


def copies(source: Path, kind: str, target: Path, opened: Callable[[Path], Any]) -> bool:
    """Whether the output that `opened` gives takes the stream, and a reader gives it back."""
    try:
        with av.open(str(source)) as container, opened(target) as out:
            stream = next(each for each in container.streams if each.type == kind)
            copy = out.add_stream_from_template(stream, opaque=True)
            if kind == "audio":  # ffmpeg guesses the layout, too, where a file has none
                copy.codec_context.layout = LAYOUTS[stream.codec_context.layout.nb_channels]
            for packet in container.demux(stream):
                if packet.size:
                    packet.stream = copy
                    out.mux(packet)
        if codecs(target).get(kind) != codecs(source)[kind]:
            return False
        return kind == "subtitle" or decodes(target)
    except (OSError, ValueError, av.FFmpegError):
        return False


def source_of(folder: Path, sound: str | None, subtitle: str | None) -> Path | None:
    """A film with both; None if no container keeps them together."""
    for suffix in (".mkv", ".mp4", ".mov"):
        try:
            source = write_streams(folder / f"source{suffix}", sound, subtitle, frames=5)
            if sound is None or decodes(source):
                return source
        except (OSError, ValueError, av.FFmpegError):
            continue
    return None


def converted(source: Path, suffix: str) -> tuple[Path, list[str]]:
    said: list[str] = []
    output = source.with_name(f"out{suffix}")
    convert(source, output, stylizer=Negative(), notify=said.append, restart=True)  # type: ignore[arg-type]
    return output, said


def contents(path: Path, kind: str) -> list[bytes]:
    found = packets(path, kind)
    # An empty text is how MP4 stores that no subtitle is shown.
    return [data for _, data in found[0] if data != b"\x00\x00"] if found else []


@pytest.mark.parametrize("suffix", CONTAINERS)
@pytest.mark.parametrize("sound", [*SOUNDS, *PROGRAM_SOUNDS])
@pytest.mark.parametrize("subtitle", [*TEXTS, *PICTURES, *DRAWN])
def test_every_pair(tmp_path: Path, suffix: str, sound: str, subtitle: str) -> None:
    source = source_of(tmp_path, sound, subtitle)
    if source is None:
        pytest.skip("no container has both")
    output, said = converted(source, suffix)
    after = codecs(output)
    for kind in ("audio", "subtitle"):
        if ffmpeg_keeps(source, kind, suffix, tmp_path):
            assert after.get(kind) == codecs(source)[kind]
            # PCM has no packets of its own: readers choose their size.
            assert b"".join(contents(output, kind)) == b"".join(contents(source, kind))
            assert not any(f"{kind} stream" in line for line in said)
        else:
            assert any(f"{kind} stream" in line for line in said)
    if "audio" not in after:
        assert any(line.startswith("Left out") for line in said)
    if subtitle in TEXTS:
        assert "subtitle" in after


def outcome(folder: Path, suffix: str, kind: str, codec: str) -> str:
    """What the table in the documentation says of a codec."""
    sound, subtitle = (codec, None) if kind == "audio" else (None, codec)
    source = source_of(folder, sound, subtitle)
    assert source is not None
    output, _ = converted(source, suffix)
    after = codecs(output).get(kind)
    if after is None:
        return "left out"
    return "copied" if after == codecs(source)[kind] else after


def test_table_in_the_documentation(tmp_path: Path) -> None:
    told: dict[str, list[str]] = {}
    for row in re.findall(r"^\| `.*\|$", DOCUMENT.read_text(), re.MULTILINE):
        names, *cells = [cell.strip() for cell in row.lower().strip("|").split("|")]
        if len(cells) == len(CONTAINERS):
            told |= dict.fromkeys(re.findall(r"`(\w+)`", names), cells)
    known: dict[str, Any] = dict.fromkeys([*SOUNDS, *PROGRAM_SOUNDS], "audio")
    known |= dict.fromkeys([*TEXTS, *PICTURES, *DRAWN], "subtitle")
    assert set(known) <= set(told)
    for codec, kind in known.items():
        assert [outcome(tmp_path, suffix, kind, codec) for suffix in CONTAINERS] == told[codec]
