import errno
import os
from pathlib import Path

import pytest

from live_nst.errors import ConversionError, LiveNstError, RecordingError, SinkError, UsageError
from live_nst.files.output import check_output, join_words, write_errors


class TestCheckOutput:
    def test_new_file(self, tmp_path: Path) -> None:
        check_output(tmp_path / "out.mp4", suffixes=[".mp4"])
        check_output(tmp_path / "OUT.MP4", suffixes=[".mp4"])
        check_output(tmp_path / "any.suffix")
        assert list(tmp_path.iterdir()) == []

    def test_folder(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingError, match="is a folder") as caught:
            check_output(tmp_path, suffixes=[".mp4"], error=RecordingError)
        assert str(tmp_path / "output.mp4") in caught.value.hint

    @pytest.mark.parametrize("name", ["out.avi", "out", "out.mp4.txt", ".mp4"])
    def test_wrong_suffix(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="cannot write a recording to") as caught:
            check_output(
                tmp_path / name,
                kind="a recording",
                suffixes=[".mp4", ".mov", ".mkv"],
                error=RecordingError,
            )
        assert ".mp4, .mov or .mkv" in caught.value.hint

    def test_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no folder") as caught:
            check_output(tmp_path / "missing" / "out.mp4")
        assert "mkdir" in caught.value.hint
        assert list(tmp_path.iterdir()) == []

    def test_folder_not_writable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        with pytest.raises(UsageError, match="not writable"):
            check_output(tmp_path / "out.mp4")

    def test_existing_file(self, tmp_path: Path) -> None:
        path = tmp_path / "out.mp4"
        path.touch()
        check_output(path)
        with pytest.raises(ConversionError, match="there already"):
            check_output(path, exists=ConversionError("It is there already"))

    def test_broken_link_counts_as_existing(self, tmp_path: Path) -> None:
        path = tmp_path / "out.mp4"
        path.symlink_to(tmp_path / "missing")
        with pytest.raises(ConversionError):
            check_output(path, exists=ConversionError("It is there already"))

    def test_input_is_never_overwritten(self, tmp_path: Path) -> None:
        path = tmp_path / "film.mp4"
        path.touch()
        link = tmp_path / "link.mp4"
        link.symlink_to(path)
        for output in (path, link):
            with pytest.raises(UsageError, match="output is the input"):
                check_output(output, input=path)
        check_output(tmp_path / "other.mp4", input=path)


class TestWriteErrors:
    @pytest.mark.parametrize(
        ("number", "words"),
        [
            (errno.ENOSPC, "disk is full"),
            (errno.EDQUOT, "disk is full"),
            (errno.EFBIG, "larger than a file may be"),
            (errno.ENOENT, "has disappeared"),
            (errno.EACCES, "cannot be written: permission denied"),
        ],
    )
    def test_message(self, number: int, words: str, tmp_path: Path) -> None:
        with pytest.raises(SinkError, match=words), write_errors(tmp_path / "out.mp4"):
            raise OSError(number, os.strerror(number))

    def test_type_and_hint(self, tmp_path: Path) -> None:
        with (
            pytest.raises(RecordingError) as caught,
            write_errors(tmp_path / "out.mp4", error=RecordingError, retry="record again"),
        ):
            raise OSError(errno.ENOSPC, "full")
        assert caught.value.hint.endswith("record again")

    def test_own_errors_pass(self, tmp_path: Path) -> None:
        error = LiveNstError("something else")
        with pytest.raises(LiveNstError) as caught, write_errors(tmp_path / "out.mp4"):
            raise error
        assert caught.value is error


def test_join_words() -> None:
    assert join_words([".mp4"], "or") == ".mp4"
    assert join_words([".mp4", ".mov"], "or") == ".mp4 or .mov"
    assert join_words(["a", "b", "c"], "and") == "a, b and c"
