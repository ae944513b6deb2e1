"""What the tests of the real service share: `samsyn` as a subprocess, as an operator would run it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
from typer.testing import CliRunner

from api.cli import app as command_line
from api.store.embedded_binaries import binaries
from tests.integration.embedded_support import cluster_processes, kill_cluster

SAMSYN = Path(sys.executable).parent / "samsyn"
PATIENCE_S = 120.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(home, **more):
    """A newcomer's: an own home, and no setting of the one who runs the tests."""
    return {"HOME": str(home), "PATH": f"{SAMSYN.parent}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"} | more


def run_within(*arguments, env, cwd):
    """A command of `samsyn` within this process, in a thread that may have a loop of its own; its status and output.

    For what a command says and does, where one like it has been started as a process already: a start costs far more.
    """

    def invoke():
        with contextlib.chdir(cwd):
            return CliRunner().invoke(command_line, [str(part) for part in arguments], env=env, catch_exceptions=False)

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(invoke).result()
    return subprocess.CompletedProcess(arguments, ended.exit_code, ended.stdout, ended.stderr)


class Service:
    """One run of `samsyn serve` or `samsyn demo` on a data directory; what it says goes to a file."""

    def __init__(self, command, data_dir, port, *, program=(SAMSYN,), **options):
        self.data_dir, self.port = data_dir, port
        self.log = Path(data_dir).parent / f"{command}-{time.monotonic_ns()}.log"
        self.started = time.monotonic()
        defaults = {"env": environment(data_dir), "cwd": data_dir.parent}
        with self.log.open("w") as said:
            self.process = subprocess.Popen(
                [*program, command, "--port", str(port), "--data-dir", str(data_dir)],
                stdout=said,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **defaults | options,
            )

    @property
    def said(self):
        return self.log.read_text()

    def ready(self):
        """Wait for the first 200 of /health/ready; the seconds it took."""
        address = None
        while time.monotonic() - self.started < PATIENCE_S:
            assert self.process.poll() is None, self.said
            address = address or re.search(r"http://127\.0\.0\.1:\d+", self.said)
            if address:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{address[0]}/health/ready", timeout=5).status_code == 200:
                        self.port = int(address[0].rpartition(":")[2])
                        return time.monotonic() - self.started
            time.sleep(0.02)
        raise AssertionError(self.said)

    @property
    def api(self):
        return f"http://127.0.0.1:{self.port}/samsyn/v1/"

    def kill(self):
        self.process.kill()
        self.process.wait(10)

    def stop(self, seconds=15.0):
        """SIGTERM as an operator sends it; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


def end(services, data_dir):
    """Leave nothing behind, whatever the test did."""
    for service in services:
        with contextlib.suppress(ProcessLookupError):
            service.process.kill()
        service.process.wait(10)
    kill_cluster(data_dir)


def processes_of(data_dir):
    """Every process that works in the data directory or names it on its command line."""
    found = set(cluster_processes(data_dir))
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                if str(data_dir).encode() in (entry / "cmdline").read_bytes():
                    found.add(int(entry.name))
    return found


def wheel_programs():
    """The folder whose programs alone may be the database."""
    return Path(binaries()).resolve()
