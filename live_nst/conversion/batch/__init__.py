"""Convert the images and videos of a folder."""
