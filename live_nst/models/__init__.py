"""Models: find, download, cache and load them. `loading` is the entrance."""
