"""`samsyn matrix`: prints, writes and checks the committed table, and tells in words what changed since a revision."""

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api import cli
from api.contract import GENERATED, MATRIX, stale_files
from api.law import revision
from api.law.matrix import COLUMNS, golden
from policies.catalogue import LAW_DIRECTORY, law

LAW = law()


def run(*arguments: str):
    return CliRunner().invoke(cli.app, list(arguments))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A project's folder that holds an up-to-date table."""
    path = tmp_path / MATRIX
    path.parent.mkdir()
    path.write_bytes(golden(LAW))
    return path


def test_table_is_printed():
    answer = run("matrix")
    assert answer.exit_code == 0
    assert answer.stdout.encode() == golden(LAW)
    assert answer.stdout.splitlines()[0] == ",".join(COLUMNS)


def test_table_is_written_and_then_fresh(tmp_path: Path):
    assert run("matrix", "--check", "--directory", str(tmp_path)).exit_code == 1
    assert run("matrix", "--write", "--directory", str(tmp_path)).exit_code == 0
    assert (tmp_path / MATRIX).read_bytes() == golden(LAW)
    answer = run("matrix", "--check", "--directory", str(tmp_path))
    assert answer.exit_code == 0, answer.output
    assert "up to date" in answer.stdout


def test_stale_table_is_shown_with_the_difference_and_the_words(table: Path):
    text = table.read_text("utf-8")
    table.write_text(text.replace("|osl-10-18a|", "|").replace(",osl-10-18a|", ","), "utf-8")
    answer = run("matrix", "--check", "--directory", str(table.parents[1]))
    assert answer.exit_code == 1
    assert "--- policies/matrix.golden.csv" in answer.stdout
    assert "+social-services," in answer.stdout
    sentences = [line for line in answer.stdout.splitlines() if line.startswith("- Från")]
    assert sentences
    assert all("öppnas nu av 10 kap. 18 a § OSL" in line for line in sentences)
    assert "samsyn contracts" in answer.stderr
    english = run("matrix", "--check", "--language", "en", "--directory", str(table.parents[1]))
    assert "is now opened by 10 kap. 18 a § OSL" in english.stdout


def test_long_difference_is_cut(table: Path):
    table.write_text("not a table\n", "utf-8")
    (stale,) = stale_files(table.parents[1], MATRIX)
    difference = stale.difference()
    assert len(difference) == 201
    assert difference[-1].startswith("… and ")
    answer = run("matrix", "--check", "--directory", str(table.parents[1]))
    assert answer.exit_code == 1
    assert answer.stdout.splitlines()[-1].startswith("… and ")


def test_contracts_keeps_the_table_too(table: Path):
    root = table.parents[1]
    assert run("contracts", "--directory", str(root)).exit_code == 0
    assert all((root / name).exists() for name, _ in GENERATED)
    assert MATRIX in {name for name, _ in GENERATED}
    assert run("contracts", "--check", "--directory", str(root)).exit_code == 0
    table.write_text("x\n", "utf-8")
    answer = run("contracts", "--check", "--directory", str(root))
    assert answer.exit_code == 1
    assert "--- policies/matrix.golden.csv" in answer.stdout
    assert MATRIX in answer.stderr
    assert "openapi.json" not in answer.stderr


@pytest.mark.parametrize("arguments", [("--check", "--write"), ("--check", "--diff", "HEAD")])
def test_two_jobs_at_once_are_refused(arguments: tuple[str, ...]):
    answer = run("matrix", *arguments)
    assert answer.exit_code == 1
    assert "choose one" in answer.stderr


# --- since a revision ----------------------------------------------------------------------------------------------


def git(directory: Path, *arguments: str) -> None:
    author = ["-c", "user.name=test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *author, *arguments], cwd=directory, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose first commit holds our law but for one rule, and today's law as the present one."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    directory = tmp_path / "project" / "policies" / "law"
    shutil.copytree(LAW_DIRECTORY, directory)
    root = tmp_path / "project"
    rule = directory / "provisions" / "osl-10-15a.toml"
    today = rule.read_text("utf-8")
    rule.write_text(today.replace('type = "may"', 'type = "shall"').replace('"osl-25-1", ', ""), "utf-8")
    assert rule.read_text("utf-8") != today
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    (directory / "terms.toml").unlink()
    git(root, "commit", "-q", "-a", "-m", "broken")
    monkeypatch.setattr(revision.law_at, "__defaults__", (directory,))
    return root


def test_change_since_a_revision_is_told_in_words(repository: Path):
    answer = run("matrix", "--diff", "HEAD~1")
    assert answer.exit_code == 0, answer.output
    lines = answer.stdout.splitlines()
    called = "- Ändras: bestämmelsen 10 kap. 15 a § OSL (osl-10-15a): lydelsen från 2025-12-01: "
    assert lines[0] == "Lagen:"
    assert called + "slag: nu får lämnas (möjlighet); förut ska lämnas (uppgiftsskyldighet)." in lines
    assert called + "undantar nu även 25 kap. 1 § OSL." in lines
    outcomes = lines[lines.index("Utfallen:") + 1 :]
    assert outcomes
    assert all("hälso- och sjukvård" in line or "skola" in line for line in outcomes)
    assert any(line.endswith("krävde beslut, är nu spärrat (inte längre 10 kap. 15 a § OSL).") for line in outcomes)


def test_present_law_has_changed_nothing(repository: Path):
    rule = repository / "policies" / "law" / "provisions" / "osl-10-15a.toml"
    rule.write_bytes((LAW_DIRECTORY / "provisions" / "osl-10-15a.toml").read_bytes())
    (rule.parents[1] / "terms.toml").write_bytes((LAW_DIRECTORY / "terms.toml").read_bytes())
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "today")
    nothing = ["- nothing is changed"]
    answer = run("matrix", "--diff", "HEAD", "--language", "en")
    assert answer.stdout.splitlines() == ["The law:", *nothing, "The outcomes:", *nothing]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("no-such-branch", "is no revision of this repository"),
        ("--output=x", "is no revision of this repository"),
        ("HEAD", "do not follow today's form: law/terms.toml"),
    ],
)
def test_revision_that_cannot_be_read_is_one_clear_line(repository: Path, named: str, said: str):
    answer = run("matrix", f"--diff={named}")
    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert said in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert not (repository / "policies" / "x").exists()


def test_revision_without_law_files_is_told(repository: Path):
    git(repository, "rm", "-q", "-r", ".")
    git(repository, "commit", "-q", "-m", "gone", "--allow-empty")
    (repository / "policies").mkdir(exist_ok=True)
    assert "holds no law files" in run("matrix", "--diff", "HEAD").stderr


def test_folder_that_is_no_working_copy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "policies").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(revision.RevisionError, match="no git working copy"):
        revision.law_at("HEAD", tmp_path / "policies" / "law")


def test_machine_without_git_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(revision.RevisionError, match="git is not installed"):
        revision.law_at("HEAD")
