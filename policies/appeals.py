"""What a refusal must say: the paragraph it rests on, and where it is appealed (*överklagande*).

Source: OSL 6:5 and 6:7-8.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from policies.model import Law, Text


@dataclass(frozen=True, slots=True)
class Appeal:
    """The paragraphs that an appeal rests on, and what the refused authority is told."""

    citation: str
    text: Text


_TO_THE_COURT = Appeal(
    "6 kap. 7 § andra stycket OSL",
    Text(
        "Den myndighet som begärde uppgiften får överklaga beslutet till kammarrätten, om inte något annat följer "
        "av lag.",
        "The authority that asked for the item may appeal the decision to the administrative court of appeal "
        "(kammarrätten), unless otherwise follows from an act.",
    ),
)
_TO_THE_GOVERNMENT = Appeal(
    "6 kap. 7 § andra stycket och 8 § fjärde stycket OSL",
    Text(
        "Den myndighet som begärde uppgiften får överklaga beslutet till regeringen, eftersom båda är statliga "
        "myndigheter under regeringen, om inte något annat följer av lag.",
        "The authority that asked for the item may appeal the decision to the government, since both are state "
        "authorities under it, unless otherwise follows from an act.",
    ),
)


_AS_THE_ACT_SAYS = Appeal(
    "6 kap. 7 och 8 §§ OSL",
    Text(
        "Om och hur beslutet får överklagas följer av 6 kap. 7 och 8 §§ OSL.",
        "Whether and how the decision may be appealed follows from OSL 6:7 and 6:8.",
    ),
)


def appeal_of(holder_sector: str, requester_sector: str, law: Law) -> Appeal:
    """How an authority appeals another authority's refusal (OSL 6:7 st. 2; between state authorities 6:8 st. 4).

    Where either is no authority, which here is only one that has ceased to be, the act itself is pointed to.
    """
    both = {holder_sector, requester_sector}
    if not both <= law.authorities:
        return _AS_THE_ACT_SAYS
    return _TO_THE_GOVERNMENT if both <= law.state_authorities else _TO_THE_COURT


def refusal_citation(kinds: Iterable[str], holder_sector: str, law: Law) -> str:
    """The paragraphs that a refusal of these kinds rests on: every rule that locks one of them at the holder.

    Where no rule is encoded it is OSL 6:5, under which an authority gives what is neither secret nor a hindrance.
    INVARIANT: kinds and sector alone decide, so a refusal tells nothing of what the holder has.
    """
    rules = (rule.citation for kind in kinds for rule in law.secrecy_of(kind, holder_sector))
    return "; ".join(dict.fromkeys(rules)) or "6 kap. 5 § OSL"
