"""The verifier finds what was done to a ledger, and says where; and it runs without anything of the service."""

import base64
import dataclasses
import http.client
import json
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.ledger import merkle
from api.ledger.checkpoint import LOG, WITNESS, Checkpoint, Note, VerifierKey, cosign, sign
from api.ledger.leaves import Leaf, arranged, canonical, commitment
from api.ledger.verifier import CANNOT_TELL, FAULTY, HOLDS, main

ROOT = Path(__file__).parents[3]
ORIGIN, WITNESS_NAME = "samsyn.example/ledger", "polis.example/witness"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FOREIGN = Ed25519PrivateKey.from_private_bytes(bytes(32))
LOG_KEY = VerifierKey(ORIGIN, LOG, KEY.public_key().public_bytes_raw()).text
WITNESS_KEY = VerifierKey(WITNESS_NAME, WITNESS, FOREIGN.public_key().public_bytes_raw()).text


def salt(n):
    return bytes([n, 1] * 16)


def entry(n):
    return canonical({"kind": "answer", "agency": "polismyndigheten", "n": n})


def content(n):
    numbers = iter(range(1000))
    return arranged([commitment(salt(n), entry(n))], lambda: bytes([n, next(numbers)] * 16))


LEAVES = [Leaf(n, 1_700_000_000_000_000 + n, UUID(int=n + 1), content(n).root) for n in range(10)]


def text(value):
    return base64.b64encode(value).decode()


def shown(leaf):
    root = text(leaf.content_root)
    return {"index": leaf.index, "receipt": str(leaf.receipt), "atUs": leaf.at_us, "contentRoot": root}


def renumbered(leaves):
    """The leaves as one would show them who wants no gap to be seen."""
    return [dataclasses.replace(leaf, index=nth) for nth, leaf in enumerate(leaves)]


def note(leaves, size=None, key=KEY, origin=ORIGIN):
    leaves = leaves[:size]
    checkpoint = Checkpoint(origin, len(leaves), merkle.root_of([leaf.hash for leaf in leaves]))
    return Note(checkpoint.text, (sign(checkpoint.text, origin, key),))


def own_part(n, **changes):
    """What an agency was handed of leaf n."""
    one = content(n)
    slot = one.slots[0]
    way_up = [text(step) for step in one.way_up(slot)]
    proof = {"leaf": shown(LEAVES[n]), "slot": slot, "salt": text(salt(n)), "entry": entry(n), "wayUp": way_up}
    return {"kind": "answer", "proof": proof | changes}


class Desk:
    """Files on a desk, and the verifier run over them."""

    def __init__(self, folder):
        self.folder, self.arguments, self.said = folder, ["--key", LOG_KEY, "--key", WITNESS_KEY], []

    def put(self, option, name, content):
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        self.arguments += [f"--{option}", str(path)]
        return self

    def leaves(self, leaves, name="leaves.ndjson"):
        return self.put("leaves", name, "".join(json.dumps(shown(leaf)) + "\n" for leaf in leaves))

    def note(self, note, name="checkpoint"):
        return self.put("checkpoint", name, note.whole)

    def parts(self, *parts):
        return self.put("parts", "parts.ndjson", "".join(json.dumps(part) + "\n" for part in parts))

    def check(self, **more):
        self.said.clear()
        status = main(self.arguments, say=self.said.append, **more)
        wrong = [line.removeprefix("WRONG: ") for line in self.said if line.startswith("WRONG: ")]
        return status, [line.replace(f"{self.folder}/", "") for line in wrong]

    def wrong(self):
        status, faults = self.check()
        assert status == FAULTY, self.said
        return faults


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


# --- what holds -----------------------------------------------------------------------------------------------------


def test_untouched_ledger_holds(desk):
    cosigned = note(LEAVES, 7)
    line = cosign(cosigned.text, WITNESS_NAME, FOREIGN, 1_700_000_000)
    cosigned = Note(cosigned.text, (*cosigned.signatures, line))
    desk.leaves(LEAVES).leaves(LEAVES[:6], "older.ndjson")
    desk.note(note(LEAVES, 0), "empty").note(note(LEAVES, 5), "five").note(cosigned, "seven").note(note(LEAVES), "all")
    desk.parts(own_part(3), own_part(9), own_part(4, salt=None, entry=None))
    assert desk.check() == (HOLDS, [])


def test_empty_ledger_holds(desk):
    assert desk.leaves([]).note(note([])).check() == (HOLDS, [])


def test_part_is_checked_without_the_leaves_by_its_proof(desk):
    head, nodes = merkle.Frontier(), {}
    for leaf in LEAVES:
        head, made = head.append(leaf.hash)
        nodes |= dict(made)
    path = [text(one) for one in merkle.path(merkle.inclusion_ranges(3, 10), nodes)]
    desk.note(note(LEAVES)).parts(own_part(3, size=10, path=path))
    assert desk.check() == (HOLDS, [])
    desk.arguments = desk.arguments[:-2]
    desk.parts(own_part(3, size=10, path=path[::-1]))
    assert desk.wrong() == [
        "leaf 3, as parts.ndjson, part 1 tells it, is not in the log that checkpoint was signed over"
    ]


# --- what was done to it --------------------------------------------------------------------------------------------


def changed(at):
    leaves = list(LEAVES)
    leaves[at] = dataclasses.replace(leaves[at], content_root=b"x" * 32)
    return leaves


@pytest.mark.parametrize(
    "change",
    [{"at_us": 1}, {"receipt": UUID(int=99)}, {"content_root": b"x" * 32}],
    ids=lambda change: next(iter(change)),
)
def test_changed_leaf_is_named_between_two_checkpoints(desk, change):
    leaves = list(LEAVES)
    leaves[6] = dataclasses.replace(leaves[6], **change)
    desk.leaves(leaves).note(note(LEAVES, 6), "six").note(note(LEAVES, 7), "seven").note(note(LEAVES), "ten")
    assert desk.wrong() == ["leaf 6 has been changed since seven was signed"]


def test_changed_leaf_is_narrowed_down_where_checkpoints_are_far_apart(desk):
    desk.leaves(changed(4)).note(note(LEAVES, 3), "three").note(note(LEAVES), "ten")
    assert desk.wrong() == ["of leaves 3 to 9 some were changed, moved or exchanged since ten was signed"]


def test_changed_leaf_is_named_by_an_older_copy(desk):
    desk.leaves(changed(4)).leaves(LEAVES[:8], "older.ndjson")
    assert desk.wrong() == ["leaf 4 has been changed since older.ndjson"]


def test_changed_leaf_is_named_by_a_part_of_it(desk):
    desk.leaves(changed(4)).parts(own_part(4))
    assert desk.wrong() == ["leaf 4 has been changed: it is told otherwise in parts.ndjson, part 1"]


def test_removed_tail_is_named(desk):
    desk.leaves(LEAVES[:7]).note(note(LEAVES), "ten").leaves(LEAVES, "older.ndjson").parts(own_part(8))
    assert desk.wrong() == [
        "leaves 7 to 9 have been removed: they stand in older.ndjson",
        f"the receipt {UUID(int=9)} of parts.ndjson, part 1 stands in no leaf",
        "leaves 7 to 9 have been removed: ten was signed over 10 leaves",
    ]


def swapped(one, other):
    leaves = list(LEAVES)
    leaves[one], leaves[other] = leaves[other], leaves[one]
    return leaves


def test_reordered_pair_is_named_by_its_own_numbers(desk):
    assert desk.leaves(swapped(3, 4)).wrong() == ["leaves 3 and 4 have changed places"]


def test_reordered_pair_is_named_by_an_older_copy_however_it_is_numbered(desk):
    desk.leaves(renumbered(swapped(2, 7))).leaves(LEAVES, "older.ndjson")
    assert desk.wrong() == ["leaves 2 and 7 have changed places since older.ndjson"]


def test_reordered_pair_shows_against_checkpoints_however_it_is_numbered(desk):
    desk.leaves(renumbered(swapped(2, 3))).note(note(LEAVES, 2), "two").note(note(LEAVES, 4), "four")
    assert desk.wrong() == ["of leaves 2 to 3 some were changed, moved or exchanged since four was signed"]


def test_gap_is_named(desk):
    (fault,) = desk.leaves(LEAVES[:4] + LEAVES[5:]).wrong()
    assert fault.startswith("leaf 4 is missing")


def test_gap_that_was_closed_shows_against_a_checkpoint_and_a_part(desk):
    desk.leaves(renumbered(LEAVES[:4] + LEAVES[5:])).note(note(LEAVES, 4), "four").note(note(LEAVES, 5), "five")
    desk.parts(own_part(4))
    assert desk.wrong() == [
        f"the receipt {UUID(int=5)} of parts.ndjson, part 1 stands in no leaf",
        "leaf 4 has been changed since five was signed",
    ]


def test_leaf_told_twice_is_named(desk):
    (fault,) = desk.leaves([*LEAVES[:4], LEAVES[3], *LEAVES[4:]]).wrong()
    assert fault.startswith("leaf 3 comes again")


def test_receipt_that_two_leaves_bear_is_named(desk):
    twice = [*LEAVES[:9], dataclasses.replace(LEAVES[9], receipt=LEAVES[3].receipt)]
    desk.leaves(twice).note(note(twice))
    assert desk.wrong() == [f"leaf 9 bears the receipt {LEAVES[3].receipt} of a leaf before it"]


def test_history_rewritten_for_one_agency_is_seen_by_the_notes_alone(desk):
    desk.note(note(LEAVES), "police").note(note(changed(2)), "school")
    assert desk.wrong() == ["police and school are of two logs: both are signed over 10 leaves, with two roots"]


def test_history_rewritten_for_one_agency_is_seen_when_it_has_grown(desk):
    # The leaves lead to the later checkpoint, so the earlier one was signed over something else.
    desk.leaves(changed(2)).note(note(LEAVES, 5), "police").note(note(changed(2)), "school")
    assert desk.wrong() == ["police and school are of two logs: the leaves lead to the one and never to the other"]


def test_part_that_does_not_open_its_commitment_is_named(desk):
    for change in (
        {"entry": entry(3).replace("polismyndigheten", "tullverket")},
        {"entry": json.dumps(json.loads(entry(3)))},
        {"salt": text(salt(4))},
        {"slot": (own_part(3)["proof"]["slot"] + 1) % 4},
        {"wayUp": own_part(3)["proof"]["wayUp"][::-1]},
    ):
        desk.arguments = desk.arguments[:4]
        desk.leaves(LEAVES).parts(own_part(2), own_part(3, **change))
        assert desk.wrong() == ["the part in parts.ndjson, part 2 does not open what leaf 3 committed to"], change


# --- signatures -----------------------------------------------------------------------------------------------------


def test_forged_note_is_named_and_believed_in_nothing(desk):
    forged = note(LEAVES).whole.replace("\n10\n", "\n11\n")
    desk.leaves(LEAVES).put("checkpoint", "forged", forged)
    assert desk.wrong() == [f"forged: the signature of {ORIGIN} is false"]


def test_note_of_a_foreign_key_is_believed_in_nothing(desk):
    desk.leaves(LEAVES).note(note(changed(2), key=FOREIGN), "foreign")
    assert desk.wrong() == [f"foreign: is not signed by the key of {ORIGIN} that was given"]


def test_note_under_a_name_that_is_not_the_keys_is_believed_in_nothing(desk):
    other = note(LEAVES, origin="other.example/log")
    own = Note(other.text, (sign(other.text, ORIGIN, KEY),))
    desk.note(own, "borrowed")
    assert desk.wrong() == ["borrowed: is not signed by the key of other.example/log that was given"]


def test_cosignature_that_is_false_is_named(desk):
    true = note(LEAVES)
    line = cosign(note(LEAVES, 9).text, WITNESS_NAME, FOREIGN, 1)
    desk.note(Note(true.text, (*true.signatures, line)))
    assert desk.wrong() == [f"checkpoint: the signature of {WITNESS_NAME} is false"]


def test_witness_that_has_cosigned_and_one_that_has_not_are_told(desk):
    whole = note(LEAVES)
    desk.leaves(LEAVES).note(whole)
    assert desk.check()[0] == HOLDS
    nobody = f"cosigned by nobody whose key was given, not by {WITNESS_NAME}"
    assert f"{desk.folder}/checkpoint: 10 leaves, {nobody}" in desk.said
    desk.note(Note(whole.text, (*whole.signatures, cosign(whole.text, WITNESS_NAME, FOREIGN, 1))), "seen")
    assert desk.check()[0] == HOLDS
    assert f"{desk.folder}/seen: 10 leaves, cosigned by {WITNESS_NAME}" in desk.said


def test_witness_alone_does_not_speak_for_the_log(desk):
    whole = note(LEAVES)
    desk.note(Note(whole.text, (cosign(whole.text, WITNESS_NAME, FOREIGN, 1),)))
    assert desk.wrong() == [f"checkpoint: is not signed by the key of {ORIGIN} that was given"]


# --- what cannot be told --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        "x",
        "[]",
        "{}",
        json.dumps(shown(LEAVES[0]) | {"index": "0"}),
        json.dumps(shown(LEAVES[0]) | {"index": True}),
        json.dumps(shown(LEAVES[0]) | {"atUs": -1}),
        json.dumps(shown(LEAVES[0]) | {"receipt": "x"}),
        json.dumps(shown(LEAVES[0]) | {"contentRoot": "eA=="}),
    ],
)
def test_leaves_that_cannot_be_read_are_no_verdict(desk, broken):
    desk.put("leaves", "leaves.ndjson", broken)
    assert desk.check()[0] == CANNOT_TELL
    assert "leaves.ndjson, line 1" in desk.said[-1]


def test_nothing_given_no_key_and_no_file_are_no_verdict(desk):
    assert main([], say=desk.said.append) == CANNOT_TELL
    assert main(["--leaves", str(desk.folder / "none")], say=desk.said.append) == CANNOT_TELL
    desk.note(note(LEAVES))
    desk.arguments = desk.arguments[4:]
    assert desk.check()[0] == CANNOT_TELL
    assert "--key" in desk.said[-1]


def test_part_without_leaves_and_without_proof_is_no_verdict(desk):
    assert desk.note(note(LEAVES)).parts(own_part(3)).check()[0] == CANNOT_TELL


def test_checkpoints_of_two_sizes_without_leaves_are_no_verdict(desk):
    # The second is of another log, and nothing that was given can tell.
    desk.note(note(LEAVES, 0), "empty").note(note(LEAVES, 5), "police")
    assert desk.check()[0] == HOLDS
    desk.note(note(changed(2)), "school")
    assert desk.check() == (CANNOT_TELL, [])
    assert "police (5 leaves)" in desk.said[-1].replace(f"{desk.folder}/", "")
    assert "nothing is wrong with what was given" not in desk.said


def test_fault_is_told_also_where_something_else_cannot_be(desk):
    desk.note(note(LEAVES, 5), "five").note(note(LEAVES), "police").note(note(changed(2)), "school").parts(own_part(3))
    assert desk.wrong() == ["police and school are of two logs: both are signed over 10 leaves, with two roots"]
    assert [line.partition(":")[0] for line in desk.said[-2:]] == ["cannot tell"] * 2


def test_part_that_opens_nothing_is_told_though_it_has_no_checkpoint(desk):
    desk.note(note(LEAVES)).parts(own_part(3, salt=text(salt(4))))
    assert desk.wrong() == ["the part in parts.ndjson, part 1 does not open what leaf 3 committed to"]


@pytest.mark.parametrize("error", [http.client.IncompleteRead(b""), RuntimeError("x"), OSError("x")], ids=repr)
def test_answer_that_breaks_off_is_no_verdict(desk, error):
    desk.arguments += ["--url", "https://log.example/v1"]

    def broken_off(_):
        raise error

    assert desk.check(fetch=broken_off)[0] == CANNOT_TELL


@pytest.mark.parametrize("whole", ["[" * 100_000, json.dumps(own_part(3, entry="\ud800"))], ids=["nested", "surrogate"])
def test_text_that_nobody_can_read_is_no_verdict(desk, whole):
    desk.leaves(LEAVES).put("parts", "strange", whole)
    assert desk.check()[0] == CANNOT_TELL


# --- over the network -----------------------------------------------------------------------------------------------


class Service:
    """A service that shows these leaves, at most four at once, and this note."""

    def __init__(self, leaves, note, size=None):
        self.leaves, self.note, self.size = leaves, note, len(leaves) if size is None else size

    def __call__(self, address):
        if address.endswith("/ledger/checkpoint"):
            return self.note.whole
        start = int(address.partition("from=")[2].partition("&")[0])
        items = [shown(leaf) for leaf in self.leaves[start : start + 4]]
        return json.dumps({"items": items, "_meta": {"size": self.size, "count": len(items)}})


def test_ledger_is_read_from_the_service_page_by_page(desk):
    desk.arguments += ["--url", "https://a.example/v1/"]
    assert desk.check(fetch=Service(LEAVES, note(LEAVES))) == (HOLDS, [])
    assert any(line.startswith("10 leaves") for line in desk.said)
    kept = note(LEAVES, 8)
    desk.note(kept, "kept").leaves(LEAVES[:8], "mine.ndjson")
    assert desk.check(fetch=Service(LEAVES, note(LEAVES))) == (HOLDS, [])
    rewritten = changed(7)
    status, faults = desk.check(fetch=Service(rewritten, note(rewritten)))
    assert status == FAULTY
    assert "leaf 7 has been changed since mine.ndjson" in faults
    assert any("two logs" in fault and "kept" in fault for fault in faults)


def test_service_that_holds_leaves_back_gives_no_verdict(desk):
    desk.arguments += ["--url", "https://a.example/v1"]
    assert desk.check(fetch=Service(LEAVES[:7], note(LEAVES), size=10))[0] == CANNOT_TELL


def test_service_that_shows_fewer_leaves_than_it_signed_is_found_out(desk):
    desk.arguments += ["--url", "https://a.example/v1"]
    status, faults = desk.check(fetch=Service(LEAVES[:7], note(LEAVES)))
    assert (status, len(faults)) == (FAULTY, 1)
    assert faults[0].startswith("leaves 7 to 9 have been removed")


# --- by itself ------------------------------------------------------------------------------------------------------

ALONE = {"api", "api.ledger", *(f"api.ledger.{name}" for name in ("merkle", "leaves", "checkpoint", "recount"))}


def test_verifier_runs_by_itself_and_loads_nothing_of_the_service(desk):
    desk.leaves(changed(6)).note(note(LEAVES, 6), "six").note(note(LEAVES, 7), "seven")
    program = (
        "import runpy, sys\n"
        f"sys.argv = ['verifier', *{desk.arguments!r}]\n"
        "try:\n    runpy.run_module('api.ledger.verifier', run_name='__main__')\n"
        "except SystemExit as ended:\n    status = ended.code\n"
        "loaded = sorted(name for name in sys.modules if name.partition('.')[0] in ('api', 'policies'))\n"
        "outside = sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names))\n"
        "print(status, loaded, outside, sep='\\n')\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    *said, status, loaded, outside = ran.stdout.splitlines()
    assert f"WRONG: leaf 6 has been changed since {desk.folder}/seven was signed" in said
    assert status == "1"
    assert set(json.loads(loaded.replace("'", '"'))) <= ALONE
    known = {"api", "cryptography", "_cffi_backend", "__main__"}
    strange = {name for name in json.loads(outside.replace("'", '"')) if not name.startswith(("_", "sitecustomize"))}
    assert strange <= known | {"google"}, strange
