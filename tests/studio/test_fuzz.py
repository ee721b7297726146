"""Whatever is asked, the answer is a sentence, and the stream goes on."""

import pytest

from tests.studio.conftest import StudioHarness

pytest.importorskip("schemathesis")
from tests.studio.fuzz import fuzz  # after the check


def run(studio: StudioHarness, examples: int, seed: int) -> int:
    """Send random requests; return how many."""
    studio.start()
    statuses = fuzz(f"http://{studio.address}", examples, seed)
    assert not any("unexpectedly" in note for note in studio.notes), studio.notes
    # What was changed may have ended the session; it can be started again, and shows pictures.
    studio.host.start(studio.host.options)
    with studio.connect("/api/video") as viewer:
        viewer.receive_bytes()
    assert {path.suffix for path in studio.folder.iterdir()} <= {".png", ".mp4"}
    return sum(statuses.values())


def test_a_few_requests(studio: StudioHarness) -> None:
    assert run(studio, examples=6, seed=1) >= 60


@pytest.mark.slow
def test_ten_thousand_requests(studio: StudioHarness) -> None:
    count = seed = 0
    while count < 10_000:
        seed += 1
        count += run(studio, examples=200, seed=seed)
