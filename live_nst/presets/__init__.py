"""Presets: the options of a show in a TOML file, and the user's defaults.

The keys of a preset are the options of `live-nst`: `strength = 0.6` is `--strength 0.6`. `keys.py`
derives them from `LiveOptions`, so an option that is added there is a key at once.
"""
