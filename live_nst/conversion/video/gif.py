"""Write the segments of a video as an animated GIF, with one palette for all frames."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.filter import Graph

from live_nst.conversion.video.encoding import EncoderSettings
from live_nst.conversion.video.segments import SegmentStore, output_errors
from live_nst.conversion.video.timestamps import OutputSpan, timed_packets
from live_nst.runtime.pyav import open_for_writing

GIF_TICK = Fraction(1, 100)
"""GIF's unit of time, in seconds."""

LONGEST = 0xFFFF * GIF_TICK
"""The longest time, in seconds, for which a GIF can show a frame."""


def write_gif(
    path: Path,
    store: SegmentStore,
    settings: EncoderSettings,
    span: OutputSpan,
    tick: Callable[[], None],
) -> Fraction:
    """Write the frames of all segments as an animated GIF that repeats without end.

    Args:
        path: A new file.
        store: The segments, losslessly encoded.
        settings: The settings of their encoder.
        span: The part of the input that they show.
        tick: Called for every frame; an exception from it stops the work.

    Returns:
        For how long a frame is shown in the input at most, in seconds.

    Raises:
        SinkError: The file cannot be written.
    """
    palette = _make_palette(store, settings, tick)
    graph = Graph()
    frames_in = _add_frame_input(graph, settings)
    palette_in = graph.add_buffer(width=16, height=16, format=palette.format, time_base=GIF_TICK)
    mapper = graph.add("paletteuse", "dither=sierra2_4a")
    sink = graph.add("buffersink")
    frames_in.link_to(mapper, 0, 0)
    palette_in.link_to(mapper, 0, 1)
    mapper.link_to(sink)
    graph.configure()
    palette_in.push(palette)
    palette_in.push(None)
    with (
        output_errors(store.output),
        open_for_writing(path, format="gif", options={"loop": "0"}) as out,
    ):
        stream = out.add_stream("gif", rate=settings.rate)
        stream.width, stream.height = settings.size
        stream.pix_fmt = "pal8"
        stream.time_base = stream.codec_context.time_base = GIF_TICK
        shift = round(span.shift / GIF_TICK)
        last, longest = -1, 0
        for number, (frame, begin, end) in enumerate(decode_segments(store, settings)):
            tick()
            frame.pts, frame.time_base = number, settings.time_base
            frames_in.push(frame)
            mapped = _pull(sink)
            start = round(begin * settings.time_base / GIF_TICK) - shift
            mapped.pts = last = max(start, last + 1)
            mapped.time_base = GIF_TICK
            mapped.duration = max(1, round(end * settings.time_base / GIF_TICK) - shift - last)
            longest = max(longest, mapped.duration)
            for packet in stream.encode(mapped):
                packet.duration = mapped.duration  # that of the last one counts
                out.mux(packet)
        out.mux(stream.encode(None))
    return longest * GIF_TICK


def _make_palette(
    store: SegmentStore, settings: EncoderSettings, tick: Callable[[], None]
) -> av.VideoFrame:
    """Return the 256 colors that fit all frames best, as a frame of 16 by 16 pixels."""
    graph = Graph()
    frames_in = _add_frame_input(graph, settings)
    generator = graph.add("palettegen", "reserve_transparent=0")
    sink = graph.add("buffersink")
    frames_in.link_to(generator)
    generator.link_to(sink)
    graph.configure()
    for number, (frame, _, _) in enumerate(decode_segments(store, settings)):
        tick()
        frame.pts, frame.time_base = number, settings.time_base
        frames_in.push(frame)
    frames_in.push(None)
    palette = _pull(sink)
    palette.pts, palette.time_base = 0, GIF_TICK
    return palette


def _add_frame_input(graph: Graph, settings: EncoderSettings) -> av.filter.context.FilterContext:
    """Add an input for the frames that `decode_segments` yields to a graph of filters."""
    width, height = settings.size
    return graph.add_buffer(
        width=width,
        height=height,
        format=av.VideoFormat("gbrp", width, height),
        time_base=settings.time_base,
    )


def _pull(sink: av.filter.context.FilterContext) -> av.VideoFrame:
    mapped = sink.pull()
    assert isinstance(mapped, av.VideoFrame)
    return mapped


def decode_segments(
    store: SegmentStore, settings: EncoderSettings
) -> Iterator[tuple[av.VideoFrame, int, int]]:
    """Yield every frame, with the ticks of the input's clock at which it begins and ends."""
    decoder = av.VideoCodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.thread_count = 1  # more threads would delay frames
    decoder.extradata = bytes.fromhex(store.segments[0].extradata)
    for packet, pts, dts, duration in timed_packets(store.segments, store.payload):
        packet.pts, packet.dts, packet.time_base = pts, dts, settings.time_base
        # Lossless and without B-frames: each packet is one frame.
        (frame,) = decoder.decode(packet)
        yield frame.reformat(format="gbrp"), pts, pts + duration
