"""Measure the parts of the speed benchmark, write the record and check its promises.

    python -m benchmarks speed                       all parts: about fifteen minutes
    python -m benchmarks speed --only live scaling   these parts; the others keep their results
    python -m benchmarks speed --trial               one round each, nothing is written

Each part runs in its own process. Its result is written to the JSON file at once; the plot and the
tables of the page follow at the end. The exit code is 1 if a promise is broken, or if the machine
was too busy.
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

from benchmarks.markdown import fill_tables, markdown_table
from benchmarks.speed.part import NotMeasuredError, Part, Promise, Settings, TooBusyError
from live_nst.runtime.machine import describe_machine
from live_nst.sources.camera import configure_opencv

OUT = Path("benchmarks/speed/results.json")
PART_NAMES = (
    "program",
    "peer",
    "tutorial",
    "live",
    "adaptive",
    "stages",
    "around",
    "startup",
    "accuracy",
    "scaling",
)
"""The parts in order."""

Record = dict[str, Any]


def find_part(name: str) -> Part:
    """Return the part with this name."""
    found: Part = import_module(f"benchmarks.speed.parts.{name}").PART
    return found


def main(argv: Sequence[str]) -> int:
    """Run the command line and return the exit code."""
    arguments = _parse(argv)
    settings = Settings(arguments.rounds, arguments.trial, arguments.out.parent)
    record = read_record(arguments.out)
    failed = []
    for name in arguments.only:
        begin = time.monotonic()
        print(f"{name}: {find_part(name).title}", flush=True)
        try:
            result = measure_in_process(name, settings)
        except NotMeasuredError as exc:
            print(f"  not measured: {exc}")
            continue
        except TooBusyError as exc:
            print(f"  BROKEN: not measured, {exc}")
            failed.append(name)
            continue
        except Exception:  # measure the other parts nevertheless
            traceback.print_exc()
            print("  BROKEN: failed, see above")
            failed.append(name)
            continue
        result["seconds"] = round(time.monotonic() - begin)
        record["parts"][name] = {"date": time.strftime("%Y-%m-%d"), **result}
        if not arguments.trial:
            write_record(record, arguments.out)
    measured = {name: record["parts"][name] for name in arguments.only if name in record["parts"]}
    broken = print_promises(collect_promises({**record, "parts": measured}))
    if not arguments.trial:
        write_page(record, arguments.out)
    return int(broken or bool(failed))


def measure_in_process(name: str, settings: Settings) -> dict[str, Any]:
    """Measure one part in its own process, so that no threads or memory are shared."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_measure, name, settings).result()


def _measure(name: str, settings: Settings) -> dict[str, Any]:
    configure_opencv()  # like live-nst
    return find_part(name).measure(settings)


def read_record(path: Path) -> Record:
    """Return the earlier record of this machine; one of another machine is dropped."""
    machine = describe_machine()
    empty: Record = {"machine": machine, "parts": {}}
    if not path.is_file():
        return empty
    stored: Record = json.loads(path.read_text("utf-8"))
    hardware = ("processor", "cores")
    if any(stored.get("machine", {}).get(name) != machine[name] for name in hardware):
        return empty
    return empty | {"parts": {n: p for n, p in stored.get("parts", {}).items() if n in PART_NAMES}}


def write_record(record: Record, path: Path) -> None:
    """Write the record as JSON."""
    path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def write_page(record: Record, path: Path) -> None:
    """Write the plot, and the tables of the page if it exists."""
    from benchmarks.speed.plot import write_plot

    write_plot(record, path.with_suffix(".png"))
    page = path.with_suffix(".md")
    if page.is_file():
        page.write_text(fill_tables(page.read_text("utf-8"), make_tables(record)), "utf-8")


def make_tables(record: Record) -> dict[str, str]:
    """Return the tables of the page by name: the parts, the machine and the promises."""
    made = {
        name: find_part(name).tables(record["parts"][name])
        for name in PART_NAMES
        if name in record["parts"]
    }
    return {
        **made,
        "machine": _machine_line(record),
        "promises": _promise_table(collect_promises(record)),
    }


def collect_promises(record: Record) -> list[Promise]:
    """Return the promises of all measured parts."""
    return [
        promise
        for name in PART_NAMES
        if name in record["parts"]
        for promise in find_part(name).promises(record["parts"][name])
    ]


def print_promises(made: Iterable[Promise]) -> bool:
    """Print the promises and return whether one is broken."""
    broken = False
    for promise in made:
        print(f"{promise.verdict + ':':13} {promise.text}: {promise.value_text}")
        broken |= promise.broken
    return broken


def _promise_table(made: Iterable[Promise]) -> str:
    rows = [[promise.text, promise.value_text, promise.verdict] for promise in made]
    return markdown_table(["promise", "measured", "result"], rows)


def _machine_line(record: Record) -> str:
    """Return one line about the machine and the dates."""
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
        "--only", nargs="+", choices=PART_NAMES, default=list(PART_NAMES), metavar="PART",
        help=f"measure only these parts: {', '.join(PART_NAMES)}",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, help="number of quiet rounds [default: by part]")
    parser.add_argument(
        "--trial", action="store_true", help="one round each, on a busy machine, too; write nothing"
    )
    parser.add_argument("--out", type=Path, default=OUT, help="JSON file [default: %(default)s]")
    arguments = parser.parse_args(argv)
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error("--rounds must be 1 or more")
    if not arguments.out.parent.is_dir():
        parser.error(f"folder {arguments.out.parent} not found: run from the repository's root")
    return arguments
