"""Find out which workers paint alike, before they paint.

A float32 sum depends on the order of its terms, and that on the processor and on the library. So
workers are compared by what they run, and by the bytes that they make of the same noise.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

from live_nst.conversion.cluster.job import FilmJob
from live_nst.conversion.video.segment_writer import SegmentEncoder
from live_nst.runtime.machine import installed_version, instructions
from live_nst.stylizer.core import StylizerCore
from live_nst.types import Image, Size
from live_nst.video.color import FromBgr

_PACKAGES = ("live-nst", "numpy", "pillow")
_AV_LIBRARIES = ("libavcodec", "libavutil", "libswscale")
_TRIAL_FRAMES = 3


@dataclass(frozen=True)
class Examination:
    """What decides how a worker paints.

    Attributes:
        settings: Model, engine, device and precision; see `StylizerCore.settings`.
        versions: The versions of the libraries that shape the result, by name.
        instructions: The processor's instruction sets that networks use.
        digest: SHA-256 of what it makes of some noise; empty if it was not asked to.
    """

    settings: Mapping[str, str]
    versions: Mapping[str, str]
    instructions: tuple[str, ...]
    digest: str = ""

    def difference(self, other: "Examination") -> str:
        """Return what makes another worker paint otherwise, as words; empty if nothing does."""
        for name, value in self.settings.items():
            if other.settings[name] != value:
                return f"its {name} is {other.settings[name]}, not {value}"
        for name, value in self.versions.items():
            if other.versions.get(name) != value:
                return f"it has {name} {other.versions.get(name, 'missing')}, not {value}"
        if other.instructions != self.instructions:
            names = ", ".join(sorted({*other.instructions} ^ {*self.instructions}))
            return f"its processor differs in {names}"
        if self.digest and other.digest and other.digest != self.digest:
            return "it makes other bytes of the same picture"
        return ""

    def __str__(self) -> str:
        """Return what runs: "openvino 2026.1.0, cpu, float32"."""
        return ", ".join(self.settings[name] for name in ("engine", "device", "precision"))


def describe(stylizer: StylizerCore, digest: str = "") -> Examination:
    """Return the examination of a stylizer in this process, whose network is compiled."""
    settings = stylizer.settings([])
    versions = {name: installed_version(name) or "missing" for name in _PACKAGES}
    versions["opencv"] = cv2.__version__
    for name in _AV_LIBRARIES:
        versions[name] = ".".join(map(str, av.library_versions[name]))
    compared = {name: settings[name] for name in ("model", "engine", "device", "precision")}
    return Examination(compared, versions, tuple(instructions()), digest)


def trial_film(stylizer: StylizerCore, job: FilmJob) -> str:
    """Return a digest of some noise, painted and encoded as a film of that job."""
    stylizer.restore_state({})
    from_bgr = FromBgr(job.settings.pixels, job.settings.color)
    encoder = SegmentEncoder(job.settings, 0, 0)
    step = max(1, round(Fraction(1) / (job.settings.rate * job.settings.time_base)))
    for number, image in enumerate(_noise(job.info.size)):
        encoder.write(from_bgr(stylizer(image, 0.0)), number * step)
    stylizer.restore_state({})
    encoder.flush()
    return hashlib.sha256(encoder.payload).hexdigest()


def trial_picture(stylizer: StylizerCore, size: int | None) -> str:
    """Return a digest of some noise, painted as a picture."""
    (image, *_) = _noise((160, 120))
    return hashlib.sha256(stylizer.still(image, size=size).tobytes()).hexdigest()


def majority(examinations: Iterable[Examination]) -> Examination:
    """Return the examination that most others agree with; the first one of several."""
    found = list(examinations)
    return max(found, key=lambda one: sum(not one.difference(other) for other in found))


def _noise(size: Size) -> list[Image]:
    random: Any = np.random.Generator(np.random.PCG64(1))
    shape = (size[1], size[0], 3)
    return [random.integers(0, 256, shape, dtype=np.uint8) for _ in range(_TRIAL_FRAMES)]
