"""What the tests of the embedded PostgreSQL share.

Other samsyn processes are played by `USER_PROCESS`: it enters, tells who its server is, and leaves when told to.
"""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from api.store.embedded_binaries import binaries
from api.store.embedded_home import open_home
from api.store.embedded_process import Patience

ROOT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="shows what root does")
IMPATIENT = Patience(answer=0.5, fast=0.5, immediate=0.5, kill=5.0, orphans=0.3)

# The launcher needs the standard library and the wheel's files, so any Python of the machine can run it.
ENVIRONMENT = {"PATH": "", "PYTHONPATH": f"{ROOT}:{binaries().parents[2]}", "LC_ALL": "C.UTF-8"}

USER_PROCESS = """
import signal, sys
# Whoever started the tests in the background has SIGINT ignored, and that is inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from api.store.embedded import embedded_server
from api.store.embedded_process import Patience
try:
    patience = Patience(*map(float, sys.argv[2:]))
    tell = lambda step: print("step", step, flush=True)
    with embedded_server(Path(sys.argv[1]), progress=tell, patience=patience) as server:
        up = "up", server.socket_dir
        while True:
            try:
                if up:
                    print(*up, flush=True)
                up = None
                sys.stdin.readline()
                break
            except KeyboardInterrupt:
                print("interrupted", flush=True)
except Exception as error:
    print("failed", type(error).__name__, str(error).replace(chr(10), " "), flush=True)
    raise SystemExit(1)
"""


def user_process(data_dir, python=sys.executable, patience=None, **options):
    defaults = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "cwd": "/", "env": ENVIRONMENT}
    seconds = [str(value) for value in dataclasses.astuple(patience or Patience())]
    return subprocess.Popen([python, "-c", USER_PROCESS, str(data_dir), *seconds], text=True, **defaults | options)


def told(process, *words):
    """The steps up to the first line that begins with one of `words`, and that line."""
    steps = []
    for line in process.stdout:
        steps.append(line.strip())
        if line.startswith(words):
            return steps
    raise AssertionError(steps)


def leave(process):
    process.communicate("\n", timeout=30)
    assert process.returncode == 0


def cluster_processes(data_dir):
    """Every process whose working directory is the cluster: found without the launcher's own means."""
    place = Path(data_dir) / "postgresql"
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                cwd = (entry / "cwd").stat()
                for name in ("cluster", "cluster.partial"):
                    with contextlib.suppress(FileNotFoundError):
                        if os.path.samestat(cwd, (place / name).stat()):
                            found[int(entry.name)] = (entry / "exe").readlink()
    return found


def postmaster(data_dir):
    pid = int((data_dir / "postgresql/cluster/postmaster.pid").read_text().split()[0])
    assert pid in cluster_processes(data_dir)
    return pid


def kill_cluster(data_dir):
    while found := cluster_processes(data_dir):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def psql(server, sql, **options):
    done = subprocess.run(
        [binaries() / "psql", "-XAtq", server.dsn(), "-v", "ON_ERROR_STOP=1", "-c", sql],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    return done.stdout.strip() if done.returncode == 0 else done.stderr


def as_server_account(data_dir):
    account = open_home(data_dir).account
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account.dropped else {}


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.002)
