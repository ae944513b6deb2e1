"""GraphQL over HTTP (the GraphQL-over-HTTP specification): GET for queries, POST for everything, and a page for people.

`application/graphql-response+json` answers 400 without `data` for a request that cannot be run; `application/json`
answers it 200, as older clients expect.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from api.errors import Fault, Problem
from api.graphql.execution import Context, GraphQLRequest, is_mutation, run
from api.law.service import language_of
from api.pages.rendering import graphiql_page
from api.web.body import strict_json
from api.web.conditional import respond
from api.web.context import CaseReferenceHeader, LegalBasisHeader, PurposeHeader, asking, services
from api.web.faults import member

_RESPONSE_TYPE = "application/graphql-response+json"
_JSON_TYPE = "application/json"
_MEMBERS = {"query", "operationName", "variables", "extensions"}

router = APIRouter(tags=["graphql"])
_MAX_QUERY = 100_000
_MAX_ADDRESS = 6000
_MAX_OPERATION = 200
_TEXT = r"^[^\x00]*$"

_EXAMPLE = {"query": "{ scenes(limit: 2) { items { name particularlyExposedForYouth } totalRecords } }"}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["query"],
                    "additionalProperties": False,
                    "properties": {
                        "query": {"type": "string", "maxLength": _MAX_QUERY},
                        "operationName": {"type": ["string", "null"], "maxLength": _MAX_OPERATION},
                        "variables": {"type": ["object", "null"]},
                        "extensions": {"type": ["object", "null"]},
                    },
                    "example": _EXAMPLE,
                },
                "example": _EXAMPLE,
            }
        },
    }
}
_ANSWER: dict[int | str, Any] = {
    200: {
        "description": "Data and errors / Data och fel",
        "content": {
            media_type: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "data": {"type": ["object", "null"]},
                        "errors": {"type": "array", "items": {"type": "object"}},
                        "extensions": {"type": "object"},
                    },
                    "example": {"data": {"scenes": {"totalRecords": 53}}},
                }
            }
            for media_type in (_JSON_TYPE, _RESPONSE_TYPE)
        },
    }
}


def _parameter(name: str, schema: dict[str, Any], description: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required, "description": description, "schema": schema}


_GET: dict[str, Any] = {
    "parameters": [
        _parameter(
            "query", {"type": "string", "maxLength": _MAX_ADDRESS, "pattern": _TEXT}, "The query", required=True
        ),
        _parameter(
            "operationName", {"type": "string", "maxLength": _MAX_OPERATION, "pattern": _TEXT}, "Which operation to run"
        ),
    ]
}


@router.get(
    "/graphql",
    responses=_ANSWER,
    openapi_extra=_GET,
    summary="A GraphQL query in the address / GraphQL-fråga i adressen",
)
async def graphql_get(
    request: Request,
    purpose: PurposeHeader = None,
    legal_basis: LegalBasisHeader = None,
    case_reference: CaseReferenceHeader = None,
) -> Response:
    """A query in the address, or GraphiQL for a browser. `variables` and `extensions` may follow as JSON."""
    if "text/html" in request.headers.get("Accept", "") and "query" not in request.query_params:
        return graphiql_page(services(request).settings, root="./")
    media_type = _media_type(request)
    who = await asking(request, purpose, legal_basis, case_reference)
    parameters = dict(request.query_params)
    for name in ("variables", "extensions"):
        if name in parameters:
            parameters[name] = strict_json(parameters[name].encode())
    return await _answer(request, who, parameters, media_type, mutations=False)


@router.post(
    "/graphql",
    responses=_ANSWER,
    openapi_extra=_BODY,
    summary="GraphQL: same data, same gate, same reasons / samma data, samma prövning, samma skäl",
)
async def graphql_post(
    request: Request,
    purpose: PurposeHeader = None,
    legal_basis: LegalBasisHeader = None,
    case_reference: CaseReferenceHeader = None,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", include_in_schema=False)] = None,
) -> Response:
    """Run a query or a mutation. Withheld fields are null; the reasons stand in `extensions.disclosure`.

    Mutations heed the header `Idempotency-Key` as REST does; `createInterventionSurvey` needs it.
    """
    media_type = _media_type(request)
    who = await asking(request, purpose, legal_basis, case_reference)
    content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type != _JSON_TYPE:
        raise Problem("unsupported-media-type", "send the request as application/json")
    body = strict_json(await request.body())
    if not isinstance(body, dict):
        raise _unreadable("body", "is not an object", 'send {"query": "…"}')
    return await _answer(request, who, body, media_type, mutations=True, idempotency_key=idempotency_key)


def _unreadable(where: str, what: str, hint: str) -> Problem:
    return Problem("unreadable", f"{where}: {what}", faults=[Fault(where, what, hint)])


def _media_type(request: Request) -> str:
    """The better of the two JSON types by Accept. Raises `Problem` 406."""
    accepted = request.headers.get("Accept")
    if not accepted:
        return _JSON_TYPE
    best: tuple[float, str] | None = None
    for part in accepted.split(","):
        name, _, parameters = part.strip().partition(";")
        quality = next((p.strip()[2:] for p in parameters.split(";") if p.strip().startswith("q=")), "1")
        try:
            weight = float(quality)
        except ValueError:
            weight = 0.0
        offered = {
            _RESPONSE_TYPE: _RESPONSE_TYPE,
            _JSON_TYPE: _JSON_TYPE,
            "application/*": _JSON_TYPE,
            "*/*": _JSON_TYPE,
        }
        chosen = offered.get(name.strip().lower())
        if chosen is not None and weight > 0 and (best is None or weight > best[0]):
            best = (weight, chosen)
    if best is None:
        raise Problem("not-acceptable", f"GraphQL is answered as {_RESPONSE_TYPE} or {_JSON_TYPE}")
    return best[1]


def _read(body: dict[str, Any], longest: int) -> GraphQLRequest:
    """The request's members. Raises `Problem` 400 for a shape that no request has."""
    unknown = sorted(set(body) - _MEMBERS)
    if unknown:
        raise _unreadable(f"body.{member(unknown[0])}", "is not a member of a GraphQL request", "leave it out")
    if not isinstance(body.get("query"), str):
        raise _unreadable("body.query", "is missing or no text", 'send {"query": "…"}')
    if not isinstance(body.get("operationName"), str | None):
        raise _unreadable("body.operationName", "is no text", "name one of the operations, or leave it out")
    if len(body["query"]) > longest:
        raise _unreadable("body.query", f"is longer than {longest} characters", "ask in several queries")
    if len(body.get("operationName") or "") > _MAX_OPERATION:
        raise _unreadable("body.operationName", "is too long", f"at most {_MAX_OPERATION} characters")
    for name in ("variables", "extensions"):
        if not isinstance(body.get(name), dict | None):
            raise _unreadable(f"body.{name}", "is not an object", "send an object, or leave it out")
    return GraphQLRequest(body["query"], body.get("operationName") or None, body.get("variables") or {})


async def _answer(
    request: Request,
    who: Any,
    body: dict[str, Any],
    media_type: str,
    *,
    mutations: bool,
    idempotency_key: str | None = None,
) -> Response:
    read = _read(body, _MAX_QUERY if mutations else _MAX_ADDRESS)
    if not mutations and is_mutation(read):
        raise Problem("method-not-allowed", "send mutations with POST", headers={"Allow": "GET, HEAD, POST, OPTIONS"})
    context = Context(services(request), who, language_of(request.headers.get("Accept-Language")), idempotency_key)
    outcome = await run(read, context, mutations=mutations)
    status = 400 if outcome.refused and media_type == _RESPONSE_TYPE else 200
    return respond(request, outcome.body, media_type=f"{media_type}; charset=utf-8", shared=False, status_code=status)
