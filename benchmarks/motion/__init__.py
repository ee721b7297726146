"""Steadiness: flicker, ghosts and sharpness of stabilised films; see docs/motion.md."""

from benchmarks.motion.record import main

__all__ = ["main"]
