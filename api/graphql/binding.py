"""How a subject's GraphQL types are bound to what the gate can read.

A subject's `graphql.py` names the strawberry type of each resource and the root fields that read it; everything else
(fields, nesting, aliases, withholding) follows from the resource.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import UUID

import strawberry
from graphql import GraphQLError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.disclosure.resource import Resource
from api.errors import Fault, Problem
from api.web.datatypes import camel
from api.web.idempotency import fingerprint, write_once
from api.web.idempotency_key import parse

Filters = tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class RootField:
    """A root field that is read through the gate.

    `paged`: it answers `{items, totalRecords, page, limit, count}`; else one row or null. `filters` turns the
    coerced arguments into filters of the resource, and may raise `Problem`. `scope`: what a token needs beside `read`.
    """

    name: str
    resource: Resource
    paged: bool
    filters: Callable[[Mapping[str, Any]], Filters]
    scope: str | None = None


def same_names(*names: str) -> Callable[[Mapping[str, Any]], Filters]:
    """Filters whose parameters have the same names as the arguments."""
    return lambda arguments: tuple((name, arguments[name]) for name in names if arguments.get(name) is not None)


def compiled() -> NoReturn:
    """The resolver of every field that is read through the gate: queries are compiled and never resolved."""
    raise GraphQLError("this field is read through the gate and cannot be resolved one by one")


@strawberry.type(description="A page of a list, and how much there is")
class Page:
    """What every page has beside its items."""

    total_records: int
    page: int
    limit: int
    count: int


@strawberry.type(description="What a write made: read it by its id")
class Created:
    """`replayed` is true where an earlier request under the same Idempotency-Key made it."""

    id: strawberry.ID
    location: str
    replayed: bool


async def created_once(
    context: Any,
    collection: str,
    sent: Mapping[str, Any],
    write: Callable[[AsyncConnection, UUID], Awaitable[None]],
    *,
    key_required: bool = False,
    beside: Sequence[str] = (),
) -> Created:
    """Run a write once per Idempotency-Key, as REST does; `beside` as in `fingerprint`.

    Raises `Problem` 400 where a needed key is missing.
    """
    if context.idempotency_key is None and key_required:
        fault = Fault("header.idempotency-key", "is missing", 'send a name of the request in double quotes: "…"')
        raise Problem("missing-header", "header.idempotency-key: is missing", faults=[fault])
    key = None if context.idempotency_key is None else parse(context.idempotency_key)
    mark = fingerprint("POST", f"/graphql{collection}", dict(sent), beside)
    written = await write_once(context.parts, context.who, key, mark, collection=collection, write=write)
    location = f"{context.parts.settings.api_url}{collection}/{written.id}"
    return Created(id=strawberry.ID(str(written.id)), location=location, replayed=written.replayed)


def as_body(value: Any) -> dict[str, Any]:
    """An input object as the JSON body it stands for: camelCase, members that are not given left out."""
    body: dict[str, Any] = {}
    for field in value.__strawberry_definition__.fields:
        given = getattr(value, field.python_name)
        if given is not None and given is not strawberry.UNSET:
            body[field.graphql_name or camel(field.python_name)] = _plain(given)
    return body


def _plain(given: Any) -> Any:
    if isinstance(given, list):
        return [_plain(part) for part in given]
    return as_body(given) if hasattr(type(given), "__strawberry_definition__") else given
