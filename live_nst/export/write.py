"""Write a model as one ONNX file, or as a folder with all that a style needs."""

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from live_nst.engines.base import Bottleneck, Engine
from live_nst.engines.choice import choose_engine
from live_nst.errors import SinkError, UsageError
from live_nst.export.card import license_of, model_card
from live_nst.export.options import SUFFIX, ExportOptions, is_file
from live_nst.files.atomic import write_bytes
from live_nst.files.cache import cache_root
from live_nst.files.output import check_output, write_errors
from live_nst.models.loading import LoadedModel, load_model
from live_nst.models.onnx.emit import (
    OPSET,
    ImageType,
    OnnxPrecision,
    emit_frame,
    emit_program,
)
from live_nst.runtime.machine import installed_version
from live_nst.styles.bottlenecks import BottleneckCache, BottleneckStore
from live_nst.styles.builtin import builtin_styles
from live_nst.styles.registry import StyleRegistry
from live_nst.types import DownloadProgress, Notify

FRAME, ENCODE, EXPAND = (f"{name}{SUFFIX}" for name in ("frame", "encode", "expand"))
STYLES, CARD = "styles.json", "README.md"


@dataclass(frozen=True)
class ExportReport:
    """What was written.

    Attributes:
        path: The file or the folder.
        files: Bytes of each file, by its name.
        model: Name of the model.
        styles: Labels of the styles in it.
    """

    path: Path
    files: dict[str, int]
    model: str
    styles: tuple[str, ...]


def export_model(
    output: Path,
    options: ExportOptions,
    *,
    notify: Notify = lambda sentence: None,
    progress: DownloadProgress | None = None,
) -> ExportReport:
    """Write a model for other programs.

    Args:
        output: A file that ends in .onnx, or a folder that does not exist or is empty.
        options: What is written.
        notify: Called with one sentence for every automatic choice.
        progress: Called with (bytes done, bytes in all or None) while the model is downloaded.

    Raises:
        UsageError: An option is invalid, or the output exists or cannot be written.
        ModelError: The model cannot be loaded or written as ONNX.
        StyleError: A style cannot be used.
        SinkError: Writing fails. Nothing is left behind then.
    """
    options.check(output)
    _check_output(output)
    loaded = load_model(options.model, "cpu", notify=notify, progress=progress)
    export = _Export(loaded, options)
    if is_file(output):
        data = export.frame_file()
        with write_errors(output):
            write_bytes(output, data)
        files = {output.name: len(data)}
    else:
        contents = export.folder_files()
        _write_folder(output, contents)
        files = {name: len(data) for name, data in contents.items()}
    return ExportReport(output, files, loaded.name, tuple(export.styles))


class _Export:
    """Builds the files of one model."""

    def __init__(self, loaded: LoadedModel, options: ExportOptions) -> None:
        self._programs = loaded.programs
        self._name = loaded.name
        self._options = options
        self._precision = cast(OnnxPrecision, options.precision)
        self._engine: Engine = choose_engine(device="cpu").make(loaded.programs)
        cache = BottleneckCache(cache_root() / "bottlenecks", loaded.fingerprint)
        self._registry = StyleRegistry(BottleneckStore(self._engine, cache))
        self.styles: dict[str, Bottleneck] = {}

    def frame_file(self) -> bytes:
        """Return the single file: the frame program, with a style if one was given."""
        if not self._options.styles:
            return self._serialize(self._frame())
        ((label, bottleneck),) = self._load(self._options.styles).items()
        model = self._frame([np.asarray(each) for each in self._engine.expand(bottleneck)])
        return self._serialize(model, style=label)

    def folder_files(self) -> dict[str, bytes]:
        """Return the files of the folder, by name."""
        self._load(self._options.styles or tuple(builtin_styles()))
        bottleneck = _names("bottleneck", len(self._programs.expand.inputs))
        frame = self._frame()
        styles = [each.name for each in frame.graph.input][1:]
        models = {
            FRAME: frame,
            ENCODE: emit_program(self._programs.encode, ["image", *bottleneck]),
            EXPAND: emit_program(self._programs.expand, [*bottleneck, *styles]),
        }
        card = model_card(
            self._name,
            models,
            list(self.styles),
            size=self._options.size,
            precision=self._precision,
            version=_version(),
            opset=OPSET,
        )
        described = {
            label: self._describe(each, bottleneck, styles) for label, each in self.styles.items()
        }
        return {
            **{name: self._serialize(model) for name, model in models.items()},
            STYLES: (json.dumps(described) + "\n").encode(),
            CARD: card.encode(),
        }

    def _load(self, styles: tuple[str, ...]) -> dict[str, Bottleneck]:
        """Compute the bottlenecks of styles, by label."""
        self.styles = dict(self._registry.add(style, self._options.stroke) for style in styles)
        return self.styles

    def _frame(self, style: list[NDArray[Any]] | None = None) -> Any:
        return emit_frame(
            self._programs.frame,
            self._options.size,
            precision=self._precision,
            images=cast(ImageType, self._options.images),
            style=style,
        )

    def _describe(
        self, bottleneck: Bottleneck, bottleneck_names: list[str], style_names: list[str]
    ) -> dict[str, list[float]]:
        """Return the tensors of a style as flat lists, by the names that the models give them."""
        parts = np.split(bottleneck, np.cumsum(self._programs.bottleneck_parts)[:-1])
        tensors = [*parts, *self._engine.expand(bottleneck)]
        names = [*bottleneck_names, *style_names]
        return {
            name: [float(f"{number:.9g}") for number in np.ravel(tensor)]  # all of a float32
            for name, tensor in zip(names, tensors, strict=True)
        }

    def _serialize(self, model: Any, **facts: str) -> bytes:
        """Return the bytes of a model, with what it is in its metadata."""
        model.producer_version = _version()
        facts = {"model": Path(self._name).name or self._name, **facts}
        facts |= {"license": license_of(self._name), "precision": self._precision}
        for key, value in facts.items():
            if value:
                model.metadata_props.add(key=key, value=value)
        serialized: bytes = model.SerializeToString()
        return serialized


def _names(word: str, count: int) -> list[str]:
    return [word] if count == 1 else [f"{word}_{index}" for index in range(count)]


def _version() -> str:
    return installed_version("live-nst") or "?"


def _check_output(output: Path) -> None:
    """Raise unless the output can be written, and nothing is lost by it."""
    hint = "choose another name, or remove it"
    if is_file(output):
        exists = UsageError(f"There is a file {output} already", hint)
        check_output(output, kind="a model", suffixes=[SUFFIX], exists=exists)
        return
    if output.suffix[1:].isalpha() and not output.is_dir():
        raise UsageError(
            f"Invalid suffix: cannot write a model to '{output.name}'",
            f"use a name that ends in {SUFFIX}, or a folder",
        )
    if output.is_dir():
        if any(output.iterdir()):
            raise UsageError(f"The folder {output} is not empty", hint)
        if not os.access(output.absolute().parent, os.W_OK | os.X_OK):
            raise UsageError(f"The folder {output.absolute().parent} is not writable", hint)
        return
    check_output(output, kind="a folder", exists=UsageError(f"There is a file {output}", hint))


def _write_folder(output: Path, contents: dict[str, bytes]) -> None:
    """Write all files of a folder, or none."""
    output = output.absolute()
    with write_errors(output, error=SinkError):
        partial = Path(tempfile.mkdtemp(prefix=".live-nst-", dir=output.parent))
        try:
            for name, data in contents.items():
                (partial / name).write_bytes(data)
            partial.chmod(0o755)
            if output.is_dir():
                output.rmdir()  # it is empty; elsewhere than on Linux it is in the way
            os.replace(partial, output)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
