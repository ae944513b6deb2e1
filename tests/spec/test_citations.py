"""Every rule is cited as its id says, and its id says where it stands: `osl-10-18a` is 10 kap. 18 a § OSL.

Whoever is told that a field is released or withheld is told by which paragraph.
"""

import re

import pytest

from policies.catalogue import law

LAW = law()

STATUTES = {
    "osl": "OSL",
    "sol": "SoL",
    "lvm": "LVM",
    "lul": "LUL",
    "psl": "patientsäkerhetslagen",
    "skollagen": "skollagen",
    "polislagen": "polislagen",
    "postlagen": "postlagen",
}
PARAGRAPHS = {"1": " första stycket", "2": " andra stycket", "3": " tredje stycket"}
# Citations that say more than the id: points, neighbouring sections, a second act. From the rows of table B.
FULLER = {
    "osl-10-3": "10 kap. 3 och 4 §§ OSL",  # row 4
    "osl-10-28": "10 kap. 28 § första stycket OSL",  # row 18
    "skollagen-6a-10": "6 a kap. 10 och 11 §§ skollagen",  # row 23
    "lvm-6": "6 § första stycket LVM",  # row 27
    "lvm-7": "7 § andra stycket LVM",  # row 27
    "osl-25-11": "25 kap. 11 § 1, 2 och 5 OSL",  # row 32
    "sol-15-7": "15 kap. 7 § 1 SoL",  # row 34
    "psl-6-15": "6 kap. 15 § 1 patientsäkerhetslagen",  # row 35
    "lag-2024-7-11": "11 § tredje stycket lagen (2024:7)",  # row 39
    "lag-2018-1693-2-8": "35 kap. 10 § 4 OSL och 2 kap. 8 § lagen (2018:1693)",  # row 40
    "lag-2018-1694-2-8": "35 kap. 10 § 4 OSL och 2 kap. 8 § lagen (2018:1694)",  # row 40
    "postlagen-5-4": "5 kap. 4 § 5 postlagen",  # row 47
}


def section(code: str) -> str:
    """`18a` as it is written: `18 a`."""
    return re.sub(r"(?<=\d)(?=[a-z])", " ", code)


def cited(identity: str) -> str:
    """The citation that an id stands for, up to the name of an act that has no short one."""
    if identity in FULLER:
        return FULLER[identity]
    statute, *rest = identity.split("-")
    if statute == "lag":
        year, number, *rest = rest
        return f"{section(rest[0])} § lagen ({year}:{number})"
    if len(rest) == 1 or statute == "lvm":
        where, more = f"{section(rest[0])} §", rest[1:]
    else:
        where, more = f"{rest[0]} kap. {section(rest[1])} §", rest[2:]
    return f"{where}{PARAGRAPHS[more[0]] if more else ''} {STATUTES[statute]}"


def citations() -> dict[str, str]:
    rules = [*LAW.provisions.values(), *LAW.secrecy.values()]
    return {rule.id: rule.citation for rule in rules if rule.id != "harm-assessment"} | LAW.references


@pytest.mark.parametrize("identity", sorted(citations()))
def test_rule_is_cited_as_its_id_says(identity: str):
    assert citations()[identity].partition(" om ")[0] == cited(identity)


def test_harm_assessment_is_cited_as_the_rules_own_test():
    assert LAW.provisions["harm-assessment"].citation == "skaderekvisitet i den bestämmelse som gäller"


# Row 40: what lag (2018:1693) and (2018:1694) say is broken by OSL 35:10 p.4. The postal duty of silence stands outside
# OSL, and a harm assessment is made in whatever rule locks. Every other act breaks secrecy through OSL 10:28.
CHAPTERS = {
    "lag-2018-1693-2-8": 35,
    "lag-2018-1694-2-8": 35,
    "postlagen-5-4": None,
    "postlagen-5-5": None,
    "postlagen-5-6": None,
    "harm-assessment": None,
}


def test_provision_works_through_its_own_chapter_of_osl_and_an_act_outside_it_through_10_28():
    for provision in LAW.provisions.values():
        statute, chapter, *_ = f"{provision.id}-".split("-")
        through = int(chapter) if statute == "osl" else CHAPTERS.get(provision.id, 10)
        assert provision.chapter == through, provision.id


def test_reference_is_no_rule_that_is_encoded():
    assert not LAW.references.keys() & (LAW.provisions.keys() | LAW.secrecy.keys())
