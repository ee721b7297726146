"""Measuring: what this machine can do, for `live-nst bench` and for the project's own record."""
