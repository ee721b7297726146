"""An animated GIF from segments: one palette for all frames, made in a first pass."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.filter import Graph

from live_nst.conversion.video.codecs import EncoderSettings
from live_nst.conversion.video.muxing import OutputSpan, timed_packets
from live_nst.conversion.video.segments import SegmentStore
from live_nst.files.output import write_errors
from live_nst.runtime.pyav import open_for_writing

GIF_TICK = Fraction(1, 100)
"""GIF's unit of time, in seconds."""


def write_gif(
    path: Path,
    store: SegmentStore,
    encoding: EncoderSettings,
    span: OutputSpan,
    tick: Callable[[], None],
) -> None:
    """Write the frames of all segments as an animated GIF that plays for ever.

    Args:
        path: A new file.
        store: The segments, losslessly encoded.
        encoding: How they were.
        span: Which part of the input they show.
        tick: Called for every frame; what it raises ends the work.

    Raises:
        SinkError: It cannot be written.
    """
    palette = _palette(store, encoding, tick)
    graph = Graph()
    pictures = _buffer(graph, encoding)
    colors = graph.add_buffer(width=16, height=16, format=palette.format, time_base=GIF_TICK)
    mapped = graph.add("paletteuse", "dither=sierra2_4a")
    sink = graph.add("buffersink")
    pictures.link_to(mapped, 0, 0)
    colors.link_to(mapped, 0, 1)
    mapped.link_to(sink)
    graph.configure()
    colors.push(palette)
    colors.push(None)
    with (
        write_errors(store.output),
        open_for_writing(str(path), format="gif", options={"loop": "0"}) as out,
    ):
        stream = out.add_stream("gif", rate=encoding.rate)
        stream.width, stream.height = encoding.size
        stream.pix_fmt = "pal8"
        stream.time_base = stream.codec_context.time_base = GIF_TICK
        shift = round(span.shift / GIF_TICK)
        last = -1
        for number, (frame, begin, end) in enumerate(_frames(store, encoding)):
            tick()
            start = round(begin * encoding.time_base / GIF_TICK) - shift
            frame.pts, frame.time_base = number, encoding.time_base
            pictures.push(frame)
            picture = _pull(sink)
            picture.pts = last = max(start, last + 1)
            picture.time_base = GIF_TICK
            picture.duration = max(1, round(end * encoding.time_base / GIF_TICK) - shift - last)
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))


def _palette(
    store: SegmentStore, encoding: EncoderSettings, tick: Callable[[], None]
) -> av.VideoFrame:
    """The 256 colors that suit all frames best."""
    graph = Graph()
    pictures = _buffer(graph, encoding)
    maker = graph.add("palettegen", "reserve_transparent=0")
    sink = graph.add("buffersink")
    pictures.link_to(maker)
    maker.link_to(sink)
    graph.configure()
    for number, (frame, _, _) in enumerate(_frames(store, encoding)):
        tick()
        frame.pts, frame.time_base = number, encoding.time_base
        pictures.push(frame)
    pictures.push(None)
    palette = _pull(sink)
    palette.pts, palette.time_base = 0, GIF_TICK
    return palette


def _buffer(graph: Graph, encoding: EncoderSettings) -> av.filter.context.FilterContext:
    width, height = encoding.size
    return graph.add_buffer(
        width=width,
        height=height,
        format=av.VideoFormat("gbrp", width, height),
        time_base=encoding.time_base,
    )


def _pull(sink: av.filter.context.FilterContext) -> av.VideoFrame:
    picture = sink.pull()
    assert isinstance(picture, av.VideoFrame)
    return picture


def _frames(
    store: SegmentStore, encoding: EncoderSettings
) -> Iterator[tuple[av.VideoFrame, int, int]]:
    """Every frame, decoded, with the ticks of the input's clock at which it begins and ends."""
    decoder = av.VideoCodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1  # several would hold frames back
    decoder.extradata = bytes.fromhex(store.segments[0].extradata)
    for packet, pts, dts, duration in timed_packets(store.segments, store.payload):
        packet.pts, packet.dts, packet.time_base = pts, dts, encoding.time_base
        # Lossless and without B-frames: one packet, one frame.
        (frame,) = decoder.decode(packet)
        yield frame.reformat(format="gbrp"), pts, pts + duration
