"""The file with the keys: made once in development, never in production, and told about without a word of it."""

import base64
import multiprocessing
from pathlib import Path

import pytest
from pydantic import ValidationError

from api.protection.keys import KEY_FILE, DataKeyError, DataKeys, key_source
from api.settings import Settings

A, B, C = (base64.b64encode(bytes([n]) * 32).decode() for n in (251, 252, 253))
PRODUCTION = {"environment": "production", "jwks": "https://issuer.example/jwks", "database_url": "postgresql://x/y",
              "ledger_key": "/x"}  # fmt: skip


def written(path: Path, text: str, mode: int = 0o600) -> Settings:
    path.write_text(text)
    path.chmod(mode)
    return Settings(data_keys=path)


def read(path: Path, text: str, mode: int = 0o600) -> DataKeys:
    return key_source(written(path, text, mode))()


def _into(directory: Path, barrier, found) -> None:
    barrier.wait()
    found.put(key_source(Settings(data_dir=directory))().pseudonym)


def test_development_makes_them_once_for_its_owner_alone(tmp_path):
    made = key_source(Settings(data_dir=tmp_path / "new"))()
    assert key_source(Settings(data_dir=tmp_path / "new"))() == made
    assert key_source(Settings(data_dir=tmp_path / "other"))() != made
    assert (tmp_path / "new" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert len(made.sealing) == 1
    assert made.pseudonym not in made.sealing


def test_processes_that_race_get_the_same_keys(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, found = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_into, args=(tmp_path, barrier, found)) for _ in range(4)]
    for process in processes:
        process.start()
    assert len({found.get(timeout=20) for _ in processes}) == 1
    for process in processes:
        process.join()
    assert [each.name for each in tmp_path.iterdir()] == [KEY_FILE]


def test_production_refuses_to_make_them():
    with pytest.raises(ValidationError, match="data_keys"):
        Settings(**PRODUCTION)


def test_production_refuses_to_start_without_the_file(tmp_path):
    chosen = Settings(**PRODUCTION, data_keys=tmp_path / "none")
    with pytest.raises(DataKeyError, match="none: No such file"):
        key_source(chosen)()
    assert list(tmp_path.iterdir()) == []


def test_first_key_is_the_newest_and_remarks_are_none(tmp_path):
    keys = read(tmp_path / "k", f"# of 2026\n{A}\n\n{B}  # of 2025\npseudonym {C}\n")
    assert keys.sealing == (bytes([251]) * 32, bytes([252]) * 32)
    assert keys.pseudonym == bytes([253]) * 32


def test_both_spellings_of_base64_are_read(tmp_path):
    assert "+" in A or "/" in A
    other = A.translate(str.maketrans("+/", "-_"))
    assert read(tmp_path / "k", f"{A}\npseudonym {C}") == read(tmp_path / "l", f"{other}\npseudonym {C}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "needs a line with a key"),
        (f"{A}\n", "needs a line with a key, and the line `pseudonym KEY`"),
        (f"pseudonym {C}\n", "needs a line with a key"),
        (f"{A}\npseudonym {B}\npseudonym {C}\n", "line 3"),
        (f"{A}\n{A[:-8]}\npseudonym {C}\n", "line 2"),
        (f"{A}\n{B[:10]}!{B[11:]}\npseudonym {C}\n", "line 2"),
        (f"{A} {B}\npseudonym {C}\n", "line 1"),
        (f"{A}\n{B}\n{A}\npseudonym {C}\n", "twice"),
        (f"{A}\npseudonym {A}\n", "twice"),
        ("\u00e5" * 44 + f"\npseudonym {C}\n", "line 1"),
    ],
)
def test_file_that_is_not_whole_is_refused_with_its_line_and_none_of_its_keys(tmp_path, text, why):
    with pytest.raises(DataKeyError, match=why) as found:
        read(tmp_path / "k", text)
    for key in (A, B, C, A[:8], B[:8]):
        assert key not in str(found.value)


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o620])
def test_file_that_everybody_may_read_or_write_is_refused(tmp_path, mode):
    with pytest.raises(DataKeyError, match="owner"):
        read(tmp_path / "k", f"{A}\npseudonym {C}\n", mode)


def test_file_of_a_group_behind_a_link_is_read_as_secrets_are_mounted(tmp_path):
    chosen = written(tmp_path / "k", f"{A}\npseudonym {C}\n", 0o440)
    (tmp_path / "link").symlink_to(tmp_path / "k")
    assert key_source(Settings(data_keys=tmp_path / "link"))() == key_source(chosen)()


def test_keys_do_not_show_themselves(tmp_path):
    keys = read(tmp_path / "k", f"{A}\npseudonym {C}\n")
    assert repr(keys) == "DataKeys()"
