"""The record of speed: measure its parts, keep what they gave, and say which promises hold.

    python -m benchmarks speed                       all of it: about fifteen minutes
    python -m benchmarks speed --only live scaling   these parts; the others stay as they are
    python -m benchmarks speed --trial               one round each, nothing is written

Every part runs in a process of its own, so that none inherits another's threads and memory. What
it gave is written at once, as JSON, and at the end a plot and the tables of the page beside it.
The exit code is 1 if a promise is broken, or if the machine was too busy to measure on.
"""

import argparse
import json
import multiprocessing
import time
import traceback
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.speed.page import fill
from benchmarks.speed.part import NotMeasuredError, Part, Promise, Settings, TooBusyError
from live_nst.runtime.machine import describe_machine
from live_nst.sources.camera import configure_opencv

OUT = Path("docs/benchmarks.json")
NAMES = (
    "program",
    "peer",
    "tutorial",
    "live",
    "adaptive",
    "stages",
    "startup",
    "accuracy",
    "scaling",
)
"""The parts, in the order in which they run and stand on the page."""

Record = dict[str, Any]


def find_part(name: str) -> Part:
    """The part of that name."""
    found: Part = import_module(f"benchmarks.speed.parts.{name}").PART
    return found


def main(argv: Sequence[str]) -> int:
    """Measure what `argv` asks for."""
    asked = _parse(argv)
    settings = Settings(asked.rounds, asked.trial, asked.out.parent)
    record = read(asked.out)
    failed = []
    for name in asked.only:
        begin = time.monotonic()
        print(f"{name}: {find_part(name).title}", flush=True)
        try:
            result = apart(name, settings)
        except NotMeasuredError as exc:
            print(f"  not measured: {exc}")
            continue
        except TooBusyError as exc:
            print(f"  BROKEN: not measured, {exc}")
            failed.append(name)
            continue
        except Exception:  # the other parts are worth having nevertheless
            traceback.print_exc()
            print("  BROKEN: it failed, see above")
            failed.append(name)
            continue
        result["seconds"] = round(time.monotonic() - begin)
        record["parts"][name] = {"date": time.strftime("%Y-%m-%d"), **result}
        if not asked.trial:
            write(record, asked.out)
    made = {name: record["parts"][name] for name in asked.only if name in record["parts"]}
    broken = show(promises({**record, "parts": made}))
    if not asked.trial:
        write_page(record, asked.out)
    return int(broken or bool(failed))


def apart(name: str, settings: Settings) -> dict[str, Any]:
    """Measure one part in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_measure, name, settings).result()


def _measure(name: str, settings: Settings) -> dict[str, Any]:
    configure_opencv()  # as the program does
    return find_part(name).measure(settings)


def read(path: Path) -> Record:
    """What was measured on this machine before; figures of another machine are dropped."""
    machine = describe_machine()
    fresh: Record = {"machine": machine, "parts": {}}
    if not path.is_file():
        return fresh
    kept: Record = json.loads(path.read_text("utf-8"))
    hardware = ("processor", "cores")
    if any(kept.get("machine", {}).get(name) != machine[name] for name in hardware):
        return fresh
    return fresh | {"parts": {n: p for n, p in kept.get("parts", {}).items() if n in NAMES}}


def write(record: Record, path: Path) -> None:
    """Keep the record."""
    path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def write_page(record: Record, path: Path) -> None:
    """Draw the plot, and fill in the tables of the page, if there is one."""
    from benchmarks.speed.plot import plot

    plot(record, path.with_suffix(".png"))
    page = path.with_suffix(".md")
    if page.is_file():
        page.write_text(fill(page.read_text("utf-8"), tables(record)), "utf-8")


def tables(record: Record) -> dict[str, str]:
    """What stands in the page's places, by name: every part, the machine and the promises."""
    made = {
        name: find_part(name).tables(record["parts"][name])
        for name in NAMES
        if name in record["parts"]
    }
    return {**made, "machine": _about(record), "promises": _verdicts(promises(record))}


def promises(record: Record) -> list[Promise]:
    """Those of every part that was measured."""
    return [
        promise
        for name in NAMES
        if name in record["parts"]
        for promise in find_part(name).promises(record["parts"][name])
    ]


def show(made: Iterable[Promise]) -> bool:
    """Print the promises; whether one is broken."""
    broken = False
    for promise in made:
        print(f"{promise.verdict + ':':13} {promise.text}: {promise.measured}")
        broken |= promise.broken
    return broken


def _verdicts(made: Iterable[Promise]) -> str:
    from benchmarks.speed.part import table

    rows = [[promise.text, promise.measured, promise.verdict] for promise in made]
    return table(["promise", "measured", ""], rows)


def _about(record: Record) -> str:
    """The machine, and when it was measured."""
    machine = record["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    dates = sorted({part["date"] for part in record["parts"].values()})
    return (
        f"Measured {' and '.join(dates)} on {machine['processor']} "
        f"({', '.join(machine['instructions'])}), {machine['cores']} cores, "
        f"{machine['memory_gb']:g} GB, {machine['system']}, Python {machine['python']}; {versions}."
    )


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, default=list(NAMES), metavar="PART",
        help=f"measure these parts alone: {', '.join(NAMES)}",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, help="how many quiet rounds; each part has its own")
    parser.add_argument(
        "--trial", action="store_true", help="one round each, also in a busy machine; not written"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="the JSON [default: %(default)s]")
    asked = parser.parse_args(argv)
    if asked.rounds is not None and asked.rounds < 1:
        parser.error("--rounds must be 1 or more")
    if not asked.out.parent.is_dir():
        parser.error(f"{asked.out.parent} is no folder: run it from the repository")
    return asked
