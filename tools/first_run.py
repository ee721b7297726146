"""Run `live-nst` with the camera and display of this machine, for `make run`."""

import os
import subprocess
import sys
import time
from pathlib import Path

from live_nst.errors import DisplayError
from live_nst.sinks.x11 import require_display
from live_nst.sources.devices import list_cameras

SECONDS = 10


def main() -> int:
    """Choose camera or demo, window or recording, and return the exit code of `live-nst`."""
    usable = [camera for camera in list_cameras() if camera.usable]
    command = ["live-nst", "--style", "starry"]
    command += ["--source", str(usable[0].index) if usable else "demo"]
    recording = None
    try:
        require_display()
    except DisplayError:
        recording = Path(time.strftime("live-nst-%Y%m%d-%H%M%S.mp4"))
        command += ["--no-window", "--duration", str(SECONDS), "--record", str(recording)]
        print(f"No display: recording {SECONDS} seconds to {recording}.", flush=True)
    print("$", *command, flush=True)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    status = subprocess.call([sys.executable, "-m", "live_nst", *command[1:]], env=environment)
    if status == 0 and recording is not None:
        print(f"Recorded {recording.resolve()}.")
    return status


if __name__ == "__main__":
    sys.exit(main())
