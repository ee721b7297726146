"""What a recorder checks about its file before anything is opened."""

import os
from pathlib import Path

import av
import pytest

from live_nst.errors import RecordingError, UsageError
from live_nst.sinks.recorder import Recorder
from tests.sinks.conftest import frames, plain, record, times


class TestPlace:
    """What is checked before anything is opened."""

    @pytest.mark.parametrize("name", ["out.avi", "out", "out.mp4.txt", ".mp4"])
    def test_invalid_suffix(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="Invalid suffix") as caught:
            Recorder(tmp_path / name)
        assert ".mp4, .mov or .mkv" in caught.value.hint
        assert list(tmp_path.iterdir()) == []

    def test_path_is_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "out.mp4").mkdir()
        with pytest.raises(RecordingError, match="is a folder") as caught:
            Recorder(tmp_path / "out.mp4")
        assert "output.mp4" in caught.value.hint

    def test_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(RecordingError, match="There is no folder") as caught:
            Recorder(tmp_path / "missing" / "out.mp4")
        assert "mkdir" in caught.value.hint
        assert list(tmp_path.iterdir()) == []

    def test_folder_without_permission(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        with pytest.raises(RecordingError, match="is not writable"):
            Recorder(tmp_path / "out.mp4")

    @pytest.mark.parametrize("content", [b"", b"some text", bytes(range(256)) * 40])
    def test_other_file_is_not_replaced(self, content: bytes, tmp_path: Path) -> None:
        path = tmp_path / "out.mp4"
        path.write_bytes(content)
        with pytest.raises(RecordingError, match="was not recorded by live-nst") as caught:
            Recorder(path)
        assert "another name" in caught.value.hint
        assert path.read_bytes() == content
        assert list(tmp_path.iterdir()) == [path]

    def test_other_video_is_not_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / "out.mp4"
        with av.open(str(path), "w") as container:
            container.metadata["comment"] = "Holidays"
            stream = container.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            picture = av.VideoFrame.from_ndarray(plain((64, 48)), format="bgr24")
            container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        content = path.read_bytes()
        with pytest.raises(RecordingError, match="was not recorded by live-nst"):
            Recorder(path)
        assert path.read_bytes() == content

    @pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
    def test_earlier_recording_is_renamed(self, suffix: str, tmp_path: Path) -> None:
        path = tmp_path / f"out{suffix}"
        record(path, frames(3))
        earlier = path.read_bytes()
        (tmp_path / f"out-1{suffix}").write_bytes(b"taken")

        recorder = Recorder(path)
        assert recorder.notice == (
            f"the recording that was at {path} is now {tmp_path / f'out-2{suffix}'}"
        )
        recorder.write(frames(1)[0])
        recorder.close()

        assert (tmp_path / f"out-1{suffix}").read_bytes() == b"taken"
        assert (tmp_path / f"out-2{suffix}").read_bytes() == earlier
        assert len(times(path)) == 1

    def test_earlier_recording_gets_its_name_back(self, tmp_path: Path) -> None:
        path = tmp_path / "out.mp4"
        record(path, frames(3))
        earlier = path.read_bytes()
        Recorder(path).close()
        assert list(tmp_path.iterdir()) == [path]
        assert path.read_bytes() == earlier

    def test_new_file_has_no_notice(self, tmp_path: Path) -> None:
        assert Recorder(tmp_path / "out.mp4").notice == ""

    def test_file_created_meanwhile_is_not_replaced(self, tmp_path: Path) -> None:
        path = tmp_path / "out.mp4"
        recorder = Recorder(path)
        path.write_bytes(b"precious")
        with pytest.raises(RecordingError, match="created by another program"):
            recorder.write(frames(1)[0])
        recorder.close()
        assert path.read_bytes() == b"precious"
