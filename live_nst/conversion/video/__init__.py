"""Convert a video.

    input_file, probe     open the input, find its properties
    task                  check everything that can be checked before a model is loaded
    reader, timestamps    read the frames, in order, from any resume point
    pipeline              stylize them, in threads
    segment_writer        encode them; codecs and encoding contain the settings
    segments              store finished segments, from which the next run continues
    passthrough, muxing   join segments and copied streams to the output; gif for GIFs
    painter               the seam behind which chunks are painted elsewhere
    convert               the whole run; preview for estimates and previews

The modules are listed in the order in which a conversion uses them.
"""
