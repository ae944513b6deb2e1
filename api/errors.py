"""Every way a request can be refused, as one catalogue, and the RFC 9457 problem that tells the caller.

Problem                      raised anywhere above the store; becomes `application/problem+json`
└── kind: ProblemKind        slug, status and the title in Swedish and English; one row of `PROBLEMS`

The rule of statuses (decision record 0005): 400 what arrived cannot be read; 401 nobody known asks; 403 the law,
the token or the role says no; 404 no such thing; 409 the content is well formed but contradicts what is on record,
the calendar or the map; 422 the content does not follow the published schema.

INVARIANT: a problem holds what the caller sent, the name of a field and what to do, never stored personal data,
never an exception's text, never an internal name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of refusal: its slug (stable, part of the contract), HTTP status and titles."""

    slug: str
    status: int
    title_en: str
    title_sv: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where it stands (`body.outline`, `query.page`), what is wrong, what to do."""

    where: str
    what: str
    hint: str | None = None

    def as_json(self) -> dict[str, str]:
        """The fault as a member of a problem's `errors`."""
        fault = {"where": self.where, "what": self.what}
        if self.hint is not None:
            fault["hint"] = self.hint
        return fault


PROBLEMS: dict[str, ProblemKind] = {
    kind.slug: kind
    for kind in (
        ProblemKind("unreadable", 400, "The request cannot be read", "Begäran går inte att läsa"),
        ProblemKind("unknown-parameter", 400, "Unknown query parameter", "Okänd frågeparameter"),
        ProblemKind("missing-header", 400, "A required header is missing", "Ett obligatoriskt huvud saknas"),
        ProblemKind("unauthenticated", 401, "No valid access token", "Giltig åtkomsttoken saknas"),
        ProblemKind("forbidden", 403, "Not allowed for this caller", "Inte tillåtet för den som frågar"),
        ProblemKind(
            "purpose-not-allowed",
            403,
            "Purpose not held by this client",
            "Ändamålet ingår inte i klientens behörighet",
        ),
        ProblemKind("withheld-field", 403, "The field is withheld", "Uppgiften är inte tillgänglig"),
        ProblemKind("search-ban", 403, "Persons may not be selected by this", "Sökförbud"),
        ProblemKind("not-found", 404, "No such resource", "Resursen finns inte"),
        ProblemKind("method-not-allowed", 405, "Method not allowed", "Metoden är inte tillåten"),
        ProblemKind("not-acceptable", 406, "No acceptable representation", "Ingen godtagbar representation"),
        ProblemKind("conflict", 409, "Contradicts what is on record", "Strider mot det som är känt"),
        ProblemKind("still-running", 409, "The first request is still running", "Den första begäran pågår ännu"),
        ProblemKind("precondition-failed", 412, "The resource has changed", "Resursen har ändrats"),
        ProblemKind("too-large", 413, "The body is too large", "Innehållet är för stort"),
        ProblemKind("unsupported-media-type", 415, "Unsupported media type", "Medietypen stöds inte"),
        ProblemKind("invalid", 422, "The content does not follow the schema", "Innehållet följer inte schemat"),
        ProblemKind(
            "key-reused",
            422,
            "Idempotency-Key used with another body",
            "Idempotency-Key har använts med annat innehåll",
        ),
        ProblemKind("precondition-required", 428, "If-Match is required", "If-Match krävs"),
        ProblemKind("headers-too-large", 431, "A header is too large", "Ett huvud är för stort"),
        ProblemKind("internal", 500, "Unexpected error", "Oväntat fel"),
        ProblemKind("unavailable", 503, "Temporarily unavailable", "Tillfälligt otillgänglig"),
    )
}


class Problem(HTTPException):
    """A refusal that the caller is told about (RFC 9457).

    `kind` is a slug of `PROBLEMS`; `detail` one sentence: what is wrong and, where it helps, what to do.
    `faults` names each place; `extra` adds members to the problem object (for example `withheld`).
    """

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self.kind = PROBLEMS[kind]
        self.faults = tuple(faults)
        self.extra = dict(extra or {})
        super().__init__(self.kind.status, detail, dict(headers) if headers else None)

    def as_json(self, instance: str) -> dict[str, Any]:
        """The problem object; `instance` is the path of the request it answers."""
        body: dict[str, Any] = {
            "type": f"urn:samsyn:problem:{self.kind.slug}",
            "title": self.kind.title_en,
            "titleSv": self.kind.title_sv,
            "status": self.kind.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.faults:
            body["errors"] = [fault.as_json() for fault in self.faults]
        return body | self.extra


def invalid(where: str, what: str, hint: str | None = None) -> Problem:
    """Refuse content that does not follow the schema (422), naming one place."""
    return Problem("invalid", f"{where}: {what}", faults=[Fault(where, what, hint)])


def conflict(where: str, what: str, hint: str | None = None) -> Problem:
    """Refuse content that contradicts what is on record, the calendar or the map (409), naming one place."""
    return Problem("conflict", f"{where}: {what}", faults=[Fault(where, what, hint)])


def not_found(what: str) -> Problem:
    """Answer that a resource does not exist, in the same words whether it never did or may not be known."""
    return Problem("not-found", f"{what} does not exist, or is not known to you")
