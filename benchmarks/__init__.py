"""Benchmarks of live-nst: measure speed, motion and quality, and check the promises.

    python -m benchmarks [NAME|all] [options of the benchmark]

Each package in this folder is a benchmark. The first line of its docstring says what it measures.
It has one function:

    def main(argv: list[str]) -> int: ...

`main` gets the options, prints the results and a line "BROKEN" for each promise that was not kept,
and returns the exit code: 0, or 1 if a promise was broken. What cannot be measured on this machine
is reported and is not a failure. Packages import heavy modules only inside `main`.
"""
