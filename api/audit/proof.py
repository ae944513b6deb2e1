"""What a party needs to check its own part of a leaf against a checkpoint, trusting nothing of the service."""

import base64
from typing import Any

from api.audit.repository import OwnPart
from api.errors import Problem
from api.ledger.leaves import as_stored
from api.ledger.proving import Inclusion


def bundle(part: OwnPart, inclusion: Inclusion) -> dict[str, Any]:
    """The part, its way up to the leaf's content root, and the leaf's way up to the root of a tree of `size` leaves.

    Of an erased part only the commitment is left, and the proof holds as before. Raises `Problem` 503 where what is
    stored makes up no leaf: the database was changed.
    """
    try:
        content = as_stored(part.commitments, part.padding)
    except ValueError:
        raise Problem("unavailable", "what the ledger stores makes up no leaf; tell its operator") from None
    return {
        "leaf": {
            "index": part.leaf.index,
            "receipt": str(part.leaf.receipt),
            "atUs": part.leaf.at_us,
            "contentRoot": _text(part.leaf.content_root),
        },
        "slot": part.slot,
        "salt": None if part.salt is None else _text(part.salt),
        "entry": part.entry,
        "commitment": _text(part.commitments[part.slot]),
        "wayUp": [_text(one) for one in content.way_up(part.slot)],
        "size": inclusion.size,
        "root": _text(inclusion.root),
        "path": [_text(one) for one in inclusion.path],
    }


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
