"""What decoded frames of any video mean: their colors, their orientation, the shape of a pixel.

Live sources and conversions use it alike, so that a file looks the same in both.
"""
