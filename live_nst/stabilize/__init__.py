"""Steadying of stylised pictures over time. It knows pictures, no cameras and no models."""

from live_nst.stabilize.stabilizer import MODES, Stabilizer, check_mode

__all__ = ["MODES", "Stabilizer", "check_mode"]
