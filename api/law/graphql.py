"""The law over GraphQL: resolved from memory, since it is public and no row is read."""

import strawberry
from starlette.concurrency import run_in_threadpool
from strawberry.scalars import JSON

from api.graphql.binding import as_body
from api.law.matrix import filtered, matrix_of, row_as_json
from api.law.schemas import ExplanationIn, MatrixFilter
from api.law.service import explain
from policies.explain import provision_as_json, secrecy_as_json


@strawberry.input(description="What the question says about the person")
class SubjectInput:
    """Age in whole years on the day of disclosure."""

    age: int | None = None


@strawberry.input(description="May this be shared? Name a kind of information, or secrecy rules")
class ExplanationInput:
    """As the body of POST /explanations."""

    holder_sector: str
    recipient_sector: str
    purpose: str
    kind: str | None = None
    secrecy: list[str] | None = None
    subject: SubjectInput | None = None
    as_of: str | None = None
    holder_equated: bool = False
    recipient_equated: bool = False


@strawberry.type
class LawQuery:
    """Root fields about the law."""

    @strawberry.field(description="Every encoded provision")
    def provisions(self, info: strawberry.Info) -> list[JSON]:
        """As GET /provisions, without paging."""
        parts, language = info.context.parts, info.context.language
        return [provision_as_json(provision, parts.law, language) for provision in parts.law.provisions.values()]  # type: ignore[misc]

    @strawberry.field(description="Every encoded secrecy rule")
    def secrecy_rules(self, info: strawberry.Info) -> list[JSON]:
        """As GET /secrecy-rules, without paging."""
        parts = info.context.parts
        today = parts.gate.today()
        return [secrecy_as_json(rule, info.context.language, today) for rule in parts.law.secrecy.values()]  # type: ignore[misc]

    @strawberry.field(description="May this be shared?")
    def explanation(self, info: strawberry.Info, question: ExplanationInput) -> JSON:
        """As POST /explanations."""
        body = info.context.checked(ExplanationIn, as_body(question))
        parts = info.context.parts
        return explain(body, parts.law, today=parts.gate.today(), language=info.context.language)  # type: ignore[return-value]

    @strawberry.field(description="What the law answers for every holder, recipient, purpose, kind and age")
    async def disclosure_matrix(
        self,
        info: strawberry.Info,
        holder_sector: str | None = None,
        recipient_sector: str | None = None,
        purpose: str | None = None,
        kind: str | None = None,
        age: int | None = None,
        outcome: str | None = None,
        provision: str | None = None,
        as_of: str | None = None,
    ) -> list[JSON]:
        """As GET /disclosure-matrix, without paging."""
        parts = info.context.parts
        given = {
            "holderSector": holder_sector,
            "recipientSector": recipient_sector,
            "purpose": purpose,
            "kind": kind,
            "age": age,
            "outcome": outcome,
            "provision": provision,
            "asOf": as_of,
        }
        asked = info.context.checked(MatrixFilter, {name: value for name, value in given.items() if value is not None})
        whole = await run_in_threadpool(matrix_of, parts.law)
        return [row_as_json(row, whole.axes) for row in filtered(whole, asked, parts.gate.today())]  # type: ignore[misc]
