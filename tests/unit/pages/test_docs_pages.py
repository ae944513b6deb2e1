"""The docs pages load nothing from elsewhere, run no inline script and keep what is typed into them."""

import hashlib
import json
import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from api.pages.assets import STATIC, vendor_path
from api.pages.endpoints import router
from api.pages.rendering import graphiql_page
from api.settings import BASE_PATH, Settings

ORIGIN = "http://samsyn.test"
PAGES = ["/docs", "/docs/graphiql", "/docs/law"]
OWN = sorted(path for path in STATIC.iterdir() if path.is_file())
MANIFEST = json.loads((STATIC / "vendor" / "VENDORED.json").read_text(encoding="utf-8"))


class Loads(HTMLParser):
    """What a page loads, links to and runs inline."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []
        self.inline: list[str] = []
        self.languages: list[str | None] = []
        self._script = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "html":
            self.languages.append(values.get("lang"))
        if tag == "script":
            self._script = True
        if tag == "a":
            # An anchor without an address is a place to be linked to.
            self.linked += [values["href"]] if "href" in values else []
        elif url := values.get("src") or values.get("href"):
            self.loaded.append(url)
        self.inline += [name for name in values if name.startswith("on") or name == "style"]

    def handle_endtag(self, tag):
        if tag == "script":
            self._script = False

    def handle_data(self, data):
        if self._script and data.strip():
            self.inline.append(data)


def app(**settings) -> FastAPI:
    api = FastAPI(docs_url=None, openapi_url=None)
    api.include_router(router(Settings(**settings)), prefix=BASE_PATH)
    return api


async def get(path: str, *, headers: dict[str, str] | None = None, **settings) -> Response:
    async with AsyncClient(transport=ASGITransport(app(**settings)), base_url=ORIGIN) as client:
        return await client.get(BASE_PATH + path, headers=headers)


@pytest.mark.asyncio
@pytest.mark.parametrize("path", PAGES)
async def test_every_asset_a_page_names_is_served_by_the_same_origin(path):
    page = await get(path)
    assets = Loads(page.text).loaded
    assert len(assets) >= 3
    for asset in assets:
        url = urljoin(f"{ORIGIN}{BASE_PATH}{path}", asset)
        assert url.startswith(f"{ORIGIN}{BASE_PATH}/docs/static/"), asset
        assert (await get(urlsplit(url).path.removeprefix(BASE_PATH))).status_code == 200, asset


@pytest.mark.asyncio
@pytest.mark.parametrize("path", PAGES)
async def test_links_stay_inside_the_api(path):
    targets = {urljoin(f"{ORIGIN}{BASE_PATH}{path}", link) for link in Loads((await get(path)).text).linked}
    assert {
        f"{ORIGIN}{BASE_PATH}/{name}" for name in ("docs", "docs/graphiql", "docs/law", "openapi.json", "api-info")
    } <= targets
    assert all(target.startswith(f"{ORIGIN}{BASE_PATH}/") for target in targets)


@pytest.mark.asyncio
@pytest.mark.parametrize("path", PAGES)
async def test_page_has_language_title_and_no_inline_script_or_style(path):
    page = await get(path)
    parsed = Loads(page.text)
    assert parsed.languages == ["sv" if path == "/docs/law" else "en"]
    assert re.search(r"<title>[^<]+ – Samsyn API</title>", page.text)
    assert page.text.count("<h1") == 1
    assert parsed.inline == []


@pytest.mark.asyncio
@pytest.mark.parametrize("path", PAGES)
async def test_policy_of_a_page_allows_scripts_and_connections_to_its_own_origin_only(path):
    headers = (await get(path)).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert not re.search(r"https?:|\*|unsafe-eval|blob:", headers["content-security-policy"])
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.asyncio
async def test_only_graphiql_may_write_inline_styles():
    for path in ("/docs", "/docs/law"):
        assert "unsafe-inline" not in (await get(path)).headers["content-security-policy"]
    assert "script-src 'self';" in (await get("/docs/graphiql")).headers["content-security-policy"]


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_own_assets_name_no_other_origin(path):
    urls = set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s\"'`)]*", path.read_text(encoding="utf-8")))
    assert urls <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize("path", sorted(STATIC.rglob("*.css")), ids=lambda path: path.name)
def test_style_sheets_load_nothing_from_elsewhere(path):
    style = path.read_text(encoding="utf-8")
    assert "@import" not in style
    loads = re.findall(r"url\(\s*[\"']?([^\"')\s]{1,40})", style)
    assert all(load.startswith(("data:image/", "#")) for load in loads), loads


def test_contract_is_read_from_this_server_and_never_sent_to_a_validator():
    script = (STATIC / "docs.js").read_text(encoding="utf-8")
    assert "validatorUrl: null" in script
    assert "contract.servers = [{ url: root" in script


def test_graphiql_keeps_nothing_in_the_browser():
    script = (STATIC / "graphiql.js").read_text(encoding="utf-8")
    assert "shouldPersistHeaders: false" in script
    assert re.search(r"^\s+storage,$", script, re.MULTILINE)
    assert not re.search(r"localStorage|sessionStorage|document\.cookie", script)


def test_default_headers_can_be_sent_as_they_stand():
    # fetch refuses header values outside ISO 8859-1, an ellipsis for example.
    assert re.search(r'placeholder = "Bearer [A-Z]+"', (STATIC / "graphiql.js").read_text(encoding="ascii"))


def test_vendored_files_are_those_of_the_manifest():
    listed = {
        f"{package['folder']}/{name}": digest
        for package in MANIFEST["packages"]
        for name, digest in package["sha256"].items()
    }
    vendor = STATIC / "vendor"
    present = {
        str(path.relative_to(vendor)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file() and path.name != "VENDORED.json"
    }
    assert present == listed


@pytest.mark.parametrize("package", MANIFEST["packages"], ids=lambda package: package["name"])
def test_vendored_package_brings_its_licence(package):
    assert package["folder"] == f"{package['name']}-{package['version']}"
    assert package["licence"]
    assert any(name.startswith("LICENSE") for name in package["sha256"])


def test_vendored_files_hold_no_source_map_comment_and_stay_small():
    files = [path for path in (STATIC / "vendor").rglob("*") if path.is_file()]
    assert all(b"sourceMappingURL" not in path.read_bytes() for path in files)
    assert sum(path.stat().st_size for path in files) < 4_000_000


@pytest.mark.asyncio
async def test_versioned_assets_are_cached_for_good_and_own_assets_revalidated():
    vendored = await get(f"/docs/static/{vendor_path('graphiql')}/graphiql.js")
    assert vendored.headers["cache-control"] == "public, max-age=31536000, immutable"
    own = await get("/docs/static/docs.js")
    assert own.headers["cache-control"] == "no-cache"
    again = await get("/docs/static/docs.js", headers={"If-None-Match": own.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["cache-control"] == "no-cache"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "path",
    ["", "vendor", "missing.js", "../assets.py", "%2e%2e/assets.py", "..%2f..%2fsettings.py", "docs.js/x", "%00"],
)
async def test_nothing_outside_the_assets_is_served(path):
    answer = await get(f"/docs/static/{path}")
    assert answer.status_code == 404
    assert "import" not in answer.text


@pytest.mark.asyncio
async def test_hint_of_the_development_issuer_stays_out_of_production(tmp_path):
    production = {"environment": "production", "database_url": "postgresql://samsyn.test/samsyn"}
    production |= {name: str(tmp_path) for name in ("jwks", "data_keys", "ledger_key")}
    assert "samsyn token" in (await get("/docs")).text
    assert "samsyn token" not in (await get("/docs", **production)).text


def test_graphiql_answers_a_browser_at_the_graphql_address_too():
    html = bytes(graphiql_page(Settings()).body).decode()
    assert 'data-endpoint="./graphql"' in html
    assert all(url.startswith("./docs/static/") for url in Loads(html).loaded)


@pytest.mark.asyncio
async def test_pages_are_no_part_of_the_contract():
    assert app().openapi()["paths"] == {}
