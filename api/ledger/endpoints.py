"""The log over REST: what anybody may see of it without seeing what is in it.

None of this is read through the gate: it is hashes, places and times, which belong to no holder and fall under no field
of the law. Content (`/ledger/entries`, `/receipts`) is shown elsewhere, each agency its own.
"""

import base64
import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import Response

from api.errors import Problem
from api.ledger.checkpoint import timestamp_of
from api.ledger.leaves import Leaf
from api.ledger.schemas import (
    EXAMPLE_NOTE,
    ConsistencyOut,
    CosignatureIn,
    CosignatureOut,
    InclusionOut,
    LeafPage,
    LedgerKeyOut,
)
from api.web.conditional import respond
from api.web.context import AskingDependency, Services, ServicesDependency
from api.web.datatypes import Whole
from api.web.documents import answers
from api.web.query import check_order
from api.web.route import strict_router

router = strict_router(tags=["ledger"])
_PUBLIC = {"x-public": True}
_NO_SUCH: dict[int | str, Any] = {
    404: {"description": "No such size, leaf or receipt / Ingen sådan storlek, löv eller kvitto"}
}
_NOTE_TYPE = "text/plain"
_NOTE: dict[int | str, Any] = {
    200: {
        "description": "A signed note / En signerad not",
        "content": {_NOTE_TYPE: {"schema": {"type": "string"}, "example": EXAMPLE_NOTE}},
    }
}
# As many digits as a `Whole` is read with.
_LARGEST = 10**18 - 1

Size = Annotated[
    Whole | None, Query(ge=0, le=_LARGEST, description="Of so many leaves; default all / Vid så många löv")
]


def _json(request: Request, body: dict[str, Any], status: int = 200, **headers: str) -> Response:
    # Not to be kept: what a head is, and who has cosigned it, changes; a proof is cheap to make again.
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return respond(request, content, shared=False, status_code=status, headers=headers)


def _links(parts: Services, path: str, **more: str) -> dict[str, Any]:
    targets = {"self": path, **more}
    return {rel: {"href": parts.settings.api_url + to, "rel": rel, "method": "GET"} for rel, to in targets.items()}


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _leaf(leaf: Leaf) -> dict[str, Any]:
    return {
        "index": leaf.index,
        "receipt": str(leaf.receipt),
        "atUs": leaf.at_us,
        "contentRoot": _text(leaf.content_root),
    }


@router.get(
    "/ledger/checkpoint",
    responses=_NOTE | _NO_SUCH,
    openapi_extra=_PUBLIC,
    summary="The ledger's checkpoint / Liggarens kontrollpunkt",
)
async def read_checkpoint(request: Request, parts: ServicesDependency, size: Size = None) -> Response:
    """How many leaves the log has and the root over them, signed by the log and by the witnesses that have seen it.

    A C2SP checkpoint as a signed note. Public: whoever keeps one can show later that the log was rewritten.
    """
    note = await parts.checkpoints.note(size)
    return respond(request, note.whole.encode(), media_type=f"{_NOTE_TYPE}; charset=utf-8", shared=False)


@router.get(
    "/ledger/key",
    responses=answers(LedgerKeyOut),
    openapi_extra=_PUBLIC,
    summary="The ledger's key / Liggarens nyckel",
)
async def read_key(request: Request, parts: ServicesDependency) -> Response:
    """The public keys that checkpoints are checked with. Compare the log's with what its operator has published."""
    key = parts.checkpoints.key
    witnesses = [{"agency": one.agency, "key": one.key.text} for one in await parts.checkpoints.witnesses()]
    body = {"origin": key.name, "key": key.text, "witnesses": witnesses}
    return _json(request, body | {"_links": _links(parts, "/ledger/key", checkpoint="/ledger/checkpoint")})


@router.get("/ledger/leaves", responses=answers(LeafPage), summary="List the ledger's leaves / Lista liggarens löv")
async def list_leaves(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    start: Annotated[
        Whole,
        Query(
            alias="from", ge=0, le=_LARGEST, description="The first leaf's index, not after `to` / Första lövets plats"
        ),
    ] = 0,
    end: Annotated[
        Whole | None, Query(alias="to", ge=0, le=_LARGEST, description="Before this index / Före denna plats")
    ] = None,
) -> Response:
    """Every leaf without its content, from which the root of any checkpoint follows. With the scope `audit:read`.

    At most 1000 at once; `next` leads to those that follow.
    """
    who.caller.require("audit:read")
    check_order(start, end)
    leaves, size = await parts.checkpoints.leaves(start, end)
    until = "" if end is None else f"&to={end}"
    more = {}
    if leaves and leaves[-1].index + 1 < min(size, size if end is None else end):
        more["next"] = f"/ledger/leaves?from={leaves[-1].index + 1}{until}"
    body = {
        "items": [_leaf(leaf) for leaf in leaves],
        "_meta": {"size": size, "count": len(leaves)},
        "_links": _links(parts, f"/ledger/leaves?from={start}{until}", **more),
    }
    return _json(request, body)


@router.get(
    "/ledger/proofs/inclusion",
    responses=answers(InclusionOut) | _NO_SUCH,
    summary="Prove a leaf / Bevisa ett löv",
)
async def prove_inclusion(
    request: Request,
    parts: ServicesDependency,
    who: AskingDependency,
    receipt: Annotated[UUID | None, Query(description="The receipt of an answer / Ett svars kvitto")] = None,
    leaf: Annotated[Whole | None, Query(ge=0, le=_LARGEST, description="The leaf's index / Lövets plats")] = None,
    size: Size = None,
) -> Response:
    """That one leaf is in the log: the leaf without its content, and the way up to the root of that size.

    By receipt, by index, or by both; without either the last leaf. Without a receipt it needs the scope `audit:read`:
    leaf after leaf it would tell what `/ledger/leaves` tells.
    """
    if receipt is None:
        who.caller.require("audit:read")
    proof = await parts.checkpoints.inclusion(receipt=receipt, index=leaf, size=size)
    which = f"leaf={proof.leaf.index}" if receipt is None else f"receipt={receipt}"
    body = {
        "leaf": _leaf(proof.leaf),
        "size": proof.size,
        "root": _text(proof.root),
        "path": [_text(one) for one in proof.path],
        "_links": _links(
            parts,
            f"/ledger/proofs/inclusion?{which}&size={proof.size}",
            checkpoint=f"/ledger/checkpoint?size={proof.size}",
        ),
    }
    return _json(request, body)


@router.get(
    "/ledger/proofs/consistency",
    responses=answers(ConsistencyOut) | _NO_SUCH,
    summary="Prove that the ledger only grew / Bevisa att liggaren bara växt",
)
async def prove_consistency(
    request: Request,
    parts: ServicesDependency,
    _: AskingDependency,
    start: Annotated[
        Whole,
        Query(alias="from", ge=0, le=_LARGEST, description="The earlier size, not above `to` / Den tidigare storleken"),
    ],
    end: Annotated[
        Whole | None, Query(alias="to", ge=0, le=_LARGEST, description="The later size / Den senare storleken")
    ] = None,
) -> Response:
    """That the log of `to` leaves (default: all) begins with the very log of `from` leaves."""
    check_order(start, end)
    proof = await parts.checkpoints.consistency(start, end)
    body = {
        "from": proof.old,
        "fromRoot": _text(proof.old_root),
        "to": proof.new,
        "toRoot": _text(proof.new_root),
        "path": [_text(one) for one in proof.path],
        "_links": _links(
            parts,
            f"/ledger/proofs/consistency?from={proof.old}&to={proof.new}",
            checkpoint=f"/ledger/checkpoint?size={proof.new}",
        ),
    }
    return _json(request, body)


@router.post(
    "/ledger/cosignatures",
    status_code=201,
    responses=answers(CosignatureOut, status=201),
    summary="Cosign a checkpoint / Medsignera en kontrollpunkt",
)
async def create_cosignature(
    request: Request, parts: ServicesDependency, who: AskingDependency, body: CosignatureIn
) -> Response:
    """Say that the agency has seen the log grow to this checkpoint. For authorities, with the scope `audit:read`.

    The cosignature must be of the agency's registered key and over this log's own root of that size. If it is over
    another root the answer is 409 and names both: that is evidence of two logs under one name, and is kept as such.
    """
    who.caller.require("audit:read")
    if who.agency.sector not in parts.law.authorities:
        raise Problem("forbidden", "authorities cosign the ledger's checkpoints; yours is registered as none")
    checkpoint, signature = await parts.cosigning.accept(who.agency.slug, body.checkpoint)
    path = f"/ledger/checkpoint?size={checkpoint.size}"
    kept = {
        "agency": who.agency.slug,
        "size": checkpoint.size,
        "root": _text(checkpoint.root),
        "signedAt": timestamp_of(signature),
        "_links": _links(parts, path),
    }
    return _json(request, kept, 201, Location=parts.settings.api_url + path)
