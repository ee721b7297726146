"""A session with overlap, as on a GPU, with TensorFlow on a CPU: three threads, prefetching."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from live_nst.engines.base import Engine
from live_nst.engines.choice import EngineChoice
from live_nst.engines.tensorflow import TensorFlowEngine
from live_nst.live.options import PipelineOptions
from live_nst.live.pipeline import LivePipeline
from live_nst.models.program import SplitModel
from live_nst.sources.demo_video import DemoVideo
from live_nst.stylizer.core import StylizerCore
from live_nst.stylizer.look import Look
from live_nst.stylizer.options import StylizerOptions
from live_nst.types import Frame, Image
from tests.live.fakes import FakeClock, FakeSink, FrameFeeder, Running, own_threads, wait_until
from tests.models import tiny_models as modules

CAMERA = (160, 96)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return modules.save(modules.plain, tmp_path_factory.mktemp("small") / "module")


def make(folder: Path, stabilize: str) -> StylizerCore:
    return StylizerCore(
        StylizerOptions(
            model=str(folder),
            styles=("starry", "wave"),
            size=64,
            device="cpu",
            engine="tensorflow",
            stabilize=stabilize,
        )
    )


@pytest.fixture(params=["off", "fast"])
def pair(
    folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[StylizerCore, StylizerCore]]:
    """One as on a GPU, and one that does the same on a CPU."""

    def as_on_a_gpu(choice: EngineChoice, model: SplitModel, concurrency: int = 1) -> Engine:
        engine = TensorFlowEngine(model, "cpu", xla=True, upscale=True)
        engine.device = "a GPU"
        return engine

    with make(folder, request.param) as near:
        monkeypatch.setattr(EngineChoice, "make", as_on_a_gpu)
        with make(folder, request.param) as far:
            yield far, near


def test_overlap_gives_the_same_frames_through_every_change(
    pair: tuple[StylizerCore, StylizerCore], clock: FakeClock
) -> None:
    far, near = pair
    assert far.prefetch(np.zeros((96, 160, 3), np.uint8)) is not None
    feeder, sink, scene = FrameFeeder(clock), FakeSink(), DemoVideo(*CAMERA)
    feeder.capture.start()
    pipeline = LivePipeline(
        feeder.capture, far, PipelineOptions(overlap=True), sinks=[sink], clock=clock
    )
    worker, expected = pipeline.worker, []

    def show(count: int = 3) -> None:
        for _ in range(count):
            image: Image = scene.image_at(len(expected) / 10)
            expected.append(near(image, clock.now()))
            feeder.put(Frame(image, len(expected), clock.now()))
            wait_until(lambda: len(sink.frames) == len(expected))

    with Running(pipeline) as running:
        show()
        near.resize(96)
        worker.size_controller.use(96, failed).result(30)
        show()
        for each in (near, far):
            each.select("wave")
        show()
        for look in (Look(0.6), Look(1.0, keep_colors=1.0), Look(1.0, detail=0.7), Look(0.0)):
            near.look = far.look = look
            show(2)
    assert running.error is None
    assert own_threads() == []
    for shown, wanted in zip(sink.frames, expected, strict=True):
        off = np.abs(shown.image.astype(int) - wanted)
        assert off.max() <= 4  # the program in another form: levels fall on either side
        assert off.mean() < 0.05


def failed(error: Exception) -> None:
    raise error
