"""A law of a few made-up rules, small enough to know every answer by heart, for tests of single edges.

`care`, `police` and `school` are authorities, `guard` is none. Each builder gives a rule without any condition, and
takes the attributes in which it is to be another.
"""

import dataclasses
from collections.abc import Iterable
from datetime import date
from itertools import count
from typing import Any

from policies.model import (
    Breaks,
    Field,
    Kind,
    Law,
    OpenQuestion,
    Provision,
    Question,
    SecrecyRule,
    SecrecyWording,
    Text,
    Wording,
)

START, DAY, END = date(2020, 1, 1), date(2021, 6, 15), date(2022, 1, 1)
AUTHORITIES = frozenset({"care", "police", "school"})
SECTORS = ("police", "care", "school", "guard")
SAID = Text("sagt", "said")
PLACE = Kind("place", "shared", Text("plats", "place"))
NAME = Kind("name", "protected", Text("namn", "name"))
HEALTH = Kind("health", "protected", Text("hälsa", "health"))
NOTHING = Breaks(False, frozenset(), frozenset(), frozenset(), frozenset(), frozenset())
_versions = count()


def breaks(**changes: Any) -> Breaks:
    return dataclasses.replace(NOTHING, **changes)


def wording(**changes: Any) -> Wording:
    free = Wording(
        START, None, "shall", frozenset(SECTORS), frozenset(SECTORS), None, breaks(everything=True), None, None, None,
        frozenset({"on-request"}), (), (),
    )  # fmt: skip
    return dataclasses.replace(free, **changes)


def provision(identity: str = "osl-10-1", *wordings: Wording, **changes: Any) -> Provision:
    plain = Provision(identity, f"cite {identity}", SAID, 10, False, wordings or (wording(),), "S1", "V")
    return dataclasses.replace(plain, **changes)


def secrecy(identity: str = "osl-25-1", **changes: Any) -> SecrecyRule:
    plain = SecrecyRule(
        identity, f"cite {identity}", SAID, int(identity.split("-")[1]), "individual",
        frozenset({("care", "name"), ("care", "health")}), frozenset(), (SecrecyWording(START, None, "reverse"),),
        "S1", "V",
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


def asked(**changes: Any) -> OpenQuestion:
    nothing: frozenset[str] = frozenset()
    return dataclasses.replace(OpenQuestion(7, nothing, nothing, nothing, nothing, False, SAID), **changes)


def question(**changes: Any) -> Question:
    return dataclasses.replace(Question("care", "police", "prevent", DAY, "name"), **changes)


def field(name: str, kind: Kind = NAME, **changes: Any) -> Field:
    return dataclasses.replace(Field("person", name, kind, "row", (), False, False), **changes)


def law(provisions: Iterable[Provision] = (), rules: Iterable[SecrecyRule] = (), fields: Iterable[Field] = ()) -> Law:
    """A law of its own version, since decisions are kept by it."""
    return Law(
        version=f"tiny-{next(_versions)}",
        sectors={sector: Text(f"{sector} sv", f"{sector} en") for sector in SECTORS},
        authorities=AUTHORITIES,
        purposes={"prevent": SAID, "count": SAID},
        kinds={kind.id: kind for kind in (PLACE, NAME, HEALTH)},
        fields={(one.resource, one.name): one for one in fields},
        secrecy={rule.id: rule for rule in rules},
        no_secrecy={},
        provisions={one.id: one for one in provisions},
        attestations={name: Text(f"{name} sv", f"{name} en") for name in
                      ("a", "b", "data-protection-check", "receiver-secrecy", "subject-age-verified",
                       "kind-is-covered")},
    )  # fmt: skip
