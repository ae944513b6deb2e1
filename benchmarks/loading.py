"""Sends one request over and over and counts the answers: `wrk` where it is installed, else a client of our own."""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

CONNECTIONS = 16


@dataclass(frozen=True)
class Ask:
    """One request, sent as it is."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None

    def raw(self) -> bytes:
        parts = urlsplit(self.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        body = (self.body or "").encode()
        lines = [f"{'GET' if self.body is None else 'POST'} {target} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [] if self.body is None else [f"Content-Length: {len(body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def generator() -> str:
    """The name of what sends the requests."""
    return "wrk" if shutil.which("wrk") else "own client"


def rate(ask: Ask, seconds: float, connections: int = CONNECTIONS) -> float:
    """Answers a second. Raises `RuntimeError` where one is not 200."""
    return _wrk(ask, seconds, connections) if shutil.which("wrk") else _own(ask, seconds, connections)


def _wrk(ask: Ask, seconds: float, connections: int) -> float:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s"]
    for name, value in ask.headers.items():
        command += ["-H", f"{name}: {value}"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if ask.body is not None:
            # ]==] does not occur in a query, so the body needs no escaping.
            script.write(f'wrk.method = "POST"\nwrk.body = [==[{ask.body}]==]\n')
            script.flush()
            command += ["-s", script.name]
        shown = subprocess.run([*command, ask.url], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in shown or "Socket errors" in shown:
        raise RuntimeError(f"not every answer was 200:\n{shown}")
    found = re.search(r"Requests/sec:\s+([0-9.]+)", shown)
    assert found is not None, shown
    return float(found[1])


def _own(ask: Ask, seconds: float, connections: int) -> float:
    """As wrk, in a process of its own, so that this one's interpreter is not the bottleneck."""
    command = [sys.executable, str(Path(__file__)), ask.url, str(seconds), str(connections)]
    done = subprocess.run(command, input=ask.raw(), capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return float(done.stdout)


class _Asker(asyncio.Protocol):
    """One connection: sends, counts the answer's bytes off, sends again."""

    def __init__(self, raw: bytes, until: float) -> None:
        self.raw, self.until, self.answers, self.left = raw, until, 0, 0
        self.head = b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        transport.write(self.raw)

    def data_received(self, data: bytes) -> None:
        if not self.left:
            self.head += data
            head, blank, rest = self.head.partition(b"\r\n\r\n")
            if not blank:
                return
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if not head.startswith(b"HTTP/1.1 200") or length is None:
                self.transport.close()
                self.ended.set_exception(RuntimeError(head.decode("latin-1")))
                return
            self.head, self.left, data = b"", int(length[1]), rest
        self.left -= len(data)
        if not self.left:
            self.answers += 1
            if time.monotonic() < self.until:
                self.transport.write(self.raw)
            else:
                self.transport.close()
                self.ended.set_result(None)


async def _run(url: str, seconds: float, connections: int) -> float:
    raw, parts = sys.stdin.buffer.read(), urlsplit(url)
    begun = time.monotonic()
    made = [
        asyncio.get_running_loop().create_connection(
            lambda: _Asker(raw, begun + seconds), parts.hostname or "", parts.port or 80
        )
        for _ in range(connections)
    ]
    askers = [asker for _, asker in await asyncio.gather(*made)]
    await asyncio.gather(*(asker.ended for asker in askers))
    return sum(asker.answers for asker in askers) / (time.monotonic() - begun)


if __name__ == "__main__":
    import uvloop

    print(uvloop.run(_run(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))))
