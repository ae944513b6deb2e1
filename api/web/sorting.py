"""The `sort` parameter of a list: only the fields that the list can be ordered by, so that the contract says which."""

from typing import Any

from fastapi import Query

from api.disclosure.resource import Resource

_MAX = 400


def sort_query(resource: Resource) -> Any:
    """The query parameter: fields separated by commas, each with a minus sign before it to reverse it."""
    field = f"-?(?:{'|'.join(sorted(resource.sorts))})"
    return Query(
        description="Fields to order by, separated by commas; a minus sign reverses / Sortering, minus vänder",
        pattern=f"^{field}(?:,{field}){{0,4}}$",
        max_length=_MAX,
    )
