"""The law of a version, found among the revisions that changed the law files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from api.law.revision import law_of_version
from policies.catalogue import LAW_DIRECTORY, law, load


def git(directory: Path, *arguments: str) -> None:
    author = ["-c", "user.name=test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *author, *arguments], cwd=directory, check=True, capture_output=True)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A repository of four revisions: an earlier law, one that cannot be read, our law, and something else."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    root = tmp_path / "project"
    directory = root / "policies" / "law"
    shutil.copytree(LAW_DIRECTORY, directory)
    rule = directory / "provisions" / "osl-10-15a.toml"
    today, terms = rule.read_text("utf-8"), (directory / "terms.toml").read_text("utf-8")
    rule.write_text(today + "# before\n", "utf-8")
    git(tmp_path, "init", "-q", "-b", "main", str(root))
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "before")
    (directory / "terms.toml").unlink()
    git(root, "commit", "-q", "-a", "-m", "broken")
    (directory / "terms.toml").write_text(terms, "utf-8")
    rule.write_text(today, "utf-8")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "today")
    (root / "README.md").write_text("x\n", "utf-8")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "elsewhere")
    return directory


def test_earlier_law_is_found_behind_one_that_cannot_be_read(directory: Path, tmp_path: Path):
    before = tmp_path / "before"
    shutil.copytree(directory, before)
    rule = before / "provisions" / "osl-10-15a.toml"
    rule.write_text(rule.read_text("utf-8") + "# before\n", "utf-8")
    version = load(before).version
    found = law_of_version(version, directory)
    assert found is not None
    assert found.version == version != law().version
    assert law_of_version(version, directory, at_most=2) is None


def test_present_law_is_found_whatever_else_was_committed(directory: Path):
    found = law_of_version(law().version, directory)
    assert found is not None
    assert found.version == law().version


def test_version_that_nobody_committed_is_not_found(directory: Path):
    assert law_of_version("0000000000000000", directory) is None


def test_without_a_working_copy_nothing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "policies").mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert law_of_version(law().version, tmp_path / "policies" / "law") is None
