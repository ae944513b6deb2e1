"""`python -m api.ledger.verifier`: checks a ledger from what an agency holds of it, and trusts nothing of the service.

It needs the standard library, one Ed25519 check, and the files merkle.py, leaves.py, checkpoint.py and recount.py.

    --leaves FILE      the leaves, a JSON object a line as in `GET /ledger/leaves`; further copies are compared with the
                       first, which must have grown from them
    --url URL          take the leaves and the newest checkpoint from the service (`…/samsyn/v1`), with --token
    --checkpoint FILE  a signed note as `GET /ledger/checkpoint` gave it, to whomever; any number
    --key KEY          a key that is trusted, as text: the log's, a witness's; not taken from the service
    --parts FILE       receipts as `GET /receipts/{receiptId}` gives them, one a line or as `items`; what counts is
                       their `proof`: leaf, slot, salt, entry, wayUp, size, path. Erased ones are passed over. Without
                       leaves they are proven up to a checkpoint of the same size

Checkpoints of different sizes need the leaves: by themselves they do not say that one log has grown from one to the
other.

Ends with 0 where everything holds, 1 where something does not (a line each on standard output), 2 where it cannot tell.
"""

import argparse
import base64
import binascii
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen
from uuid import UUID

from api.ledger.checkpoint import LOG, WITNESS, Checkpoint, Note, NoteError, VerifierKey
from api.ledger.leaves import Leaf, canonical
from api.ledger.recount import Comparison, OwnPart, Recount, checkpoint_faults, part_faults, two_histories, untold

HOLDS, FAULTY, CANNOT_TELL = 0, 1, 2
Fetch = Callable[[str], str]
Say = Callable[[str], None]
_AT_ONCE = 1000
_PATIENCE_S = 60


class InputError(Exception):
    """What was given cannot be read; the text says which and why."""


def main(arguments: Sequence[str] | None = None, *, fetch: Fetch | None = None, say: Say = print) -> int:
    """Check what the arguments name; the exit status. `fetch` reads an address, for tests without a network."""
    given = _parser().parse_args(arguments)
    try:
        faults, open_questions = verify(given, fetch or _fetcher(given.token), say)
    except (InputError, OSError, UnicodeDecodeError) as error:
        say(f"cannot tell: {error}")
        return CANNOT_TELL
    except Exception as error:  # noqa: BLE001 - whatever went wrong: a program that breaks off ends with 1, as a fault does
        say(f"cannot tell: {type(error).__name__}, by something in what was given or answered")
        return CANNOT_TELL
    for fault in faults:
        say(f"WRONG: {fault}")
    for question in open_questions:
        say(f"cannot tell: {question}")
    if faults:
        return FAULTY
    if open_questions:
        return CANNOT_TELL
    say("nothing is wrong with what was given")
    return HOLDS


def verify(given: argparse.Namespace, fetch: Fetch, say: Say) -> tuple[list[str], list[str]]:
    """Every fault of what is given, and what it is not enough to tell. Raises `InputError`, `OSError`."""
    if not (given.leaves or given.url or given.checkpoint):
        raise InputError("nothing to check: give --leaves, --url or --checkpoint")
    keys = [_key(text) for text in given.key]
    notes = {name: Path(name).read_text(encoding="utf-8") for name in given.checkpoint}
    if given.url:
        notes[f"{given.url}/ledger/checkpoint"] = fetch(f"{given.url}/ledger/checkpoint")
    checkpoints, faults = signed_checkpoints(notes, keys, say)
    open_questions: list[str] = []
    parts = [part for name in given.parts for part in _parts(name)]
    recount = Recount([one.size for one in checkpoints.values()], parts)
    sources = {name: read_leaves(name, Path(name).read_text(encoding="utf-8").splitlines()) for name in given.leaves}
    if given.url:
        sources = {given.url: _served(given.url, fetch), **sources}
    if sources:
        (_, shown), *others = sources.items()
        faults += _compared(recount, shown, others)
        faults += recount.faults()
        say(f"{recount.head.size} leaves, root {base64.b64encode(recount.head.root).decode()}")
        faults += checkpoint_faults(recount, checkpoints)
    else:
        faults += [*two_histories(checkpoints), *part_faults(parts, checkpoints)]
        open_questions += untold(parts, checkpoints)
    say(f"{len(checkpoints)} signed checkpoints, {len(parts)} parts of one's own")
    return faults, open_questions


def signed_checkpoints(
    notes: Mapping[str, str], keys: Sequence[VerifierKey], say: Say
) -> tuple[dict[str, Checkpoint], list[str]]:
    """The checkpoints that a trusted log key has signed, and what is wrong with the others' signatures.

    Says of each who has cosigned it, and who of those whose keys were given has not.
    """
    signed, faults = {}, []
    logs = [key for key in keys if key.kind == LOG]
    if notes and not logs:
        raise InputError("checkpoints are believed by the log's key only: give it with --key")
    for name, whole in notes.items():
        try:
            note = Note.parse(whole)
            checkpoint = Checkpoint.parse(note.text)
            held = [key for key in keys if note.signed_by(key) is not None]
        except NoteError as error:
            faults.append(f"{name}: {error}")
            continue
        if not any(key.kind == LOG and key.name == checkpoint.origin for key in held):
            faults.append(f"{name}: is not signed by the key of {checkpoint.origin} that was given")
        else:
            signed[name] = checkpoint
            say(f"{name}: {checkpoint.size} leaves, {_cosigned(keys, held)}")
    return signed, faults


def _cosigned(keys: Sequence[VerifierKey], held: Sequence[VerifierKey]) -> str:
    witnesses = [key for key in keys if key.kind == WITNESS]
    seen, unseen = ([key.name for key in witnesses if (key in held) is whether] for whether in (True, False))
    said = f"cosigned by {', '.join(seen) or 'nobody whose key was given'}"
    return f"{said}, not by {', '.join(unseen)}" if unseen else said


def read_leaves(name: str, lines: Iterable[str]) -> Iterator[Leaf]:
    """Leaves from JSON, one a line. Raises `InputError` naming the line."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _leaf(_loaded(line, f"{name}, line {number}"), f"{name}, line {number}")


def _compared(recount: Recount, shown: Iterator[Leaf], others: Sequence[tuple[str, Iterator[Leaf]]]) -> list[str]:
    """Count the leaves, beside every other copy of them."""
    comparisons = [(Comparison(name), leaves) for name, leaves in others]
    for leaf in shown:
        place = recount.head.size
        for comparison, leaves in comparisons:
            then = next(leaves, None)
            if then is not None:
                comparison.take(place, leaf, then)
        recount.take(leaf)
    size = recount.head.size
    for comparison, leaves in comparisons:
        for place, then in enumerate(leaves, size):
            comparison.take(place, None, then)
    return [fault for comparison, _ in comparisons for fault in comparison.faults(size)]


def _served(url: str, fetch: Fetch) -> Iterator[Leaf]:
    """Every leaf that the service shows, page by page."""
    start, size = 0, 1
    while start < size:
        address = f"{url}/ledger/leaves?from={start}&to={start + _AT_ONCE}"
        page = _loaded(fetch(address), address)
        leaves = [_leaf(one, address) for one in _member(page, "items", list, address)]
        size = _member(_member(page, "_meta", dict, address), "size", int, address)
        if not leaves and start < size:
            raise InputError(f"{address}: shows no leaf, though the log is said to have {size}")
        yield from leaves
        start += max(len(leaves), 1)


def _parts(name: str) -> Iterator[OwnPart]:
    text = Path(name).read_text(encoding="utf-8")
    try:
        whole = json.loads(text)
        found = whole["items"] if isinstance(whole, dict) and isinstance(whole.get("items"), list) else [whole]
    except ValueError:
        found = [_loaded(line, f"{name}, line {nth}") for nth, line in enumerate(text.splitlines(), 1) if line.strip()]
    for number, one in enumerate(found, 1):
        where = f"{name}, part {number}"
        if not isinstance(one, dict):
            raise InputError(f"{where}: is no object")
        one = one.get("proof", one)  # noqa: PLW2901 - a receipt holds its proof, and a proof may come by itself
        if _member(one, "leaf", dict, where) and (one.get("salt") is None or one.get("entry") is None):
            continue
        entry = one["entry"]
        yield OwnPart(
            shown_in=where,
            leaf=_leaf(_member(one, "leaf", dict, where), where),
            slot=_member(one, "slot", int, where),
            salt=_bytes(_member(one, "salt", str, where), where),
            entry=canonical(entry) if isinstance(entry, dict) else str(entry),
            way_up=_path(one, "wayUp", where),
            size=_member(one, "size", int, where) if "size" in one else None,
            proof=_path(one, "path", where) if "path" in one else (),
        )


def _path(shown: Any, name: str, where: str) -> tuple[bytes, ...]:
    return tuple(_bytes(value, where) for value in _member(shown, name, list, where))


def _leaf(shown: Any, where: str) -> Leaf:
    index, at_us = (_member(shown, name, int, where) for name in ("index", "atUs"))
    root = _bytes(_member(shown, "contentRoot", str, where), where)
    try:
        receipt = UUID(_member(shown, "receipt", str, where))
    except ValueError:
        raise InputError(f"{where}: `receipt` is no UUID") from None
    if not 0 <= at_us < 2**63 or len(root) != 32:  # noqa: PLR2004 - what a leaf has room for
        raise InputError(f"{where}: `atUs` or `contentRoot` is out of range")
    return Leaf(index, at_us, receipt, root)


def _member(shown: Any, name: str, kind: type, where: str) -> Any:
    if not isinstance(shown, dict) or type(shown.get(name)) is not kind:
        raise InputError(f"{where}: `{name}` is missing or of another kind")
    return shown[name]


def _bytes(text: Any, where: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise InputError(f"{where}: a hash or a salt is not base64") from None


def _loaded(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise InputError(f"{where}: is not JSON") from None


def _key(text: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text)
    except NoteError as error:
        raise InputError(str(error)) from None


def _fetcher(token: str | None) -> Fetch:
    def fetch(address: str) -> str:
        if not address.startswith(("https://", "http://")):
            raise InputError(f"{address}: give an address that begins with https://")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        asked = Request(address, headers=headers)  # noqa: S310 - the scheme was looked at
        with urlopen(asked, timeout=_PATIENCE_S) as answer:  # noqa: S310 - as above
            return str(answer.read().decode("utf-8"))

    return fetch


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="samsyn verify", description=(__doc__ or "").partition("\n")[0])
    for name in ("--leaves", "--checkpoint", "--key", "--parts"):
        parser.add_argument(name, action="append", default=[])
    parser.add_argument("--url", type=lambda text: text.rstrip("/"))
    parser.add_argument("--token")
    return parser


if __name__ == "__main__":
    sys.exit(main())
