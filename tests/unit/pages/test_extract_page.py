"""The extract as a page to hand out: it says what it is, holds no markup of others, and fits telephone and paper."""

import re
import shutil
import subprocess
from datetime import UTC, date, datetime
from html import escape
from pathlib import Path

import pytest

from api.audit.extract import COLUMNS
from api.pages.extract import Facts, extract_page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MADE = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
ROW = (
    "2026-07-02 00:30:00",
    "uppgift lämnad till annan myndighet",
    "beteckning, myndighet som förfogar över uppgiften, datum för iakttagelsen, faktum eller bedömning",
    "socialtjanstensverksamhetssystemforoppnadrogscener",
    "beslutsfattare",
    "Polismyndigheten",
    "förebygga, förhindra eller upptäcka brottslig verksamhet",
    "10 kap. 18 a § offentlighets- och sekretesslagen",
)


def page(rows=(), **changes) -> str:
    facts = {"holder": "Nämnden", "case_reference": "A1/2026", "made_at": MADE, "receipt": "kvitto-1"}
    return bytes(extract_page(rows, COLUMNS, Facts(**facts | changes)).body).decode()


def test_page_shows_what_others_wrote_as_text():
    row = (*ROW[:3], "<script>alert(1)</script>", "", '"><img src=x>', "", "")
    body = page([row], holder="<b>Nämnden</b>", case_reference="<i>1</i>")
    for markup in ("<script", "<img", "<b>", "<i>"):
        assert markup not in body
    assert "&lt;script&gt;" in body


def test_page_says_whose_it_is_in_which_case_and_when_it_was_made():
    body = page()
    for told in ("Nämnden", "A1/2026", "kvitto-1", "2026-07-02 00:30"):
        assert told in body


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({}, ""),
        ({"start": date(2026, 1, 1)}, "från och med 2026-01-01"),
        ({"end": date(2026, 1, 2)}, "till och med 2026-01-02"),
        (
            {"start": date(2026, 1, 1), "end": date(2026, 1, 2)},
            "från och med 2026-01-01 till och med 2026-01-02",
        ),
    ],
)
def test_page_says_its_days_and_that_nothing_is_noted_only_of_them(days, words):
    body = page(**days)
    assert f"Inget är antecknat{' ' if words else ''}{words}." in body
    assert f"<dd>{words or 'all tid'}" in body
    assert ("utanför den angivna tiden" in body) == bool(words)


def test_every_cell_bears_the_name_of_its_column():
    body = page([ROW])
    assert re.findall(r'data-label="([^"]+)"', body) == [column.capitalize() for column in COLUMNS]


def chromium(folder: Path, *arguments: str) -> str:
    always = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder}/profile"]
    run = subprocess.run([CHROMIUM, *always, *arguments], capture_output=True, text=True, timeout=120, check=True)
    return run.stdout


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian package `chromium`)")
@pytest.mark.parametrize("width", [320, 390, 700, 1200, 1220, 1280])
def test_page_is_no_wider_than_its_window(tmp_path, width):
    script = (
        "onload=()=>document.title='w'+document.querySelector('iframe').contentDocument.documentElement.scrollWidth"
    )
    frame = f'<iframe style="border:0;width:{width}px;height:900px" srcdoc="{escape(page([ROW] * 3))}"></iframe>'
    shown = tmp_path / "frame.html"
    shown.write_text(f"<title></title>{frame}<script>{script}</script>", encoding="utf-8")
    dom = chromium(tmp_path, "--virtual-time-budget=5000", "--dump-dom", shown.as_uri())
    found = re.search(r"<title>w(\d+)</title>", dom)
    assert found, dom[:300]
    assert int(found[1]) <= width


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian package `chromium`)")
def test_page_is_printed_across_the_paper(tmp_path):
    shown, paper = tmp_path / "page.html", tmp_path / "page.pdf"
    shown.write_text(page([ROW] * 3), encoding="utf-8")
    chromium(tmp_path, f"--print-to-pdf={paper}", "--no-pdf-header-footer", shown.as_uri())
    wide, high = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)\s*\]", paper.read_bytes())[0]
    assert (round(float(wide)), round(float(high))) == (842, 595)
