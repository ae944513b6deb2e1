"""Sealed texts: nobody without a key reads one, and nobody with the database alone moves one to another row."""

import base64
import logging
import os
import secrets
import uuid

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from api.errors import Problem
from api.protection.keys import DataKeyError, DataKeys
from api.protection.sealing import Sealer

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")

ROW, OTHER = str(uuid.uuid4()), str(uuid.uuid4())
NUMBER = "191212121212"
OLD, NEW, PSEUDONYM = (bytes([n]) * 32 for n in (1, 2, 3))


def sealer(*keys: bytes) -> Sealer:
    return Sealer(lambda: DataKeys(keys, PSEUDONYM))


class Source:
    """Keys that an operator changes while the service runs; None: the file is away."""

    def __init__(self, *keys: bytes, pseudonym: bytes = PSEUDONYM) -> None:
        self.keys: DataKeys | None = DataKeys(keys, pseudonym)

    def __call__(self) -> DataKeys:
        if self.keys is None:
            raise DataKeyError("away")
        return self.keys


def refused(sealed_by: Sealer, row: str, field: str, token: bytes | str) -> str:
    with pytest.raises(Problem) as found:
        sealed_by.open(row, field, token)
    assert found.value.status_code == 503
    told = str(found.value.as_json("/x"))
    assert NUMBER not in told
    assert row not in told
    return told


def test_text_of_another_row_is_not_opened():
    one = sealer(OLD)
    refused(one, OTHER, "identityNumber", one.seal(ROW, "identityNumber", NUMBER))


def test_text_of_another_field_is_not_opened():
    one = sealer(OLD)
    refused(one, ROW, "contact", one.seal(ROW, "identityNumber", NUMBER))


def test_row_and_field_cannot_be_spelt_so_that_two_texts_are_one():
    one = sealer(OLD)
    token = one.seal(ROW, 'a","b', NUMBER)
    refused(one, ROW, "a", token)
    assert one.open(ROW, 'a","b', token) == NUMBER


@pytest.mark.parametrize("cut", [0, 1, 16, 40, -1, -4, -44])
def test_truncated_text_is_not_opened(cut):
    one = sealer(OLD)
    refused(one, ROW, "contact", one.seal(ROW, "contact", NUMBER)[:cut])


@pytest.mark.parametrize("token", ["", "gAAAAA", "é" * 100, "\x00", "=" * 200, b"\xff" * 120])
def test_garbage_is_not_opened_and_breaks_nothing(token):
    refused(sealer(OLD), ROW, "contact", token)


def test_any_flipped_bit_is_seen():
    one = sealer(OLD)
    raw = base64.urlsafe_b64decode(one.seal(ROW, "contact", NUMBER))
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        refused(one, ROW, "contact", base64.urlsafe_b64encode(changed))


def test_text_of_another_key_is_not_opened_and_the_log_holds_no_content(caplog):
    token = sealer(OLD).seal(ROW, "identityNumber", NUMBER)
    with caplog.at_level(logging.ERROR):
        refused(sealer(NEW), ROW, "identityNumber", token)
    assert "cannot be opened" in caplog.text
    for secret in (NUMBER, ROW, "identityNumber", token.decode(), OLD.hex()):
        assert secret not in caplog.text


def test_text_that_nobody_bound_to_a_row_is_not_opened():
    token = Fernet(base64.urlsafe_b64encode(OLD)).encrypt(b'["x","y","z"]')
    refused(sealer(OLD), ROW, "contact", token)


def test_equal_texts_look_different():
    one = sealer(OLD)
    assert len({one.seal(ROW, "contact", NUMBER) for _ in range(20)}) == 20


def test_sealed_text_holds_no_part_of_the_value():
    token = sealer(OLD).seal(ROW, "identityNumber", NUMBER)
    assert NUMBER.encode() not in token
    assert NUMBER.encode() not in base64.urlsafe_b64decode(token)


@seed(SEED)
@settings(max_examples=200, deadline=None, database=None)
@given(st.text(), st.text(max_size=40), st.uuids())
def test_every_text_comes_back(value, field, row):
    one = sealer(OLD)
    assert one.open(str(row), field, one.seal(str(row), field, value).decode()) == value


# --- rotation -------------------------------------------------------------------------------------------------------


def test_newest_key_seals_and_every_key_opens():
    token = sealer(OLD).seal(ROW, "contact", NUMBER)
    both = sealer(NEW, OLD)
    assert both.open(ROW, "contact", token) == NUMBER
    assert sealer(NEW).open(ROW, "contact", both.seal(ROW, "contact", NUMBER)) == NUMBER


def test_rotated_text_needs_the_old_key_no_more_and_keeps_its_row():
    both, token = sealer(NEW, OLD), sealer(OLD).seal(ROW, "contact", NUMBER)
    assert not both.is_newest(token)
    rotated = both.rotate(token)
    assert both.is_newest(rotated)
    assert sealer(NEW).open(ROW, "contact", rotated) == NUMBER
    refused(sealer(NEW), OTHER, "contact", rotated)
    refused(sealer(OLD), ROW, "contact", rotated)


def test_text_that_no_key_opens_is_not_rotated():
    with pytest.raises(Problem):
        sealer(NEW).rotate(sealer(OLD).seal(ROW, "contact", NUMBER))


def test_running_service_finds_a_key_that_was_added_while_it_ran():
    source = Source(OLD)
    running = Sealer(source)
    own = running.seal(ROW, "contact", "egen")
    source.keys = DataKeys((NEW, OLD), PSEUDONYM)
    restarted = Sealer(source)
    assert running.open(ROW, "contact", restarted.seal(ROW, "contact", NUMBER)) == NUMBER
    assert running.is_newest(running.seal(ROW, "contact", NUMBER))
    assert sealer(NEW).open(ROW, "contact", running.seal(ROW, "contact", NUMBER)) == NUMBER
    assert running.open(ROW, "contact", own) == "egen"


def test_running_service_forgets_no_key_that_was_taken_away():
    source = Source(OLD)
    running = Sealer(source)
    own = running.seal(ROW, "contact", NUMBER)
    source.keys = DataKeys((NEW,), PSEUDONYM)
    assert running.open(ROW, "contact", sealer(NEW).seal(ROW, "contact", "ny")) == "ny"
    assert running.open(ROW, "contact", own) == NUMBER


def test_key_file_that_is_away_while_running_costs_only_what_needs_another_key():
    source = Source(OLD)
    running = Sealer(source)
    own = running.seal(ROW, "contact", NUMBER)
    source.keys = None
    assert running.open(ROW, "contact", own) == NUMBER
    refused(running, ROW, "contact", sealer(NEW).seal(ROW, "contact", NUMBER))


def test_pseudonyms_stay_while_the_service_runs_and_whatever_the_other_keys_are():
    source = Source(OLD)
    running = Sealer(source)
    source.keys = DataKeys((NEW, OLD), b"\x09" * 32)
    running.open(ROW, "contact", sealer(NEW).seal(ROW, "contact", NUMBER))
    assert running.pseudonym_key == PSEUDONYM
    assert sealer(NEW).pseudonym_key == sealer(OLD).pseudonym_key
