"""Measure what this machine can do, for `live-nst bench` and for `benchmarks/`."""
