"""Documents are held to the house: what they must name is named, what they name is there, what they show works."""

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
import pytest_asyncio

from api.cli import KINDS
from api.cli import app as command_line
from api.demo.loading import load_demo
from api.errors import PROBLEMS
from api.identity.caller import SCOPES
from api.settings import Settings
from api.store.database import Database
from policies.catalogue import law
from policies.model import Law
from tests.support import App, copy_database, open_app

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
REFERENCE = ROOT / "docs" / "reference.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
CHANGELOGS = (ROOT / "CHANGELOG.md", ROOT / "openapi" / "CHANGELOG.md")
DOCUMENTS = (README, REFERENCE, ROOT / "CONTRIBUTING.md", *CHANGELOGS, *DECISIONS)
SECTIONS = ["Status", "Context", "Decision", "Consequences", "Alternatives", "References"]
LAW: Law = law()

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
# What a path of the repository begins with; anything else in back-ticks is a word, a header or a command.
PLACED = re.compile(r"(?:api|policies|tests|docs|openapi|migrations|benchmarks|\.ci)/[\w./-]*(?:::\w+)?")
AT_THE_ROOT = re.compile(r"[\w.-]+\.(?:toml|lock|md|yaml)|Dockerfile|LICENSE")
SET_BY_THE_READER = {"uv.lock", "SOURCES.md"}


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def row_of(document: Path, first_cell: str) -> str:
    """The table row that begins with this cell in back-ticks."""
    rows = [line for line in text(document).splitlines() if line.startswith(f"| `{first_cell}` |")]
    assert len(rows) == 1, f"{document.name} has {len(rows)} rows for `{first_cell}`"
    return rows[0]


def named_paths(document: Path) -> list[str]:
    return [
        name
        for name in CODE.findall(text(document))
        if (PLACED.fullmatch(name) or AT_THE_ROOT.fullmatch(name)) and name not in SET_BY_THE_READER
    ]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_in_the_readme_with_its_default(name: str):
    field = Settings.model_fields[name]
    variable = "DATABASE_URL" if name == "database_url" else f"SAMSYN_{name.upper()}"
    row = row_of(README, variable)
    if field.default is not None:
        assert f"| `{field.default}` |" in row


def test_readme_names_no_setting_that_is_not_there():
    # The two of the generative tests are no settings of the service.
    known = {f"SAMSYN_{name.upper()}" for name in Settings.model_fields} | {"SAMSYN_TEST_SEED", "SAMSYN_TEST_CASES"}
    assert set(re.findall(r"SAMSYN_[A-Z_]+", "\n".join(map(text, DOCUMENTS)))) - known == set()


@pytest.mark.parametrize("slug", PROBLEMS)
def test_every_problem_is_explained_with_its_status(slug: str):
    assert f"| {PROBLEMS[slug].status} |" in row_of(REFERENCE, slug)


def test_every_command_and_kind_of_import_stands_in_the_readme():
    names = [info.name or getattr(info.callback, "__name__", "") for info in command_line.registered_commands]
    assert len(names) >= 7
    assert [name for name in names if f"| `samsyn {name}" not in text(README)] == []
    assert [kind for kind in KINDS if f"`{kind}`" not in row_of_import()] == []


def row_of_import() -> str:
    return next(line for line in text(README).splitlines() if line.startswith("| `samsyn import "))


@pytest.mark.parametrize("word", [*LAW.sectors, *LAW.purposes])
def test_every_sector_and_purpose_is_explained(word: str):
    row_of(REFERENCE, word)


def test_authorities_are_those_of_the_law():
    assert {sector for sector in LAW.sectors if row_of(REFERENCE, sector).endswith("| yes |")} == LAW.authorities


def test_every_scope_and_every_reason_is_explained():
    assert [scope for scope in SCOPES if f"`{scope}`" not in text(REFERENCE)] == []
    reasons = set(re.findall(r'"(no-[a-z-]+)"', text(ROOT / "policies" / "decide.py"))) - {"no-secrecy"}
    assert len(reasons) >= 5
    for reason in reasons:
        row_of(REFERENCE, reason)


def test_reference_is_linked_from_the_readme():
    assert "(docs/reference.md)" in text(README)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_and_test_that_a_document_names_is_there(document: Path):
    for name in named_paths(document):
        path, _, test = name.partition("::")
        assert (ROOT / path).exists(), f"{document.name} names {path}"
        assert not test or re.search(rf"^(async )?def {test}\(", text(ROOT / path), re.MULTILINE), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(document: Path):
    for target in LINK.findall(text(document)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = document if not path else (document.parent / path).resolve()
        assert found.exists(), f"{document.name} links to {target}"
        headings = re.findall(r"^#+ (.+)$", text(found), re.MULTILINE) if anchor else []
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, f"{document.name} links to {target}"


def test_paths_and_words_are_told_apart():
    assert PLACED.fullmatch("tests/unit/x.py::test_y")
    assert AT_THE_ROOT.fullmatch("pyproject.toml")
    assert not any(PLACED.fullmatch(word) or AT_THE_ROOT.fullmatch(word) for word in ["/scenes", "uv run x", "api"])


def test_security_properties_name_code_and_test():
    table = text(README).split("## Security properties")[1].split("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ") and "`" in line]
    assert len(rows) >= 15
    for _, code, test in rows:
        assert re.findall(r"`(?:api|policies|migrations)/", code)
        assert re.findall(r"`tests/", test)


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_decision_record_has_its_sections_and_stands_in_the_readme(path: Path):
    number = path.name[:4]
    assert text(path).startswith(f"# {number}. ")
    assert re.findall(r"^## (.+)$", text(path), re.MULTILINE) == SECTIONS
    assert all(part.strip() for part in re.split(r"^## .+$", text(path), flags=re.MULTILINE)[1:])
    assert f"[{number}](docs/decisions/{path.name})" in text(README)


def test_decision_records_are_numbered_without_a_gap():
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("path", CHANGELOGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_changelog_has_the_version_of_the_package(path: Path):
    version = re.search(r'^version = "(.+)"$', text(ROOT / "pyproject.toml"), re.MULTILINE)
    assert version is not None
    assert re.search(rf"^## \[{re.escape(version[1])}\] - \d{{4}}-\d\d-\d\d$", text(path), re.MULTILINE)


def curl_lines() -> list[str]:
    # The walk through individual-level data is one story: tests/functional/test_readme_walk.py tells it in order.
    before, _, walk = text(README).partition("\n## Individual-level data, a walk\n")
    blocks = re.findall(r"^```sh\n(.*?)^```$", before + walk.partition("\n## ")[2], re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", "").splitlines()]
    return [line for line in lines if line.startswith("curl ")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def demo(server, template, tmp_path_factory):
    url = await copy_database(server.dsn(), template)
    directory = tmp_path_factory.mktemp("documents")
    database = Database(url)
    await load_demo(database, Settings(data_dir=directory), lambda _: None)
    await database.close()
    async with open_app(url, directory) as opened:
        yield opened


def test_readme_shows_every_job_on_both_faces():
    lines = curl_lines()
    assert len(lines) >= 9
    for path in ("intervention-surveys", "mappings", "incident-batches", "situation-reports", "scenes", "explanations"):
        assert any("$API/" in line and path in line for line in lines), path
    for field in ("createInterventionSurvey", "createIncidentBatch", "situationReports"):
        assert any("$API/graphql" in line and field in line for line in lines), field


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("line", curl_lines(), ids=lambda line: line[:60])
async def test_curl_line_of_the_readme_works_against_the_demo(demo: App, line: str):
    def token(match: re.Match[str]) -> str:
        agency, *options = match[1].split()
        return demo.token(agency, purposes=options[1::2])

    said = re.sub(r"\$\(uv run samsyn token ([^)]+)\)", token, line)
    words = shlex.split(said.replace("$API", "").replace("$(date +%s)", "1"))
    headers, content, method, url = {}, None, "GET", ""
    while words:
        word = words.pop(0)
        if word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            content, method = words.pop(0).encode(), "POST"
        elif word == "-X":
            method = words.pop(0)
        elif word not in {"curl", "-sS"}:
            url = word
    answer = await demo.client(headers=headers).request(method, url.removeprefix("/"), content=content)
    assert answer.status_code in {200, 201}, answer.text
    assert "errors" not in answer.json() or not answer.json()["errors"], answer.text
    assert answer.json().get("items") != []
