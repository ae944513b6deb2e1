"""Questions to the law: shared by REST, GraphQL and the command line."""

from datetime import date
from typing import Any

from api.errors import invalid
from api.law.schemas import ExplanationIn
from policies.explain import Language, explanation
from policies.model import Law, Question


def language_of(accept_language: str | None) -> Language:
    """Swedish or English by Accept-Language; Swedish where neither is asked for."""
    best: tuple[float, Language] = (0.0, "sv")
    for part in (accept_language or "").split(","):
        tag, _, parameters = part.strip().partition(";")
        try:
            quality = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            continue
        primary = tag.strip().lower().partition("-")[0]
        if primary in {"sv", "en"} and best[0] < quality <= 1.0:
            best = (quality, "en" if primary == "en" else "sv")
    return best[1]


def explain(body: ExplanationIn, law: Law, *, today: date, language: Language) -> dict[str, Any]:
    """Answer *may this be shared?* Raises `Problem` 422 where both or neither of kind and secrecy are given."""
    if (body.kind is None) == (body.secrecy is None):
        raise invalid("body.kind", "name either `kind` or `secrecy`", "leave one of them out")
    question = Question(
        holder_sector=body.holder_sector,
        recipient_sector=body.recipient_sector,
        purpose=body.purpose,
        as_of=body.as_of or today,
        kind=body.kind,
        secrecy=None if body.secrecy is None else tuple(dict.fromkeys(body.secrecy)),
        subject_age=None if body.subject is None else body.subject.age,
        holder_equated=body.holder_equated,
        recipient_equated=body.recipient_equated,
    )
    return explanation(question, law, language)
