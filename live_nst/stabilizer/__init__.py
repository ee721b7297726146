"""Steadying of stylized pictures over time. It knows pictures, no cameras and no models."""

from live_nst.stabilizer.stabilizer import MODES, Stabilizer, check_mode

__all__ = ["MODES", "Stabilizer", "check_mode"]
