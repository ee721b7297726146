"""Run `live-nst` with the camera and display of this machine, for `make run`."""

import os
import subprocess
import sys
import time
from pathlib import Path

from live_nst.errors import DisplayError
from live_nst.runtime.machine import available_cores
from live_nst.sinks.x11 import require_display
from live_nst.sources.devices import list_cameras

SECONDS = 10

FEW_CORES = 2
"""Beside encoding 1280x720, so many left the network 128x72 pixels (an AMD EPYC with AVX2)."""


def main() -> int:
    """Choose camera or demo, window or recording, and return the exit code of `live-nst`."""
    usable = [camera for camera in list_cameras() if camera.usable]
    recording = None
    try:
        require_display()
    except DisplayError:
        recording = Path(time.strftime("live-nst-%Y%m%d-%H%M%S.mp4"))
        print(f"No display: recording {SECONDS} seconds to {recording}.", flush=True)
    command = command_for(usable[0].index if usable else None, recording, available_cores())
    print("$", *command, flush=True)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    status = subprocess.call([sys.executable, "-m", "live_nst", *command[1:]], env=environment)
    if status == 0 and recording is not None:
        print(f"Recorded {recording.resolve()}.")
    return status


def command_for(camera: int | None, recording: Path | None, cores: int) -> list[str]:
    """Return the command to run.

    Args:
        camera: Its index; None for the demo.
        recording: The file to record to; None for a window.
        cores: Of the processor that there are.
    """
    command = ["live-nst", "--style", "starry"]
    command += ["--source", "demo" if camera is None else str(camera)]
    if recording is not None:
        command += ["--no-window", "--duration", str(SECONDS), "--record", str(recording)]
        if cores <= FEW_CORES:
            command += ["--camera-size", "640x360"]
    return command


if __name__ == "__main__":
    sys.exit(main())
