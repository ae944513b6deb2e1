"""Serves in the foreground: the whole service on an HTTP server, until a signal comes."""

import gc
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from api.app import create_app
from api.settings import Settings
from api.store.database import Database
from api.web.bounded_http import BoundedHttp


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()


def serve(settings: Settings, url: str, listener: socket.socket, *, ready: Callable[[], None]) -> None:
    """Answer requests until a signal comes. `ready` is called when the first request can be answered."""
    app = create_app(settings, Database(url, read_connections=settings.read_connections))
    # What is made once stays: the collector need not walk the law, the schema and the routes again and again.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        http=BoundedHttp,
    )
    try:
        _Server(config, ready).run(sockets=[listener])
    except KeyboardInterrupt:
        # uvicorn raises the signal again when it has stopped; what is left is ours to stop.
        return
