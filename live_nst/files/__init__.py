"""Files: checks of paths, atomic writing, locks, formats, and images in files."""
