"""The README's walk through individual-level data: each line answers what the comment above it says."""

import json
import re
import shlex
from pathlib import Path

import pytest
import pytest_asyncio

from api.demo.loading import load_demo
from api.settings import Settings
from api.store.database import Database
from tests.support import App, copy_database, moment, open_app

pytestmark = pytest.mark.asyncio(loop_scope="session")

README = Path(__file__).parents[2] / "README.md"
SECTION = re.compile(r"^## Individual-level data, a walk\n(.*?)^## ", re.MULTILINE | re.DOTALL)
TAKEN = re.compile(r"(\w+)=\$\((curl .*) \| python3 -c '.*json\.load\(sys\.stdin\)(.*)\)'\)", re.DOTALL)
TOKEN = re.compile(r"\$\(uv run samsyn token ([^)]+)\)")
# Persons and ends of decisions in the walk are of this time; the service is asked as if it were now.
DAY = "2026-11-22T09:00:00Z"


def lines() -> list[tuple[int | None, str]]:
    """Each command of the walk with the status that the comment before it names."""
    found, status = [], None
    (section,) = SECTION.findall(README.read_text(encoding="utf-8"))
    for block in re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("# "):
                status = int(line[2:5])
            else:
                found.append((status, line))
                status = None
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def demo(server, template, tmp_path):
    url = await copy_database(server.dsn(), template)
    database = Database(url)
    await load_demo(database, Settings(data_dir=tmp_path), lambda _: None)
    await database.close()
    async with open_app(url, tmp_path) as opened:
        opened.clock.at = moment(DAY)
        yield opened


def filled(text: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        text = text.replace(f'"${{{name}[@]}}"', value).replace(f"${name}", value)
    return text


def token_of(demo: App, options: str) -> str:
    agency, *words = shlex.split(options)
    given: dict[str, list[str]] = {}
    for flag, value in zip(words[::2], words[1::2], strict=True):
        given.setdefault(flag, []).append(value)
    scopes, person = given.get("--scope"), "--person" in given
    return demo.token(agency, purposes=given.get("--purpose", []), scopes=scopes, person=person)


async def asked(demo: App, line: str) -> tuple[int, str]:
    words = shlex.split(TOKEN.sub(lambda match: token_of(demo, match[1]), line))
    headers, content, method, url = {}, None, "GET", ""
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            content = words.pop(0).encode()
        elif word == "-X":
            method = words.pop(0)
        elif word not in {"curl", "-sS"}:
            url = word
    answer = await demo.client(headers=headers).request(method, url.removeprefix("/"), content=content)
    return answer.status_code, answer.text


async def test_every_line_of_the_walk_answers_what_it_says(demo: App):
    known = {"API": ""}
    said: list[tuple[int, str]] = []
    for status, line in lines():
        taken = TAKEN.fullmatch(line)
        if taken is not None or line.startswith("curl "):
            answered = await asked(demo, filled(taken[2] if taken else line, known))
            assert answered[0] == status, (line, answered[1][:800])
            said.append(answered)
            if taken is not None:
                value = json.loads(answered[1])
                for step in re.findall(r"\[([^]]+)\]", taken[3]):
                    value = value[json.loads(step)]
                known[taken[1]] = value
        elif line.startswith("WHY="):
            known["WHY"] = line.removeprefix("WHY=(").removesuffix(")")
        elif not line.startswith("uv run"):
            name, _, value = line.partition("=")
            # It is put in between double quotes.
            known[name] = value[1:-1].replace('"', '\\"')
    reads = [json.loads(text)["items"] for status, text in said if status == 200 and '"items":' in text[:10]]
    assert any(row.get("name") == "Fiktiv Person Ett" and "contact" not in row for rows in reads for row in rows)
    assert [] in reads, "the decision was revoked, and nothing is read under it"
    assert any("requires under 21, is 22" in text for status, text in said if status == 409)
    assert any("25 kap. 1 § OSL" in text for status, text in said if status == 409)
