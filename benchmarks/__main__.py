"""Run one subject of the record, or all of them one after the other."""

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterable

import benchmarks


def subjects() -> tuple[str, ...]:
    """The names of the packages in this folder: what can be measured."""
    return tuple(
        sorted(found.name for found in pkgutil.iter_modules(benchmarks.__path__) if found.ispkg)
    )


def main(argv: list[str]) -> int:
    """Run the subject that `argv` names first; without one, all."""
    known = subjects()
    name, *options = argv or ["all"]
    if name in ("-h", "--help"):
        print(usage(known))
        return 0
    if name == "all":
        return run_all(known, options)
    if name not in known:
        print(f"There is no subject {name!r}.\n\n{usage(known)}", file=sys.stderr)
        return 2
    return int(importlib.import_module(f"benchmarks.{name}").main(options))


def run_all(known: Iterable[str], options: list[str]) -> int:
    """Every subject in a process of its own, so that none inherits another's threads and memory."""
    if options:
        print("all takes no options: they belong to one subject.", file=sys.stderr)
        return 2
    failed = []
    for name in known:
        print(f"== {name} ==", flush=True)
        if subprocess.run([sys.executable, "-m", "benchmarks", name], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"Not everything held: {', '.join(failed)}.")
    return int(bool(failed))


def usage(known: Iterable[str]) -> str:
    """How it is called, and what each subject measures."""
    lines = ["usage: python -m benchmarks [SUBJECT|all] [options]", ""]
    for name in known:
        summary = (importlib.import_module(f"benchmarks.{name}").__doc__ or "").split("\n", 1)[0]
        lines.append(f"  {name:10} {summary}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
