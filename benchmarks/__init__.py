"""live-nst's own record of speed; see docs/benchmarks.md."""
