"""The command `train`: start a run, or resume the one in a folder."""

import contextlib
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from tools.train_model import checkpoint as checkpoints
from tools.train_model.batches import batches, entries
from tools.train_model.checkpoint import Checkpoint
from tools.train_model.from_mobile import live_from_mobile
from tools.train_model.log import Log
from tools.train_model.onnx_weights import load as load_weights
from tools.train_model.pictures import Picture, middle_square, read_pictures, some, split, variant
from tools.train_model.predictor import Predictor
from tools.train_model.runtime import frozen, pick_device, pick_precision
from tools.train_model.settings import Settings
from tools.train_model.sheet import draw, paint, write
from tools.train_model.students import make, packaged, state_of, student_of
from tools.train_model.targets import Targets, windows
from tools.train_model.trainer import Trainer
from tools.train_model.views import to_tensor

LAST, LOG = "last.npz", "log.jsonl"
"""Files in the folder of a run."""

CENTERED = 300
"""How many styles a head is centered on."""

SHEET_ROWS = 6
SHEET_SIDE = 256


@dataclass(frozen=True, slots=True)
class Run:
    """Where a run takes its pictures from, and where and for how long it goes.

    Attributes:
        photos: Zip archives and folders.
        styles: Likewise.
        weights: The folder that the command `weights` wrote.
        out: The folder of the run: checkpoint, log, sheets, kept targets.
        start: A checkpoint, "packaged" or "random"; used when `out` has no checkpoint yet.
        teacher: A checkpoint whose paintings are taught as well; None for none.
        minutes: Stop after so long; None for no limit.
        device: "auto", "cpu" or "cuda".
        precision: One of `runtime.PRECISIONS`.
        save_every: Pictures between two checkpoints.
        sheet_every: Pictures between two sheets.
        log_every: Steps in a line of the log.
        workers: Threads that prepare batches.
        shards: See `trainer.Trainer`.
    """

    photos: list[Path]
    styles: list[Path]
    weights: Path
    out: Path
    start: str = "packaged"
    teacher: Path | None = None
    minutes: float | None = None
    device: str = "auto"
    precision: str = "auto"
    save_every: int = 400
    sheet_every: int = 2000
    log_every: int = 10
    workers: int = 1
    shards: int = 1


def first_checkpoint(run: Run, settings: dict[str, object]) -> Checkpoint:
    """Return the state to go on from: the folder's own, or the start that was asked for.

    Args:
        run: See `Run`.
        settings: Those that were asked for; the others stay as the checkpoint has them.

    A `live` student can start from a `mobile` one: see `from_mobile`.

    Raises:
        ValueError: The start does not fit.
    """
    last = run.out / LAST
    if last.is_file():
        found = checkpoints.load(last)
    elif run.start == "random":
        fresh = Settings().changed(**settings)
        found = Checkpoint(fresh, state_of(make(fresh.student, fresh.seed)))
    elif run.start == "packaged":
        student = packaged(load_weights(run.weights / "mobile.npz"))
        found = Checkpoint(Settings(), state_of(student))
    else:
        found = checkpoints.load(Path(run.start))
    asked = found.settings.changed(**settings)
    if (found.settings.student, asked.student) == ("mobile", "live"):
        weights = live_from_mobile(found.average, asked.seed)
        found = Checkpoint(asked, weights, seen=found.seen, history=found.history)
    if asked.student != found.settings.student:
        raise ValueError(f"the start is a {found.settings.student!r}, not a {asked.student!r}")
    found.settings = asked
    part = {"from": found.seen, "settings": asked.to_dict()}
    if not found.history or found.history[-1].get("settings") != part["settings"]:
        found.history = [*found.history, part]
    return found


def train(run: Run, settings: dict[str, object], *, stop_at: int | None = None) -> Checkpoint:
    """Train until the pictures or the minutes are used up, or a signal asks to stop.

    Args:
        run: See `Run`.
        settings: Values of `Settings` that were asked for, by name.
        stop_at: Stop once so many pictures were seen, whatever the settings say.

    Returns:
        The last state, which is also in the folder.

    Raises:
        ValueError: Pictures are missing or too few, or the start does not fit.
    """
    begin = time.monotonic()
    run.out.mkdir(parents=True, exist_ok=True)
    state = first_checkpoint(run, settings)
    device = pick_device(run.device)
    precision = pick_precision(run.precision, device)
    vgg, predictor = frozen(run.weights, device, precision)
    share = state.settings.held_out
    photos, held_photos = split(read_pictures(run.photos), share)
    styles, held_styles = split(read_pictures(run.styles), share)
    styles = some(styles, state.settings.most_styles)
    _center_head(state, styles, predictor)
    side = state.settings.style_side
    numbers = range(1, state.settings.variants + 1)
    varied = [variant(style, number) for number in numbers for style in styles]
    targets = Targets([*styles, *varied], predictor, vgg, side, run.out / "targets")
    if state.settings.teach and run.teacher is None:
        raise ValueError("`--teach` needs a `--teacher`")
    teacher = student_of(checkpoints.load(run.teacher)).to(device) if run.teacher else None
    trainer = Trainer(state, vgg, predictor, targets, teacher, run.shards)
    print(
        f"{state.settings.student} on {device} in {precision}: {len(photos)} photos, "
        f"{len(styles)} styles and {len(varied)} variants; "
        f"{len(held_photos)} and {len(held_styles)} held out; "
        f"{state.seen} pictures seen",
        flush=True,
    )
    held = Targets(held_styles, predictor, vgg, side)
    log = Log(run.out / LOG, run.log_every)
    stop = _stop_on_signals()
    drawn = batches(
        trainer.seen, photos, entries(len(styles), state.settings), state.settings, run.workers
    )
    saved = sheeted = trainer.seen
    with contextlib.closing(drawn):
        while trainer.seen < state.settings.pictures and not stop:
            if run.minutes is not None and time.monotonic() - begin > 60 * run.minutes:
                break
            if stop_at is not None and trainer.seen >= stop_at:
                break
            batch = next(drawn)
            log(trainer.seen + state.settings.batch, state.settings.batch, trainer.step(batch))
            if trainer.seen - saved >= run.save_every:
                checkpoints.save(trainer.checkpoint(), run.out / LAST)
                saved = trainer.seen
            if trainer.seen - sheeted >= run.sheet_every and held_photos and held_styles:
                _sheet(run.out, trainer, held, held_photos, held_styles)
                sheeted = trainer.seen
    checkpoints.save(trainer.checkpoint(), run.out / LAST)
    if held_photos and held_styles:
        _sheet(run.out, trainer, held, held_photos, held_styles)
    return trainer.checkpoint()


def _center_head(state: Checkpoint, styles: list[Picture], predictor: Predictor) -> None:
    """Center a head that is to be trained and was not trained before; see `Head.center`."""
    student = student_of(state)
    if state.settings.head_rate and not student.head.centered:
        device = predictor.device
        shown = (to_tensor(windows(style.decode(), 1.0)) for style in some(styles, CENTERED))
        features = [predictor(each.to(device)).mean(0).cpu() for each in shown]
        student.head.center(torch.stack(features))
        head = {n: v.copy() for n, v in state_of(student).items() if n.startswith("head.")}
        state.average = state.average | head
        if state.weights:
            state.weights = state.weights | head


def _sheet(
    out: Path,
    trainer: Trainer,
    targets: Targets,
    photos: list[Picture],
    styles: list[Picture],
) -> None:
    """Draw held-out photos in held-out styles by the averaged network."""
    student = trainer.average.eval()
    rows = []
    for row in range(min(SHEET_ROWS, len(styles))):
        index = row * len(styles) // SHEET_ROWS if len(styles) >= SHEET_ROWS else row
        features = targets(index).features[0]
        line = [middle_square(styles[index].decode(), SHEET_SIDE)]
        for column in range(3):
            photo = photos[(3 * row + column) % len(photos)].decode()
            photo = middle_square(photo, trainer.settings.crop)
            line += [photo] if not column else []
            line.append(paint(student, photo, features))
        rows.append(line)
    write(draw(rows, SHEET_SIDE), out / "sheets" / f"{trainer.seen:08}.jpg")


def _stop_on_signals() -> list[int]:
    """Collect the signals that ask to stop; a second one ends the program as ever."""
    got: list[int] = []

    def take(number: int, _frame: object) -> None:
        got.append(number)
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(ValueError):  # not in the main thread
            signal.signal(number, take)
    return got


def describe(state: Checkpoint) -> str:
    """Say in a line what a checkpoint is."""
    count = sum(values.size for values in state.average.values())
    return f"{state.settings.student}, {count} weights, {state.seen} pictures seen"


def threads(count: int | None) -> None:
    """Let PyTorch use `count` threads; None for as many as it likes."""
    if count is not None:
        torch.set_num_threads(count)
