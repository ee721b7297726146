"""Run one benchmark, or all of them in sequence."""

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterable

import benchmarks


def benchmark_names() -> tuple[str, ...]:
    """Return the names of the packages in this folder."""
    return tuple(
        sorted(found.name for found in pkgutil.iter_modules(benchmarks.__path__) if found.ispkg)
    )


def main(argv: list[str]) -> int:
    """Run the benchmark named by the first argument, or all without arguments."""
    known = benchmark_names()
    name, *options = argv or ["all"]
    if name in ("-h", "--help"):
        print(usage(known))
        return 0
    if name == "all":
        return run_all(known, options)
    if name not in known:
        print(f"Unknown benchmark {name!r}.\n\n{usage(known)}", file=sys.stderr)
        return 2
    return int(importlib.import_module(f"benchmarks.{name}").main(options))


def run_all(known: Iterable[str], options: list[str]) -> int:
    """Run each benchmark in its own process, so that no threads or memory are shared."""
    if options:
        print("Options need the name of one benchmark.", file=sys.stderr)
        return 2
    failed = []
    for name in known:
        print(f"== {name} ==", flush=True)
        if subprocess.run([sys.executable, "-m", "benchmarks", name], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"Failed: {', '.join(failed)}.")
    return int(bool(failed))


def usage(known: Iterable[str]) -> str:
    """Return the usage with one line per benchmark."""
    lines = ["usage: python -m benchmarks [NAME|all] [options]", ""]
    for name in known:
        summary = (importlib.import_module(f"benchmarks.{name}").__doc__ or "").split("\n", 1)[0]
        lines.append(f"  {name:10} {summary}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
