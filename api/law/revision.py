"""The law as it stood at an earlier revision of the repository, read from git."""

import io
import subprocess
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from policies.catalogue import LAW_DIRECTORY, LawError, load
from policies.model import Law


class RevisionError(Exception):
    """The law of a revision cannot be had; the text says why and is fit to be shown."""


def law_at(revision: str, directory: Path = LAW_DIRECTORY) -> Law:
    """The law files of a revision, loaded and checked by today's rules. Raises `RevisionError`."""
    named = revision[:60]
    # INVARIANT: no text of the user's is ever read as an option of git.
    if revision.startswith("-"):
        raise RevisionError(f"`{named}` is no revision of this repository")
    _git(directory, f"`{named}` is no revision of this repository", "rev-parse", "--verify", f"{revision}^{{commit}}")
    packed = _git(
        directory, f"revision `{named}` holds no law files", "archive", "--format=zip", revision, directory.name
    )
    with TemporaryDirectory() as place:
        zipfile.ZipFile(io.BytesIO(packed)).extractall(place)
        try:
            return load(Path(place) / directory.name)
        except LawError as error:
            raise RevisionError(f"the law files of `{named}` do not follow today's form: {error}") from None


def law_of_version(version: str, directory: Path = LAW_DIRECTORY, *, at_most: int = 100) -> Law | None:
    """The law whose `version` this is, from the last revisions that changed the law files; None where none has it."""
    try:
        revisions = _git(directory, "no history", "log", f"--max-count={at_most}", "--format=%H", "--", directory.name)
    except RevisionError:
        return None
    for revision in revisions.decode().split():
        try:
            found = law_at(revision, directory)
        except RevisionError:
            # Files of another form: what they said then, today's program cannot read.
            continue
        if found.version == version:
            return found
    return None


def _git(directory: Path, else_say: str, *arguments: str) -> bytes:
    """What a git command prints, run beside the law files. Raises `RevisionError`."""
    command = ["git", *arguments]
    try:
        done = subprocess.run(command, cwd=directory.parent, capture_output=True, check=False)  # noqa: S603 - no shell
    except FileNotFoundError:
        raise RevisionError("git is not installed here, or the law files are not") from None
    said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
    if "not a git repository" in said or "dubious ownership" in said:
        raise RevisionError(f"the law files are in no git working copy: {said}")
    if done.returncode:
        raise RevisionError(f"{else_say}: {said}")
    return done.stdout
