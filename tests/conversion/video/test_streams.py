"""What becomes of sound, subtitles and cover art that the output's container may not take."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image as Pillow

from live_nst.conversion.api import convert
from live_nst.conversion.options import ConvertOptions
from live_nst.conversion.progress import ProgressReporter
from live_nst.conversion.video.preview import estimate
from live_nst.conversion.video.stream_writers import PacketCopier
from live_nst.conversion.video.task import VideoTask
from live_nst.errors import ConversionError, UsageError
from tests.conversion.fakes import Negative
from tests.conversion.make_streams import open_any, write_streams
from tests.conversion.make_videos import write
from tests.conversion.reading import packets

SEGMENTS = (0x16, 0x17, 0x14, 0x15, 0x80)  # of a PGS picture, in order


def converted(source: Path, suffix: str, **options: Any) -> tuple[Path, list[str]]:
    """The output, and what was said; all of it before the first frame."""
    said: list[str] = []
    said_before: list[str] = []
    output = source.with_name(f"out{suffix}")
    stylizer = Negative(on_frame=lambda count: said_before.extend(said) if count == 1 else None)
    convert(source, output, stylizer=stylizer, notify=said.append, restart=True, **options)  # type: ignore[arg-type]
    assert said_before == said
    return output, said


def codecs(path: Path, kind: str) -> list[str]:
    with av.open(str(path)) as container:
        return [each.codec_context.name for each in container.streams if each.type == kind]


def data(path: Path, kind: str) -> list[bytes]:
    return [data for _, data in packets(path, kind)[0]]


def loudness(path: Path) -> np.ndarray:
    """The loudness of each of the 1/1000 s of a file."""
    parts: dict[int, list[float]] = {}
    end = 0.0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            values = np.abs(av.AudioResampler("flt", "mono").resample(frame)[0].to_ndarray()[0])
            start = end if frame.pts is None else float(frame.pts * frame.time_base)
            end = start + frame.samples / frame.sample_rate
            for number, value in enumerate(values):
                parts.setdefault(int(1000 * (start + number / frame.sample_rate)), []).append(value)
    return np.array([max(parts.get(each, [0])) for each in range(max(parts) + 1)])


@pytest.mark.parametrize(
    ("sound", "suffix", "becomes"),
    [("opus", ".mov", "aac"), ("flac", ".mov", "aac"), ("amr_nb", ".mp4", "aac"),
     ("aac", ".webm", "opus"), ("wmav2", ".mov", "aac")],
)  # fmt: skip
def test_refused_sound_is_encoded(tmp_path: Path, sound: str, suffix: str, becomes: str) -> None:
    source = write_streams(tmp_path / "in.mkv", sound)
    output, said = converted(source, suffix)
    assert codecs(output, "audio") == [becomes]
    assert len(said) == 1 and said[0].startswith(f"Encoded as {becomes}, because {suffix[1:]}")
    before, after = loudness(source), loudness(output)
    assert abs(len(before) - len(after)) < 70  # one frame of the codecs at most
    middle = slice(200, 800)
    assert abs(np.median(before[middle]) - np.median(after[middle])) < 0.05


def test_mp3_of_an_unusual_rate_is_encoded(tmp_path: Path) -> None:
    source = write_streams(tmp_path / "in.mkv", "mp3", rate=11025)
    output, said = converted(source, ".mp4")
    assert codecs(output, "audio") == ["aac"]
    assert said == ["Encoded as aac, because mp4 cannot store it: 1 mp3 audio stream"]


@pytest.mark.parametrize("sound", ["wmav2", "adpcm_ms", "pcm_mulaw", "amr_nb"])
def test_matroska_copies_what_ffmpeg_copies(tmp_path: Path, sound: str) -> None:
    source = write_streams(tmp_path / "in.mov" if sound == "amr_nb" else tmp_path / "in.mkv", sound)
    output, said = converted(source, ".mkv")
    assert b"".join(data(output, "audio")) == b"".join(data(source, "audio"))
    assert not said


def test_encoded_sound_stays_in_step(tmp_path: Path) -> None:
    """A pulse at 1.5 s, in a track that begins at 0.5 s and has a gap of 0.4 s before it."""
    source = tmp_path / "in.mkv"
    rate = 48000
    write_streams(tmp_path / "video.mkv", frames=60)
    with av.open(str(tmp_path / "video.mkv")) as film, open_any(source) as out:
        video = out.add_stream_from_template(film.streams.video[0])
        sound = out.add_stream("pcm_s16le", rate=rate, layout="mono")
        out.start_encoding()
        for packet in film.demux():
            if packet.size:
                packet.stream = video
                out.mux(packet)
        for begin in range(rate // 2, 2 * rate, 1200):
            if int(0.9 * rate) <= begin < int(1.3 * rate):
                continue
            block = np.zeros((1, 1200), np.int16)
            if begin == rate * 3 // 2:
                block[:] = (12000 * np.sin(np.arange(1200) / 8)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(block, "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
            out.mux(sound.encode(frame))
    for suffix in (".mkv", ".mp4", ".webm"):
        output, _ = converted(source, suffix, audio="encode")
        first = int(np.flatnonzero(loudness(output) > 0.2)[0])
        assert abs(first - 1500) < 12


def test_audio_option(tmp_path: Path) -> None:
    source = write_streams(tmp_path / "in.mkv", "flac")
    output, said = converted(source, ".mkv", audio="encode")
    assert codecs(output, "audio") == ["aac"] and not said
    output, said = converted(source, ".mov", audio="none")
    assert codecs(output, "audio") == [] and not said
    with pytest.raises(UsageError, match="--audio 'loud'"):
        converted(source, ".mkv", audio="loud")


def test_resumed_sound_is_the_same(tmp_path: Path) -> None:
    source = write_streams(tmp_path / "in.mkv", "flac", "subrip")
    first, _ = converted(source, ".mov")
    bytes_of_first = first.read_bytes()
    again, _ = converted(source, ".mov")
    assert again.read_bytes() == bytes_of_first


def test_surround_is_kept_when_encoded(tmp_path: Path) -> None:
    source = write_streams(tmp_path / "in.mkv", "flac", channels="5.1")
    for suffix in (".mov", ".webm"):
        output, _ = converted(source, suffix)
        with av.open(str(output)) as container:
            assert container.streams.audio[0].codec_context.layout.nb_channels == 6


def test_pcm_in_mp4_is_told(tmp_path: Path) -> None:
    source = write_streams(tmp_path / "in.mkv", "pcm_s24le")
    output, said = converted(source, ".mp4")
    assert b"".join(data(output, "audio")) == b"".join(data(source, "audio"))
    assert len(said) == 1 and said[0].startswith("PCM sound is copied, but")


def test_unusual_sound_with_chapters_is_told(tmp_path: Path) -> None:
    plain, source = write_streams(tmp_path / "plain.mkv", "pcm_mulaw"), tmp_path / "in.nut"
    chapter = {"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000)}
    with av.open(str(plain)) as film, av.open(str(source), "w") as out:
        copies = [out.add_stream_from_template(stream, opaque=True) for stream in film.streams]
        out.set_chapters([{**chapter, "metadata": {"title": "one"}}])
        for packet in film.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                out.mux(packet)
    output, said = converted(source, ".mkv")
    assert codecs(output, "audio") == ["pcm_mulaw"]
    assert said == [
        "Left out: the chapters, which cannot be stored together with sound of this codec: "
        "--audio encode keeps them"
    ]
    output, said = converted(source, ".mkv", audio="encode")
    with av.open(str(output)) as container:
        assert len(container.chapters()) == 1
    assert not said


@pytest.mark.parametrize(
    ("source_suffix", "subtitle", "suffix", "becomes"),
    [
        (".mkv", "subrip", ".mp4", "mov_text"),
        (".mkv", "ass", ".mp4", "mov_text"),
        (".mkv", "webvtt", ".mov", "mov_text"),
        (".mp4", "mov_text", ".mkv", "srt"),
        (".mkv", "subrip", ".webm", "webvtt"),
    ],
)
def test_text_subtitles_are_converted(
    tmp_path: Path, source_suffix: str, subtitle: str, suffix: str, becomes: str
) -> None:
    lines = [(0.2, 0.6, "one"), (0.7, 0.9, "the {\\i1}second{\\i0}")]
    source = write_streams(tmp_path / f"in{source_suffix}", None, subtitle, lines=lines)
    output, said = converted(source, suffix)
    assert codecs(output, "subtitle") == [becomes]
    assert len(said) == 1 and said[0].startswith(f"Converted to {becomes}, because")
    shown = []
    with av.open(str(output)) as container:
        for packet in container.demux(subtitles=0):
            for text in packet.decode() if packet.size else []:
                begin = float(packet.pts * packet.time_base)
                end = begin + float(packet.duration * packet.time_base)
                if text.dialogue:
                    shown.append((round(begin, 2), round(end, 2), text.dialogue))
    assert [each[:2] for each in shown] == [(0.2, 0.6), (0.7, 0.9)]
    assert shown[0][2] == b"one" and b"second" in shown[1][2]


def test_subtitles_are_cut_with_the_video(tmp_path: Path) -> None:
    source = write_streams(tmp_path / "in.mkv", "flac", "subrip")
    output, _ = converted(source, ".mov", start=0.42)  # the first frame is at 0.44
    times = [time for time, text in packets(output, "subtitle")[0] if len(text) > 2]
    assert [round(float(time), 2) for time in times if time is not None] == [0, 0.26]
    assert abs(len(loudness(output)) - 560) < 110  # one packet of each codec


def test_picture_subtitles_that_cannot_be_kept_are_told(tmp_path: Path) -> None:
    source = write_streams(tmp_path / "in.mkv", None, "dvb_subtitle")
    output, said = converted(source, ".mp4")
    assert codecs(output, "subtitle") == []
    assert said == ["Left out, because mp4 cannot store it: 1 dvb_subtitle subtitle stream"]


def with_pgs(folder: Path) -> Path:
    """A film in MPEG-TS whose PGS subtitles have a packet for each segment."""
    sup = folder / "pictures.sup"
    payload = b"\x00\x40\x00\x40\x10\x00\x00\x80\x00\x00\x00"
    with sup.open("wb") as file:
        for number in range(4):
            for kind in SEGMENTS:
                body = payload if kind == 0x16 else b"" if kind == 0x80 else b"\x00" * 10
                time = (9000 * number).to_bytes(4, "big") + bytes(4)
                file.write(b"PG" + time + bytes([kind]) + len(body).to_bytes(2, "big") + body)
    film, target = write_streams(folder / "film.mkv"), folder / "in.ts"
    blu_ray = ":mpegts_m2ts_mode=1"  # other MPEG-TS files have no PGS
    with av.open(str(film)) as one, av.open(str(sup)) as two, open_any(target, blu_ray) as out:
        video = out.add_stream_from_template(one.streams.video[0])
        titles = out.add_stream_from_template(two.streams[0], opaque=True)
        both = [(packet, video) for packet in one.demux() if packet.size]
        both += [(packet, titles) for packet in two.demux() if packet.size]
        for packet, stream in sorted(both, key=lambda each: each[0].dts * each[0].time_base):
            packet.stream = stream
            out.mux(packet)
    return target


def test_pgs_packets_are_joined_by_matroska(tmp_path: Path) -> None:
    source = with_pgs(tmp_path)
    assert len(data(source, "subtitle")) == 4 * len(SEGMENTS)
    output, said = converted(source, ".mkv")
    assert codecs(output, "subtitle") == ["pgssub"] and not said
    assert len(data(output, "subtitle")) == 4
    assert b"".join(data(output, "subtitle")) == b"".join(data(source, "subtitle"))


def with_cover(folder: Path, suffix: str) -> Path:
    """A film with sound and a cover picture."""
    film, target = write_streams(folder / "film.mp4", "aac"), folder / f"in{suffix}"
    pixels = av.VideoFrame.from_ndarray(np.full((48, 48, 3), 90, np.uint8), "rgb24")
    encoder = av.VideoCodecContext.create("png", "w")
    encoder.width = encoder.height = 48
    encoder.pix_fmt, encoder.time_base = "rgb24", Fraction(1, 25)
    picture = bytes(encoder.encode(pixels)[0])
    (folder / "cover.png").write_bytes(picture)
    with (
        av.open(str(film)) as one,
        av.open(str(folder / "cover.png")) as two,
        av.open(str(target), "w") as out,
    ):
        copies = [out.add_stream_from_template(stream) for stream in one.streams]
        if suffix == ".mkv":
            out.add_attachment("cover.png", "image/png", picture)
        else:
            cover = out.add_stream_from_template(two.streams[0], opaque=True)
            cover.disposition = av.stream.Disposition.attached_pic
            packet: Any = av.Packet(picture)
            packet.pts = packet.dts = 0
            packet.time_base, packet.stream = Fraction(1, 25), cover
            packet.is_keyframe = True
            out.mux(packet)
        for packet in one.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                out.mux(packet)
    return target


@pytest.mark.parametrize("source_suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_cover_art(tmp_path: Path, source_suffix: str, suffix: str) -> None:
    source = with_cover(tmp_path, source_suffix)
    cover = (tmp_path / "cover.png").read_bytes()
    output, said = converted(source, suffix)
    with av.open(str(output)) as container:
        covers = [
            each
            for each in container.streams.video
            if each.disposition & av.stream.Disposition.attached_pic
        ]
        assert len(container.streams.audio) == 1
        indices = [each.index for each in covers]
        found = [bytes(packet) for packet in container.demux() if packet.stream_index in indices]
        found = [each for each in found if each]
    if suffix in (".mp4", ".mkv"):
        assert found == [cover] and not said
    else:
        assert not found
        assert "1 png video stream" in said[-1]


def test_streams_that_are_announced_and_empty_are_told(tmp_path: Path) -> None:
    source = write_streams(tmp_path / "in.ts", "aac")
    whole = source.read_bytes()
    cells = [whole[begin : begin + 188] for begin in range(0, len(whole), 188)]
    sound = 0x101  # the number of the second stream
    kept = [each for each in cells if int.from_bytes(each[1:3], "big") & 0x1FFF != sound]
    assert len(kept) < len(cells)
    source.write_bytes(b"".join(kept))
    for suffix in (".mp4", ".mkv"):
        output, said = converted(source, suffix)
        assert codecs(output, "audio") == []
        assert said == ["Left out, because it is empty or damaged: 1 aac audio stream"]


def test_webm_transparency_is_told(tmp_path: Path) -> None:
    source = tmp_path / "in.webm"
    with av.open(str(source), "w") as out:
        stream = out.add_stream("libvpx-vp9", rate=25, options={"auto-alt-ref": "0"})
        stream.width = stream.height = 64
        stream.pix_fmt = "yuva420p"
        stream.metadata["alpha_mode"] = "1"
        for number in range(3):
            frame = av.VideoFrame(64, 64, "yuva420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    output, said = converted(source, ".webm")
    assert said == ["The video has transparent parts: they become opaque"]
    with av.open(str(output)) as container:
        assert "alpha_mode" not in container.streams.video[0].metadata


@pytest.mark.parametrize(
    ("channels", "kept", "audio"),
    [
        ("3.0", "3.0", "copy"),
        ("4.0", "stereo", "copy"),
        ("5.0", "5.0", "copy"),
        ("6.1", "5.1", "copy"),
        ("2.1", "stereo", "encode"),
        ("5.1", "5.1", "encode"),
    ],
)
def test_channels_that_are_mixed_down_are_told(
    tmp_path: Path, channels: str, kept: str, audio: str
) -> None:
    source = write_streams(tmp_path / "in.mkv", "flac", channels=channels)
    number = av.AudioLayout(channels).nb_channels
    said: list[str] = []
    output = tmp_path / "out.webm"
    convert(source, output, stylizer=Negative(), notify=said.append, audio=audio)  # type: ignore[arg-type]
    with av.open(str(output)) as container:
        assert container.streams.audio[0].codec_context.layout.name == kept
    mixed = f"mixed down from {number} channels to {kept}"
    what = {"copy": "Encoded as opus, because webm cannot store it", "encode": ""}[audio]
    if av.AudioLayout(kept).nb_channels < number:
        what = f"{what}, and {mixed}" if what else mixed.capitalize()
    assert said == ([f"{what}: 1 flac audio stream"] if what else [])


def test_packets_shorter_than_a_tick_keep_their_times(tmp_path: Path) -> None:
    """TrueHD in Matroska: a packet lasts 0.83 ms, and times are counted in milliseconds."""
    source = write_streams(tmp_path / "in.mkv", "truehd")
    before = packets(source, "audio")[0]
    assert len({time for time, _ in before}) < len(before) > 1000
    output, said = converted(source, ".mkv")
    assert packets(output, "audio")[0] == before and not said
    output, _ = converted(source, ".mp4")
    last = packets(output, "audio")[0][-1][0]
    assert last is not None and abs(last - 1) < 0.05


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_chapters_that_a_picture_cannot_store_are_told(tmp_path: Path, suffix: str) -> None:
    images = [np.full((48, 64, 3), 60 * number, np.uint8) for number in range(4)]
    source = write(tmp_path / "in.mkv", images, chapters=[(0, 0.1, "one"), (0.1, 0.2, "two")])
    _, said = converted(source, suffix)
    assert said == [f"Left out, because {suffix[1:]} cannot store them: the chapters"]


def test_transparent_gif_is_told(tmp_path: Path) -> None:
    frames = [Pillow.new("RGBA", (64, 48), (200, 20, 20, 255)) for _ in range(3)]
    source = tmp_path / "in.gif"
    frames[0].putpixel((60, 3), (0, 0, 255, 255))
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=100)
    assert converted(source, ".mp4")[1] == []
    for frame in frames:
        frame.paste((0, 0, 0, 0), (32, 0, 64, 48))
    frames[0].save(source, save_all=True, append_images=frames[1:], duration=100, disposal=2)
    assert converted(source, ".mp4")[1] == ["Transparent parts become white"]


def test_dry_run_tells_all_losses(tmp_path: Path) -> None:
    source = write_streams(tmp_path / "in.mkv", "opus", "dvb_subtitle")
    task = VideoTask.open(source, tmp_path / "out.mov", ConvertOptions())
    said: list[str] = []
    estimate(task, Negative(), ProgressReporter(notify=said.append))  # type: ignore[arg-type]
    assert said == [
        "Encoded as aac, because mov cannot store it: 1 opus audio stream",
        "Left out, because mov cannot store it: 1 dvb_subtitle subtitle stream",
    ]
    assert not (tmp_path / "out.mov").exists()


def test_refusal_is_not_blamed_on_the_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A muxer that refuses at the very end, against what the trial found."""
    source = write_streams(tmp_path / "in.mkv", "aac")

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise av.error.ArgumentError(22, "Invalid argument", "out.mp4")

    monkeypatch.setattr("live_nst.conversion.video.muxing.open_output", refuse)
    with pytest.raises(ConversionError, match=r"out.mp4 cannot be written: mp4 refuses the video"):
        converted(source, ".mp4")


def test_packets_that_are_refused_at_the_end_are_left_out(tmp_path: Path) -> None:
    """A subtitle at the very end, longer than its container can say, does not end the work."""
    source = write_streams(tmp_path / "in.mkv", "aac", "subrip")
    writer = PacketCopier.write
    said: list[str] = []

    def spoil(self: PacketCopier, packet: Any) -> Any:
        for written in writer(self, packet):
            if said and packet.stream_index == 1 and packet.pts * packet.time_base > 0.9:
                written.time_base = Fraction(1, 1000)
                written.dts = written.pts = -(1 << 40)
            yield written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PacketCopier, "write", spoil)
        said.append("started")
        output = tmp_path / "out.mkv"
        convert(source, output, stylizer=Negative(), notify=said.append)  # type: ignore[arg-type]
    assert len(said) == 2 and "refuses them" in said[1]
    assert codecs(output, "audio") == ["aac"]
