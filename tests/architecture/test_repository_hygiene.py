"""What must not stand in the repository, and what every file of it must have."""

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"

REGISTRY_HOST = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|deb\.debian\.org")
MACHINE_PATH = re.compile(r"(?:^|[^\w.])/(?:work|farm|root)/", re.ASCII | re.MULTILINE)


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or with the next commit would be, in the repository."""
    arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git working copy")
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


@cache
def text(path: Path) -> str:
    """A file's text; empty where it is binary."""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode("utf-8", errors="replace")


def holding(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {match[0].strip()}"
        for path in files()
        for match in [pattern.search(text(path))]
        if match
    ]


def house() -> list[Path]:
    return sorted(path for folder in ("api", "policies") for path in (ROOT / folder).rglob("*.py"))


def test_repository_is_seen_whole():
    names = {str(path.relative_to(ROOT)) for path in files()}
    assert {"pyproject.toml", "LICENSE", "api/errors.py", "tests/architecture/test_repository_hygiene.py"} <= names


def test_no_file_names_a_package_registry():
    assert holding(REGISTRY_HOST) == []


def test_no_file_names_a_path_of_the_machine_it_was_made_on():
    assert holding(MACHINE_PATH) == []


@pytest.mark.parametrize("pattern", [REGISTRY_HOST, MACHINE_PATH])
def test_patterns_find_what_they_look_for(pattern):
    # Put together here, so that this file does not hold what it forbids.
    samples = ["pypi" + ".org", "x.pythonhosted" + ".org", "=/ro" + "ot/x", "/wo" + "rk/main", "a\n/fa" + "rm/"]
    assert any(pattern.search(sample) for sample in samples)
    assert not any(pattern.search(sample) for sample in ["a/work/b", "docs.example", "./work/", "/worker/", "/roots/"])


def test_resolution_that_names_registries_is_not_tracked():
    files()
    tracked = subprocess.run(["git", "ls-files", "uv.lock"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert tracked.stdout == ""
    assert "uv.lock" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def leaves(value: object) -> list[str]:
    """Every record and long string inside a JSON document, as compact text."""
    if isinstance(value, dict):
        own = [json.dumps(value, sort_keys=True)] if not any(isinstance(v, dict | list) for v in value.values()) else []
        return own + [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value] if isinstance(value, str) else []


@cache
def fetched() -> frozenset[str]:
    """The rows of the fetched data, long enough that no two texts share one by chance.

    The first line of a table names its columns: that is its format, not its content.
    """
    if not SHARED.is_dir():
        pytest.skip("the shared data is not beside this working copy")
    rows: set[str] = set()
    for path in SHARED.iterdir():
        if path.suffix == ".csv":
            rows |= {line.strip() for line in text(path).splitlines()[1:]}
        elif path.suffix in {".json", ".geojson"}:
            rows |= set(leaves(json.loads(text(path))))
    return frozenset(row for row in rows if len(row) >= 40)


def test_no_row_of_the_fetched_data_is_committed():
    rows = fetched()
    assert len(rows) > 1000
    copied = [
        f"{path.relative_to(ROOT)}: {line.strip()[:80]}"
        for path in files()
        if "static/vendor" not in path.as_posix()
        for line in re.split(r"\\n|\n", text(path))
        if line.strip() in rows or line.strip(" \t\r\"',") in rows
    ]
    assert copied == []


def test_no_file_of_the_fetched_data_is_committed():
    fetched()
    contents = {path.read_bytes() for path in SHARED.iterdir() if path.is_file()}
    assert [
        str(path.relative_to(ROOT)) for path in files() if path.stat().st_size and path.read_bytes() in contents
    ] == []


@pytest.mark.parametrize("path", house(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module_says_what_it_is_for_and_stays_small(path):
    source = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)), "no module docstring"
    assert len(source.splitlines()) < 500


@pytest.mark.parametrize("command", ["uv run samsyn demo", "uv run pytest"])
def test_readme_holds_the_two_commands(command):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"python3 -m pip install -q uv && {command}" in readme


def test_licence_is_the_whole_european_union_public_licence():
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert licence.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2\n")
    assert [int(number) for number in re.findall(r"^(\d+)\.[A-Z]", licence, re.MULTILINE)] == list(range(1, 16))
    assert licence.rstrip().endswith("require the production of a new EUPL version.")
