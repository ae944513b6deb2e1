"""Spares FastAPI the parameters that a request does not carry.

FastAPI looks for every declared parameter of a route and of its dependencies, one by one, and for a list with many
filters that costs as much as the read behind it. Most requests carry one or two of them.

INVARIANT: a parameter is left out only where it is not sent, and where FastAPI would then hand the function the very
default that stands in its signature. What is required, made by a factory or validated as a default stays in.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.params import Header, Query
from pydantic import AliasChoices, AliasPath, BaseModel
from starlette.requests import Request

Present = frozenset[str | bytes]
"""Names of the optional parameters that a request carries: query parameters as text, headers as lower-case bytes."""


class Narrowing:
    """What can be left out of one route's dependencies."""

    def __init__(self, dependant: Dependant) -> None:
        self._whole = dependant
        names = frozenset(_optional(dependant))
        self._queries = frozenset(name for name in names if isinstance(name, str))
        self._headers = names - self._queries

    def present(self, request: Request) -> Present:
        """The optional parameters that a request carries."""
        found: list[str | bytes] = [name for name, _ in request.scope["headers"] if name in self._headers]
        if request.scope["query_string"]:
            found += [name for name in request.query_params if name in self._queries]
        return frozenset(found)

    def dependant(self, present: Present) -> Dependant:
        """The route's dependencies without the optional parameters that are not present."""
        return _narrowed(self._whole, present)


def _narrowed(dependant: Dependant, present: Present) -> Dependant:
    return replace(
        dependant,
        query_params=[field for field in dependant.query_params if _needed(field, dependant.call, present)],
        header_params=[field for field in dependant.header_params if _needed(field, dependant.call, present)],
        dependencies=[_narrowed(inner, present) for inner in dependant.dependencies],
    )


def _needed(field: Any, call: Callable[..., Any] | None, present: Present) -> bool:
    names = _names(field, call)
    return not names or not names.isdisjoint(present)


def _optional(dependant: Dependant) -> Iterable[str | bytes]:
    for field in (*dependant.query_params, *dependant.header_params):
        yield from _names(field, dependant.call)
    for inner in dependant.dependencies:
        yield from _optional(inner)


def _names(field: Any, call: Callable[..., Any] | None) -> frozenset[str | bytes]:
    """Every name that a parameter could be sent under; empty where it must not be left out."""
    info = field.field_info
    if call is None or not isinstance(info, Query | Header) or isinstance(info.validation_alias, _MANY):
        return frozenset()
    if info.is_required() or info.default_factory is not None or info.validate_default or _is_model(info.annotation):
        return frozenset()
    parameter = inspect.signature(call).parameters.get(field.name)
    if parameter is None or parameter.default is not field.default:
        return frozenset()
    names = {name for name in (field.alias, field.validation_alias, field.name) if name}
    if isinstance(info, Query):
        return frozenset(names)
    names |= {name.replace("_", "-") for name in names}
    return frozenset(name.lower().encode("latin-1") for name in names)


_MANY = AliasChoices | AliasPath


def _is_model(annotation: Any) -> bool:
    parts = getattr(annotation, "__args__", (annotation,))
    return any(isinstance(part, type) and issubclass(part, BaseModel) for part in parts)
