"""The answer to a write that made something: 201 with Location and the new resource."""

from fastapi import Request
from starlette.responses import Response

from api.disclosure.asking import Asking
from api.disclosure.selection import Selection
from api.web.conditional import respond
from api.web.context import Services
from api.web.reading import single


async def created(
    request: Request, parts: Services, who: Asking, selection: Selection, path: str, what: str
) -> Response:
    """Answer 201 with what a read of the new resource gives this caller; `path` is under the API root."""
    answer = await parts.gate.read(who, selection)
    body = single(request, parts, answer, what=what, links={"self": path})
    location = parts.settings.api_url + path
    return respond(request, body, shared=answer.shared, status_code=201, headers={"Location": location})
