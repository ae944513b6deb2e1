"""Runs one of the two servers in a process of its own, both with the very same flags: `serving.py WHICH DIR URL`.

Prints its port when it answers. With a fourth argument it profiles itself and writes the profile there at the end.
"""

import asyncio
import cProfile
import signal
import socket
import sys
from pathlib import Path

import uvicorn
from bare import create_bare

from api.app import create_app
from api.settings import Settings
from api.store.database import Database

CONNECTIONS = 8


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print("ready", flush=True)


def main(which: str, directory: str, url: str, profile: str | None = None) -> None:
    """Serve until a signal comes."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    settings = Settings(data_dir=Path(directory), public_url=f"http://127.0.0.1:{listener.getsockname()[1]}")
    app = (
        create_bare(url, CONNECTIONS)
        if which == "bare"
        else create_app(settings, Database(url, read_connections=CONNECTIONS))
    )
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=131_072,
    )
    # uvicorn raises the signal again when it has stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = _Server(config)
    if profile is None:
        server.run(sockets=[listener])
        return
    profiler = cProfile.Profile()
    try:
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            profiler.enable()
            runner.run(server.serve(sockets=[listener]))
    finally:
        profiler.disable()
        profiler.dump_stats(profile)


if __name__ == "__main__":
    main(*sys.argv[1:])
