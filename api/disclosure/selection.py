"""What is asked for: a tree of resources and fields with filters, order and page. Every face makes one of these."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from api.disclosure.resource import Resource
from api.errors import Fault, Problem


@dataclass(frozen=True, slots=True)
class FieldWanted:
    """A field under the key it is answered with (GraphQL aliases; elsewhere the field's own name).

    `literal` answers a constant instead of a field, such as GraphQL's `__typename`.
    """

    name: str
    key: str
    literal: str | None = None


@dataclass(frozen=True, slots=True)
class ChildWanted:
    """A nested list under its key."""

    name: str
    key: str
    selection: "Selection"


@dataclass(frozen=True, slots=True)
class Selection:
    """One resource's part of what is asked.

    `filters` are pairs of parameter and value, `sort` pairs of field and whether it descends. `offset` and `limit`
    page the rows. `total` asks for the count of all rows that the filters leave.
    """

    resource: Resource
    wanted: tuple[FieldWanted | ChildWanted, ...]
    filters: tuple[tuple[str, Any], ...] = ()
    sort: tuple[tuple[str, bool], ...] = ()
    offset: int = 0
    limit: int = 20
    total: bool = True

    def field_names(self) -> tuple[str, ...]:
        """The names of the fields asked for, without repetition.

        INVARIANT: whoever asks that rows of agencies be there at all asks for the field they are known by. A row of
        which nothing else is wanted (`__typename`) is shown, counted and noted as if that were.
        """
        asked = (wanted for wanted in self.wanted if isinstance(wanted, FieldWanted) and wanted.literal is None)
        names = tuple(dict.fromkeys(wanted.name for wanted in asked))
        return (self.resource.known_by,) if not names and self.resource.held else names

    def decided_names(self) -> tuple[str, ...]:
        """The names of every field that takes part: asked for, filtered on, sorted by, or a way that leads to rows."""
        filtered = (name for parameter, _ in self.filters for name in self.resource.filters[parameter].fields)
        sorted_by = (name for name, _ in self.sort)
        return tuple(dict.fromkeys((*self.field_names(), *filtered, *sorted_by, *self.resource.expressly)))

    def children(self) -> Iterator[ChildWanted]:
        """The nested lists asked for."""
        return (wanted for wanted in self.wanted if isinstance(wanted, ChildWanted))

    def walk(self) -> Iterator["Selection"]:
        """This selection and all nested ones, outermost first."""
        yield self
        for child in self.children():
            yield from child.selection.walk()


@cache
def every_field(resource: Resource) -> tuple[FieldWanted, ...]:
    """All fields of a resource under their own names: what REST asks for."""
    return tuple(FieldWanted(name, name) for name in resource.fields)


def parse_sort(resource: Resource, text: str | None) -> tuple[tuple[str, bool], ...]:
    """Read `sort=name,-appearedOn`. Raises `Problem` 422 for a field that a list cannot be ordered by."""
    if not text:
        return ()
    parsed = []
    for part in text.split(","):
        name = part.strip().removeprefix("-")
        if name not in resource.sorts:
            allowed = ", ".join(sorted(resource.sorts)) or "nothing"
            raise Problem(
                "invalid",
                "query.sort: this list cannot be ordered by that",
                faults=[
                    Fault("query.sort", "names a field that this list cannot be ordered by", f"order by {allowed}")
                ],
            )
        parsed.append((name, part.strip().startswith("-")))
    return tuple(parsed)
