"""What can become of a request, as one table; and of a decision, whose end the clock decides."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

State = Literal["submitted", "supplement-requested", "granted", "partly-granted", "refused", "withdrawn"]
Act = Literal["ask-supplement", "answer-supplement", "grant", "grant-in-part", "refuse", "withdraw"]
Party = Literal["requester", "holder"]
DecisionState = Literal["live", "revoked", "expired"]

STATES: Final[tuple[State, ...]] = (
    "submitted", "supplement-requested", "granted", "partly-granted", "refused", "withdrawn",
)  # fmt: skip
DECISION_STATES: Final[tuple[DecisionState, ...]] = ("live", "revoked", "expired")


@dataclass(frozen=True, slots=True)
class Transition:
    """One step that a request can take. `of_duty`: also where the provision is a duty to disclose."""

    before: State
    act: Act
    by: Party
    after: State
    of_duty: bool = True


TRANSITIONS: Final[tuple[Transition, ...]] = (
    # A duty (*uppgiftsskyldighet*) is answered, never parked.
    Transition("submitted", "ask-supplement", "holder", "supplement-requested", of_duty=False),
    Transition("supplement-requested", "answer-supplement", "requester", "submitted"),
    Transition("submitted", "grant", "holder", "granted"),
    Transition("submitted", "grant-in-part", "holder", "partly-granted"),
    Transition("submitted", "refuse", "holder", "refused"),
    Transition("submitted", "withdraw", "requester", "withdrawn"),
    Transition("supplement-requested", "withdraw", "requester", "withdrawn"),
)


def state_after(before: State, act: Act, *, by: Party, duty: bool) -> State | None:
    """The state that an act leads to; `None` where that party cannot take it then."""
    for step in TRANSITIONS:
        if (step.before, step.act, step.by) == (before, act, by) and (step.of_duty or not duty):
            return step.after
    return None


def decision_state(*, revoked_at: datetime | None, valid_until: datetime, now: datetime) -> DecisionState:
    """Whether a decision opens anything. Only a live one can be revoked; none is made to expire, the clock does it."""
    if revoked_at is not None:
        return "revoked"
    return "live" if now < valid_until else "expired"
