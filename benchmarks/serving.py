"""Runs one of the two servers in a process of its own, both with the same flags: `serving.py WHICH DIR URL`.

Prints its port, and `ready` when it answers. With a fourth argument it profiles itself and writes the profile there
at the end.
"""

import cProfile
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import uvicorn
from bare import create_bare

from api.serving import serve
from api.settings import Settings

CONNECTIONS = 8


def _ready() -> None:
    print("ready", flush=True)


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        _ready()


def _bare(url: str, listener: socket.socket) -> None:
    """As `api.serving.serve` does it."""
    app = create_bare(url, CONNECTIONS)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=131_072,
    )
    _Server(config).run(sockets=[listener])


def main(which: str, directory: str, url: str, profile: str | None = None) -> None:
    """Serve until a signal comes."""
    # uvicorn raises the signal again when it has stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    print(port, flush=True)
    settings = Settings(data_dir=Path(directory), public_url=f"http://127.0.0.1:{port}", read_connections=CONNECTIONS)
    run: Callable[[], None] = (
        (lambda: _bare(url, listener)) if which == "bare" else (lambda: serve(settings, url, listener, ready=_ready))
    )
    if profile is None:
        run()
        return
    profiler = cProfile.Profile()
    try:
        profiler.runcall(run)
    finally:
        profiler.dump_stats(profile)


if __name__ == "__main__":
    main(*sys.argv[1:])
