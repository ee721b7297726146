"""Where models come from, and how they are cut in two."""
