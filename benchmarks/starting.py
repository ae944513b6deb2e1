"""How long `samsyn demo` takes until it is ready: on an empty folder, and on one that holds its data already."""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

_PATIENCE_S = 120


def start_up() -> dict[str, float]:
    """Seconds until the first 200 on /health/ready, cold and warm."""
    with tempfile.TemporaryDirectory(prefix="samsyn-start-") as place:
        directory = Path(place) / "data"
        return {what: _until_ready(directory) for what in ("cold", "warm")}


def _until_ready(directory: Path) -> float:
    program = shutil.which("samsyn", path=str(Path(sys.executable).parent))
    assert program is not None, "samsyn is not installed beside this Python"
    begun = time.monotonic()
    command = [program, "demo", "--port", "0", "--data-dir", str(directory)]
    said = directory.with_suffix(".said")
    with said.open("w") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            while time.monotonic() - begun < _PATIENCE_S:
                if process.poll() is not None:
                    break
                if _ready(said.read_text()):
                    return time.monotonic() - begun
                time.sleep(0.02)
            raise RuntimeError(f"the demo did not start:\n{said.read_text()}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _ready(text: str) -> bool:
    """Whether the address that the demo has printed answers."""
    found = re.search(r"http://127\.0\.0\.1:\d+", text)
    if found is None:
        return False
    try:
        with urllib.request.urlopen(f"{found[0]}/health/ready", timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False
