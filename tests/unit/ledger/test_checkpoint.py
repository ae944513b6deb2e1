"""Notes, checkpoints and cosignatures are C2SP's: published examples pass, and whatever is forged does not."""

import base64
import hashlib
import os
import re
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from api.ledger.checkpoint import (
    LOG,
    MOST_SIGNATURES,
    WITNESS,
    Checkpoint,
    Note,
    NoteError,
    VerifierKey,
    cosign,
    holds,
    sign,
    timestamp_of,
)
from api.ledger.merkle import EMPTY
from api.ledger.schemas import NOTE_PATTERN, CosignatureIn

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")

# c2sp.org/signed-note, the example of a verifier key; golang.org/x/mod/sumdb/note, its test's key and note.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# c2sp.org/tlog-cosignature, the example; its keys are not published.
SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
SOFA_LOG = (
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
SOFA_WITNESS = (
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
SOFA_TIME = 1679315147

ORIGIN, WITNESS_NAME = "samsyn.example/ledger", "polis.example/witness"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
TEXT = Checkpoint(ORIGIN, 7, hashlib.sha256(b"root").digest()).text


def public(name, kind, key=KEY):
    return VerifierKey(name, kind, key.public_key().public_bytes_raw())


# --- what is published ----------------------------------------------------------------------------------------------


def test_notes_of_others_are_read_and_hold():
    for key, whole in ((SPEC_KEY, SPEC_NOTE), (GO_KEY, GO_TEXT + "\n" + GO_LINE)):
        note, known = Note.parse(whole), VerifierKey.parse(key)
        assert note.signed_by(known) is not None
        assert note.whole == whole
        assert known.text == key


def test_signature_is_the_references_byte_for_byte():
    # Ed25519 is deterministic: the reference's key over the reference's text gives the reference's line.
    secret = Ed25519PrivateKey.from_private_bytes(base64.b64decode(GO_SECRET)[1:])
    assert sign(GO_TEXT, "PeterNeumann", secret).line + "\n" == GO_LINE


def test_example_of_a_cosigned_checkpoint_is_read():
    note = Note.parse(SOFA + "\n" + SOFA_LOG + SOFA_WITNESS)
    assert Checkpoint.parse(note.text).size == 20852163
    assert Checkpoint.parse(note.text).text == SOFA
    assert timestamp_of(note.signatures[1]) == SOFA_TIME
    assert len(note.signatures[1].value) == 8 + 64


def test_cosigned_message_is_the_specifications():
    message = f"cosignature/v1\ntime {SOFA_TIME}\n{SOFA}".encode()
    signature = cosign(SOFA, WITNESS_NAME, KEY, SOFA_TIME)
    assert signature.value == SOFA_TIME.to_bytes(8, "big") + KEY.sign(message)
    raw = KEY.public_key().public_bytes_raw()
    assert signature.key_id == hashlib.sha256(WITNESS_NAME.encode() + b"\n\x04" + raw).digest()[:4]


# --- forgeries ------------------------------------------------------------------------------------------------------


def signed():
    return Note(TEXT, (sign(TEXT, ORIGIN, KEY), cosign(TEXT, WITNESS_NAME, OTHER, SOFA_TIME)))


def test_log_and_witness_hold_side_by_side():
    note = Note.parse(signed().whole)
    assert note == signed()
    assert note.signed_by(public(ORIGIN, LOG)) == note.signatures[0]
    assert note.signed_by(public(WITNESS_NAME, WITNESS, OTHER)) == note.signatures[1]


@pytest.mark.parametrize(
    "change",
    [("7\n", "8\n"), (ORIGIN + "\n", ORIGIN + "2\n"), ("+", "/"), ("\n\n", "\nmore\n\n")],
    ids=["size", "origin", "root", "extension"],
)
def test_changed_text_is_signed_by_nobody(change):
    whole = signed().whole
    text, below = whole.split("\n\n")
    forged = (text + "\n\n").replace(*change, 1) + below
    assert forged != whole, "the change must change something"
    for key in (public(ORIGIN, LOG), public(WITNESS_NAME, WITNESS, OTHER)):
        with pytest.raises(NoteError, match="false"):
            Note.parse(forged).signed_by(key)


def test_line_of_another_key_under_the_same_name_is_not_taken_for_the_logs():
    forged = Note(TEXT, (sign(TEXT, ORIGIN, OTHER),))
    assert forged.signed_by(public(ORIGIN, LOG)) is None


def test_signature_under_a_borrowed_key_id_is_false():
    borrowed = signed().signatures[0]
    forged = sign(TEXT, ORIGIN, OTHER)
    line = type(borrowed)(ORIGIN, borrowed.key_id, forged.value)
    with pytest.raises(NoteError, match="false"):
        Note(TEXT, (line,)).signed_by(public(ORIGIN, LOG))


def test_one_false_line_among_true_ones_is_seen():
    true = signed().signatures[0]
    false = type(true)(true.name, true.key_id, bytes(64))
    for order in ((true, false), (false, true)):
        with pytest.raises(NoteError, match="false"):
            Note(TEXT, order).signed_by(public(ORIGIN, LOG))


def test_signature_of_a_log_is_no_cosignature_and_the_other_way_round():
    as_log, as_witness = sign(TEXT, ORIGIN, KEY), cosign(TEXT, ORIGIN, KEY, SOFA_TIME)
    assert not holds(public(ORIGIN, WITNESS), TEXT, as_log)
    assert not holds(public(ORIGIN, LOG), TEXT, as_witness)
    assert as_log.key_id != as_witness.key_id


def test_time_of_a_cosignature_cannot_be_moved():
    true = cosign(TEXT, WITNESS_NAME, KEY, SOFA_TIME)
    for moved in (SOFA_TIME + 1, 0, 2**63, 2**64 - 1):
        value = moved.to_bytes(8, "big") + true.value[8:]
        assert not holds(public(WITNESS_NAME, WITNESS), TEXT, type(true)(true.name, true.key_id, value))


def test_time_beyond_what_is_allowed_does_not_hold_even_if_signed():
    late = cosign(TEXT, WITNESS_NAME, KEY, 2**63)
    assert not holds(public(WITNESS_NAME, WITNESS), TEXT, late)


@pytest.mark.parametrize("length", [0, 7, 8, 63, 65, 71, 73])
def test_signature_of_another_length_does_not_hold(length):
    for kind in (LOG, WITNESS):
        key = public(ORIGIN, kind)
        assert not holds(key, TEXT, type(signed().signatures[0])(ORIGIN, key.key_id, bytes(length)))


# --- texts that are none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "whole",
    [
        "",
        TEXT,
        TEXT + "\n",
        TEXT + "\n" + GO_LINE.removesuffix("\n"),
        TEXT + "\n" + GO_LINE.replace("—", "-"),
        TEXT + "\n" + GO_LINE.replace("— ", "—"),
        TEXT + "\n" + GO_LINE.replace("PeterNeumann", "Peter+Neumann"),
        TEXT + "\n" + GO_LINE.replace("nAM=", "nAM"),
        TEXT + "\n" + GO_LINE.replace("nAM=", "nAN="),
        TEXT + "\n" + GO_LINE.replace("nAM=", "n AM="),
        TEXT + "\n— PeterNeumann x08gow==\n",
        TEXT + "\n" + GO_LINE + "\n",
        TEXT + "\n" + GO_LINE + "more\n",
        TEXT + "\n" + GO_LINE * (MOST_SIGNATURES + 1),
        TEXT.replace("7", "7\r") + "\n" + GO_LINE,
        TEXT.replace("7", "7\t") + "\n" + GO_LINE,
        "x" * 100_001 + "\n\n" + GO_LINE,
    ],
)
def test_text_that_is_no_note_is_refused(whole):
    with pytest.raises(NoteError):
        Note.parse(whole)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        TEXT.removesuffix("\n"),
        TEXT + "extension\n",
        TEXT.replace("7", "07"),
        TEXT.replace("7", "+7"),
        TEXT.replace("7", "-7"),
        TEXT.replace("7", ""),
        TEXT.replace("7", "٧"),
        TEXT.replace("7", "9223372036854775808"),
        TEXT.replace("7", "0"),
        TEXT.replace(ORIGIN, ""),
        TEXT.replace(ORIGIN, "samsyn ledger"),
        TEXT.replace("=", ""),
        f"{ORIGIN}\n7\n{base64.b64encode(bytes(31)).decode()}\n",
    ],
)
def test_text_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


@seed(SEED)
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(st.from_regex(NOTE_PATTERN.removesuffix("$") + r"\Z"))
def test_note_that_the_contract_admits_is_a_note_with_a_checkpoint(whole):
    Checkpoint.parse(Note.parse(whole).text)
    assert CosignatureIn(checkpoint=whole).checkpoint == whole


@pytest.mark.parametrize(
    "line",
    [
        f"— {ORIGIN} x08gow==",
        f"— {ORIGIN} x08gowA",
        f"— {ORIGIN} x08gowB=",
        f"— {ORIGIN} x08gowAAAB==",
        f"— {ORIGIN} x08gowA===",
        f"— {ORIGIN}",
        f"- {ORIGIN} x08gowA=",
        "— a b x08gowA=",
        "— a+b x08gowA=",
    ],
)
def test_line_that_is_no_signature_is_refused_by_contract_and_service(line):
    whole = f"{TEXT}\n{line}\n"
    assert re.search(NOTE_PATTERN, whole) is None
    with pytest.raises(NoteError):
        Note.parse(whole)


def test_shortest_signature_is_admitted():
    for value in ("x08gowA=", "x08gowAA", "x08gowAAAA=="):
        whole = f"{TEXT}\n— {ORIGIN} {value}\n"
        assert re.search(NOTE_PATTERN, whole)
        assert len(Note.parse(whole).signatures) == 1


def test_empty_log_has_a_checkpoint():
    empty = Checkpoint(ORIGIN, 0, EMPTY)
    assert Checkpoint.parse(empty.text) == empty


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("c74f20a3", "C74F20A3"),
        GO_KEY.replace("PeterNeumann", "Peter Neumann"),
        GO_KEY.replace("PeterNeumann", "PeterNeuman"),
        GO_KEY[:-4],
        GO_KEY + "=",
        # Of the right id, but of another kind, or a key too long.
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
    ],
)
def test_text_that_is_no_key_is_refused(text):
    with pytest.raises(NoteError):
        VerifierKey.parse(text)
