"""The docs pages in a real browser: they render, log no error, and ask nothing of any other origin."""

import json
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from api.pages.endpoints import router
from api.settings import BASE_PATH, Settings

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian package `chromium`)")


@pytest.fixture(scope="module")
def origin():
    """A server with the docs pages, a small contract and a stub GraphQL endpoint; its address."""
    api = FastAPI(
        docs_url=None,
        openapi_url=f"{BASE_PATH}/openapi.json",
        servers=[{"url": "https://elsewhere.example/samsyn/v1"}],
    )
    api.include_router(router(Settings()), prefix=BASE_PATH)

    @api.get("/scenes", summary="List scenes")
    async def scenes() -> list[str]:
        return []

    @api.post(f"{BASE_PATH}/graphql", include_in_schema=False)
    async def graphql() -> dict:
        return {"data": None}

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(api, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < deadline, "the test server did not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


def browse(url: str, folder: Path) -> tuple[str, str, list[str]]:
    """Open a page in a fresh profile: its rendered DOM, its console, and every address the page itself asked for."""
    log = folder / "net.json"
    arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        f"--user-data-dir={folder}/profile",
    ]
    # The browser itself calls home; nothing but this server can be reached from here.
    arguments += ["--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    arguments += [f"--log-net-log={log}", "--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom", url]
    run = subprocess.run([CHROMIUM, *arguments], capture_output=True, text=True, timeout=120, check=True)
    console = "\n".join(line for line in run.stderr.splitlines() if "CONSOLE" in line)
    origin = url.split("/samsyn", 1)[0]
    requests = [event.get("params", {}) for event in json.loads(log.read_text(encoding="utf-8"))["events"]]
    return run.stdout, console, [item["url"] for item in requests if item.get("initiator") == origin and "url" in item]


@pytest.mark.parametrize(
    ("path", "asset", "rendered"),
    [
        ("/docs", "openapi.json", 'class="opblock'),
        ("/docs/graphiql", "graphql", "graphiql-execute-button"),
        ("/docs/law", "docs/static/law.css", '<h4 id="osl-10-18a">'),
    ],
)
def test_page_renders_without_error_and_without_a_request_to_another_origin(origin, tmp_path, path, asset, rendered):
    dom, console, requested = browse(f"{origin}{BASE_PATH}{path}", tmp_path)
    assert rendered in dom
    assert console == ""
    assert f"{origin}{BASE_PATH}/{asset}" in requested
    assert [url for url in requested if not url.startswith(f"{origin}{BASE_PATH}/")] == []


def test_trying_out_goes_to_the_server_that_showed_the_page(origin, tmp_path):
    dom, _, _ = browse(f"{origin}{BASE_PATH}/docs", tmp_path)
    assert f'<option value="{BASE_PATH}">' in dom
    assert "elsewhere.example" not in dom
