"""live-nst's own record: what is promised of speed, motion and quality, measured.

    python -m benchmarks [SUBJECT|all] [the subject's options]

A subject is a package in this folder, found by its name. Its docstring's first line says what it
measures, and it owes one function:

    def main(argv: list[str]) -> int: ...

which takes the subject's options, prints what it measures and a line BROKEN for every promise that
was not kept, and returns the exit code: 0, or 1 if one was broken. What cannot be measured on this
machine is said and is no failure. The package itself imports nothing heavy before `main` runs.
"""
