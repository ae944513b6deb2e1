"""The one who asks, as the access token says: agency (*myndighet*), client, person, purposes (*ändamål*), scopes."""

from dataclasses import dataclass

from api.errors import Fault, Problem

SCOPES: frozenset[str] = frozenset(
    {
        "read",
        "write:scenes",
        "write:mappings",
        "write:surveys",
        "write:incidents",
        "write:counts",
        "publish:reports",
        "disclosure:request",
        "disclosure:decide",
        "audit:read",
        "agency:admin",
    }
)

# INVARIANT: a machine never decides to disclose (*utlämnandebeslut*); weighing interests is a person's task.
PERSON_SCOPES: frozenset[str] = frozenset({"disclosure:decide"})


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller. `purposes` is what the client may claim, not what this request claims; empty: none.

    `agency` is a slug (`polismyndigheten`); `subject` equals `client_id` for a machine, else it names a person.
    """

    agency: str
    client_id: str
    subject: str
    role: str | None
    purposes: frozenset[str]
    scopes: frozenset[str]

    @property
    def is_person(self) -> bool:
        """Whether a person stands behind the request, not the client alone."""
        return self.subject != self.client_id

    def require(self, scope: str) -> None:
        """Raise `Problem` (403) unless the token carries `scope` and, where the scope asks for one, a person."""
        if scope not in self.scopes:
            raise _forbidden(
                scope,
                f"The token lacks the scope {scope}",
                f"request a token with the scope {scope} from your authorization server",
            )
        if scope in PERSON_SCOPES and not (self.is_person and self.role):
            raise _forbidden(
                scope,
                f"{scope} is for persons with a role, and this token names none",
                "sign in as a person: the token's sub must differ from client_id and role must be given",
            )


def _forbidden(scope: str, what: str, hint: str) -> Problem:
    """Refuse (403) with the challenge of RFC 6750 §3.1."""
    return Problem(
        "forbidden",
        f"{what}; {hint}",
        faults=[Fault("token.scope", what, hint)],
        headers={"WWW-Authenticate": f'Bearer realm="samsyn", error="insufficient_scope", scope="{scope}"'},
    )
