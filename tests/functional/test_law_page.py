"""`GET /docs/law`: the law as a page that anybody may read, whole, and without leaving this service."""

import re
from html.parser import HTMLParser

import pytest

from policies.catalogue import law
from policies.document.swedish import day, last_day
from policies.document.text import document
from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

LAW = law()


class Page(HTMLParser):
    """Anchors, links, loads, inline scripts and styles, tables and the box each stands in, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.anchors: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.inline: list[str] = []
        self.tables_outside_a_box = 0
        self.words: list[str] = []
        self._boxes: list[bool] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if "id" in values:
            self.anchors.append(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif "src" in values or "href" in values:
            self.loads.append(values.get("src") or values["href"])
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        if tag in {"style", "script"} and "src" not in values:
            self.inline.append(tag)
        if tag == "div":
            self._boxes.append("wide" in values.get("class", ""))
        if tag == "table" and not (self._boxes and self._boxes[-1]):
            self.tables_outside_a_box += 1

    def handle_endtag(self, tag):
        if tag == "div":
            self._boxes.pop()

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).replace("\u00a0", " ").split())


async def page(app: App) -> Page:
    return Page((await app.client().get("docs/law")).text)


async def test_page_needs_no_token_and_is_swedish(app: App):
    answer = await app.client().get("docs/law")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="sv">' in answer.text
    assert LAW.version in answer.text


async def test_page_carries_the_headers_of_the_other_pages(app: App):
    client = app.client()
    ours, others = (await client.get("docs/law")).headers, (await client.get("docs")).headers
    names = {name for name in others if name not in {"content-length", "traceparent", "date"}}
    assert {name: ours.get(name) for name in names} == {name: others[name] for name in names}
    assert "unsafe-inline" not in ours["content-security-policy"]
    assert "script-src 'self'" in ours["content-security-policy"]


async def test_head_answers_as_get_without_a_body(app: App):
    client = app.client()
    asked, read = await client.head("docs/law"), await client.get("docs/law")
    assert asked.status_code == 200
    assert asked.content == b""
    assert asked.headers["content-length"] == read.headers["content-length"]


async def test_other_methods_are_refused(app: App):
    answer = await app.client().post("docs/law")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_every_rule_has_an_anchor_of_its_id(app: App):
    shown = await page(app)
    assert {*LAW.provisions, *LAW.secrecy} <= set(shown.anchors)
    assert len(shown.anchors) == len(set(shown.anchors))


async def test_contents_name_every_heading(app: App):
    html = (await app.client().get("docs/law")).text
    contents, _, article = html.partition("<article>")
    headings = re.findall(r'<h[234] id="([^"]+)">', article)
    assert len(headings) > len(LAW.provisions) + len(LAW.secrecy)
    assert re.findall(r'href="#([^"]+)"', contents.partition('<nav class="contents"')[2]) == headings


async def test_every_link_leads_somewhere_inside_the_service(app: App):
    shown = await page(app)
    inside = [link for link in shown.links if link.startswith("#")]
    assert len(inside) > 500
    assert {link.removeprefix("#") for link in inside} <= set(shown.anchors)
    client = app.client()
    for link in {*shown.links, *shown.loads} - set(inside):
        assert link.startswith("../"), link
        assert (await client.get(link.removeprefix("../"))).status_code == 200, link


async def test_page_names_no_other_origin_and_runs_nothing_inline(app: App):
    answer = await app.client().get("docs/law")
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+", answer.text) == []
    assert Page(answer.text).inline == []


async def test_every_table_scrolls_inside_its_own_box(app: App):
    shown = await page(app)
    assert "<table" in (await app.client().get("docs/law")).text
    assert shown.tables_outside_a_box == 0


async def test_page_says_all_that_the_document_says(app: App):
    """Every cell and line of the Markdown, without its marks; only the list of contents is the page's own."""
    text = (await page(app)).text
    whole = document(LAW)
    start, end = whole.index('## <a id="innehall">'), whole.index('## <a id="lasa">')
    paragraphs = (whole[:start] + whole[end:]).split("\n\n")
    for paragraph in paragraphs:
        for line in paragraph.split("\n") if paragraph.startswith(("|", "#")) else [paragraph]:
            for cell in re.split(r" ?\| ?", line):
                for piece in re.split(r"<br>|^- |\n- |^#+ ", cell):
                    plain = re.sub(r"</?a[^>]*>|\]\(#[^)]*\)|[\[`*\\]", "", piece)
                    assert " ".join(plain.split()) in text or set(plain) <= set("- ")


async def test_dates_of_every_wording_are_on_the_page(app: App):
    text = (await page(app)).text
    for rule in (*LAW.provisions.values(), *LAW.secrecy.values()):
        for wording in rule.wordings:
            assert day(wording.valid_from) in text
            assert last_day(wording.until) in text


async def test_other_pages_lead_to_the_law(app: App):
    assert 'href="./docs/law"' in (await app.client().get("docs")).text
    assert 'href="../docs/law"' in (await app.client().get("docs/graphiql")).text
