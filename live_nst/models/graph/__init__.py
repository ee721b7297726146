"""Turn a SavedModel into programs for engines: freeze, split, rewrite, cut into stages.

`split.build_split_model` is the entrance. It runs once per model; the result is stored.
"""
