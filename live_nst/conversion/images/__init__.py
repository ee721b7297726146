"""Convert a still image, and keep its color profile, EXIF data and transparency."""
