"""A change of the law is told in words: each slip by the rule and the attribute, and then what it does to outcomes."""

import dataclasses
import os
import random
import secrets
from datetime import date, timedelta

import pytest

from api.law.matrix import as_csv, from_csv, matrix_of
from policies.catalogue import LawError, law
from policies.changes.effects import effects, in_words
from policies.changes.phrases import Names, period, sentence
from policies.changes.rules import rule_changes
from policies.changes.text import changes, list_changes, outcomes
from policies.matrix import matrix
from policies.model import LeftOut, OpenQuestion, Text
from tests.spec.law_mutants import Mutated, mutants

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")

LAW = law()
DAY = timedelta(days=1)
RULE = LAW.provisions["osl-10-15a"]
SAID = RULE.wordings[-1]
LOCK = LAW.secrecy["osl-26-1"]
CALLED = "Ändras: bestämmelsen 10 kap. 15 a § OSL (osl-10-15a): "
LOCKED = "Ändras: sekretessbestämmelsen 26 kap. 1 § OSL (osl-26-1): "
WORDING = CALLED + "lydelsen från 2025-12-01: "


def with_rule(**changed):
    """Our law with another 10:15 a."""
    rule = dataclasses.replace(RULE, **changed)
    return dataclasses.replace(LAW, version="changed", provisions={**LAW.provisions, rule.id: rule})


def with_wording(**changed):
    """Our law with another present wording of 10:15 a."""
    return with_rule(wordings=(*RULE.wordings[:-1], dataclasses.replace(SAID, **changed)))


def with_breaks(**changed):
    return with_wording(breaks=dataclasses.replace(SAID.breaks, **changed))


def with_lock(**changed):
    rule = dataclasses.replace(LOCK, **changed)
    return dataclasses.replace(LAW, version="changed", secrecy={**LAW.secrecy, rule.id: rule})


def with_gone(identity):
    """Our law without one of its provisions."""
    rest = {key: rule for key, rule in LAW.provisions.items() if key != identity}
    return dataclasses.replace(LAW, version="without", provisions=rest)


def told(old, new, language="sv"):
    """Sentences about the law files, without the work of making two matrices."""
    names = Names(old, new)
    texts = (*list_changes(old, new, names), *rule_changes(old, new, names))
    return [getattr(text, language) for text in texts]


def small(law):
    """The same law seen by few: what a change does to outcomes is the same, and found in a moment."""
    sectors = {key: law.sectors[key] for key in ("police", "social-services", "health-care", "school", "private")}
    kinds = {key: law.kinds[key] for key in ("place", "camera", "person-circumstance", "concern-report")}
    chosen = ("osl-10-15a", "osl-10-18a", "osl-10-22", "osl-10-27", "sol-19-1")
    rules = {key: law.provisions[key] for key in chosen if key in law.provisions}
    return dataclasses.replace(
        law,
        sectors=sectors,
        kinds=kinds,
        provisions=rules,
        authorities=law.authorities & set(sectors),
        purposes={key: law.purposes[key] for key in ("prevent-crime", "investigate-crime", "protect-child")},
    )


ONE_SLIP = {
    "a dropped exception": (
        with_breaks(excepts=SAID.breaks.excepts - {"osl-25-1"}),
        WORDING + "undantar inte längre 25 kap. 1 § OSL.",
    ),
    "a new exception": (
        with_breaks(excepts=SAID.breaks.excepts | {"osl-26-1"}),
        WORDING + "undantar nu även 26 kap. 1 § OSL.",
    ),
    "a widened recipient": (
        with_wording(to_sectors=SAID.to_sectors | {"private"}),
        WORDING + "lämnas nu även till enskild aktör.",
    ),
    "a narrowed holder": (
        with_wording(from_sectors=SAID.from_sectors - {"school"}),
        WORDING + "lämnas inte längre av skola.",
    ),
    "a shifted date": (
        with_wording(valid_from=SAID.valid_from + DAY),
        WORDING + "gäller från: nu 2025-12-02; förut 2025-12-01.",
    ),
    "an end": (
        with_wording(until=date(2030, 1, 1)),
        WORDING + "gäller till och med: nu 2029-12-31; förut tills vidare.",
    ),
    "may becomes shall": (
        with_wording(type="shall"),
        WORDING + "slag: nu ska lämnas (uppgiftsskyldighet); förut får lämnas (möjlighet).",
    ),
    "another purpose": (
        with_wording(purposes=SAID.purposes | {"protect-child"}),
        WORDING + "gäller nu även ändamålet skydda barn.",
    ),
    "any purpose": (
        with_wording(purposes=frozenset(LAW.purposes)),
        WORDING + "gäller nu även ändamålet alla utom förebygga, förhindra eller upptäcka brottslig verksamhet / "
        "utreda brott / motverka felaktiga utbetalningar, fusk och överträdelser.",
    ),
    "no limit of purpose": (
        with_wording(purposes=None),
        WORDING + "ändamål: nu alla; förut förebygga, förhindra eller upptäcka brottslig verksamhet / utreda brott / "
        "motverka felaktiga utbetalningar, fusk och överträdelser.",
    ),
    "a limit to kinds": (
        with_wording(kinds=frozenset({"camera"})),
        WORDING + "uppgiftsslag: nu kamerabevakning; förut alla.",
    ),
    "an age": (with_wording(age_below=21), WORDING + "ålder under: nu 21; förut ingen."),
    "a lowest age": (with_wording(age_from=18), WORDING + "lägsta ålder: nu 18; förut ingen."),
    "on request only": (
        with_wording(initiative=frozenset({"on-request"})),
        WORDING + "lämnas inte längre på eget initiativ.",
    ),
    "an attestation": (
        with_wording(attestations=SAID.attestations[:-1]),
        WORDING + f"behöver inte längre antecknas: ”{LAW.attestations[SAID.attestations[-1]].sv}”",
    ),
    "no open question": (
        with_wording(open_questions=()),
        WORDING + f"stängs inte längre av fråga 1: {SAID.open_questions[0].text.sv}",
    ),
    "another scope of a question": (
        with_wording(open_questions=(dataclasses.replace(SAID.open_questions[0], purposes=frozenset()),)),
        WORDING + "fråga 1: ändamål: nu alla; förut utreda brott.",
    ),
    "all secrecy": (with_breaks(everything=True), WORDING + "bryter all sekretess: nu ja; förut nej."),
    "another chapter": (
        with_breaks(chapters=SAID.breaks.chapters | {18}),
        WORDING + "bryter nu även sekretess i kapitel 18.",
    ),
    "a rule by name": (with_breaks(rules=frozenset({"osl-18-1"})), WORDING + "bryter nu även 18 kap. 1 § OSL."),
    "a protected interest": (
        with_breaks(protects=frozenset({"operation"})),
        WORDING + "bryter nu även sekretess till skydd för verksamheten.",
    ),
    "a harm test": (
        with_breaks(harm_tests=frozenset({"reverse"})),
        WORDING + "bryter nu även sekretess med omvänt skaderekvisit.",
    ),
    "the chapter it stands in": (with_rule(chapter=11), CALLED + "kapitel: nu 11; förut 10."),
    "a general exit": (with_rule(general=True), CALLED + "allmän utväg: nu ja; förut nej."),
    "a title": (
        with_rule(title=Text("Ny rubrik", "New title")),
        CALLED + f"rubrik: nu Ny rubrik; förut {RULE.title.sv}",
    ),
    "only to other sectors": (
        with_wording(other_sector=not SAID.other_sector),
        WORDING + "bara mellan olika sektorer: nu ja; förut nej.",
    ),
    "companies that are named": (
        with_wording(equated_from=frozenset({"public-transport"})),
        WORDING + "binder nu även bolag inom allmän samfärdsel.",
    ),
    "a source": (with_rule(source="S9"), CALLED + "källa: nu S9; förut S1."),
    "a harm test of a lock": (
        with_lock(wordings=(dataclasses.replace(LOCK.wordings[0], harm_test="straight"), *LOCK.wordings[1:])),
        LOCKED + "lydelsen från 2009-06-30: skaderekvisit: nu rakt skaderekvisit; förut omvänt skaderekvisit.",
    ),
    "a lock that reaches further": (
        with_lock(applies=LOCK.applies | {("school", "concern-report"), ("school", "camera")}),
        LOCKED + "gäller nu även kamerabevakning / orosanmälan hos skola.",
    ),
    "a lock closed to a chapter": (
        with_lock(closed_to_chapters=frozenset({10})),
        LOCKED + "bryts inte längre av kapitel 10.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", ONE_SLIP)
def test_one_slip_is_one_sentence_that_names_it(slip: str):
    changed, expected = ONE_SLIP[slip]
    assert told(LAW, changed) == [expected]


def test_equal_laws_have_nothing_to_tell():
    assert told(LAW, dataclasses.replace(LAW, version="with another comment")) == []


def test_change_is_told_in_english_too():
    (said,) = told(LAW, ONE_SLIP["may becomes shall"][0], "en")
    assert said == (
        "Changed: the provision 10 kap. 15 a § OSL (osl-10-15a): the wording from 2025-12-01: type: now shall be "
        "disclosed (a duty); before may be disclosed."
    )


def test_rule_that_is_gone_or_new_is_named_with_its_title():
    without = with_gone(RULE.id)
    assert told(LAW, without) == [f"Utgår: bestämmelsen 10 kap. 15 a § OSL (osl-10-15a), ”{RULE.title.sv}”"]
    assert told(without, LAW) == [f"Tillkommer: bestämmelsen 10 kap. 15 a § OSL (osl-10-15a), ”{RULE.title.sv}”"]


def test_new_wording_is_told_by_what_it_changes_in_the_one_before():
    ended = dataclasses.replace(SAID, until=date(2027, 1, 1))
    later = dataclasses.replace(SAID, valid_from=date(2027, 1, 1), type="shall")
    changed = with_rule(wordings=(ended, later))
    assert told(LAW, changed) == [
        WORDING + "gäller till och med: nu 2026-12-31; förut tills vidare.",
        CALLED + "tillkommer: lydelsen från 2027-01-01.",
        CALLED + "lydelsen från 2027-01-01: slag: nu ska lämnas (uppgiftsskyldighet); förut får lämnas (möjlighet).",
    ]
    assert CALLED + "utgår: lydelsen från 2027-01-01." in told(changed, LAW)


def test_attestations_in_another_order_are_told():
    (said,) = told(LAW, with_wording(attestations=SAID.attestations[::-1]))
    assert "(i annan ordning)" in said


@pytest.mark.parametrize(
    ("attribute", "changed", "expected"),
    [
        ("sectors", {**LAW.sectors, "fire": Text("räddningstjänst", "fire")},
         "Tillkommer: sektorn `fire`: räddningstjänst."),
        ("authorities", LAW.authorities - {"school"}, "Ändras: skola räknas inte längre som myndighet."),
        ("authorities", LAW.authorities | {"private"}, "Ändras: enskild aktör räknas nu som myndighet."),
        ("state_authorities", LAW.state_authorities - {"customs"},
         "Ändras: Tullverket räknas inte längre som statlig myndighet."),
        ("state_authorities", LAW.state_authorities | {"school"}, "Ändras: skola räknas nu som statlig myndighet."),
        ("purposes", {**LAW.purposes, "statistics": Text("x", "x")},
         "Ändras: ändamålet `statistics`: nu x; förut statistik och uppföljning."),
        ("kinds", {**LAW.kinds, "place": dataclasses.replace(LAW.kinds["place"], level="protected")},
         "Ändras: uppgiftsslaget `place`: nu plats (skyddas); förut plats (delas)."),
        ("attestations", {**LAW.attestations, "a": Text("b", "c")}, "Tillkommer: anteckningen `a`: b."),
        ("sources", {**LAW.sources, "S99": Text("b", "c")}, "Tillkommer: källan `S99`: b."),
        ("confidences", {**LAW.confidences, "Q": Text("b", "c")}, "Tillkommer: säkerhetsgraden `Q`: b."),
        ("references", {**LAW.references, "osl-1-1": "1 kap. 1 § OSL"},
         "Tillkommer: den åberopade regeln `osl-1-1`: 1 kap. 1 § OSL."),
        ("left_out", (*LAW.left_out, LeftOut("1 § X", Text("skäl", "why"), date(2030, 1, 1))),
         "Tillkommer: den utelämnade regeln `1 § X`: skäl (väntas 2030-01-01)."),
        ("no_secrecy", {**LAW.no_secrecy, ("police", "camera"): Text("skäl", "why")},
         "Tillkommer: svaret ”ingen sekretessregel” för kamerabevakning hos Polismyndigheten: skäl."),
        ("fields", {key: field for key, field in LAW.fields.items() if key != ("individual", "contact")},
         "Utgår: fältet `individual.contact`: slag person-contact, hålls av den som raden anger, gäller en person."),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)  # fmt: skip
def test_change_of_a_list_is_told(attribute, changed, expected):
    assert told(LAW, dataclasses.replace(LAW, version="changed", **{attribute: changed})) == [expected]


def test_every_attribute_of_the_law_has_words():
    """An attribute that is added to the model and forgotten here would change the law in silence."""
    spoken = {
        slip_field.name
        for holder in (RULE, SAID, SAID.breaks, LOCK, LOCK.wordings[0], LAW)
        for slip_field in dataclasses.fields(holder)
    } | {field.name for field in dataclasses.fields(OpenQuestion)}
    known = {
        "id", "version", "citation", "title", "chapter", "general", "wordings", "source", "confidence", "note",
        "valid_from", "until", "type", "from_sectors", "to_sectors", "purposes", "breaks", "kinds", "age_from",
        "age_below", "initiative", "attestations", "open_questions", "everything", "rules", "chapters", "protects",
        "harm_tests", "excepts", "applies", "closed_to_chapters", "not_held", "harm_test", "number", "secrecy",
        "other_sector", "equated_from", "equated",
        "text", "sectors", "authorities", "fields", "no_secrecy", "provisions", "sources", "confidences", "references",
        "left_out", "state_authorities",
    }  # fmt: skip
    assert spoken == known


def _heard(chosen, directory):
    """Slips of the law files that the catalogue lets pass, with what is said of each."""
    laws = Mutated(directory / "law")
    for mutant in chosen:
        try:
            mutated = laws.load(mutant)
        except LawError:
            continue
        yield mutant, told(LAW, mutated)


def _settle(heard):
    assert [str(mutant) for mutant, said in heard if not said] == [], "nothing is said of these"
    for mutant, said in heard:
        folder, _, file = mutant.file.rpartition("/")
        if folder:
            assert any(f"({file.removesuffix('.toml')})" in one for one in said), mutant


def test_any_slip_in_the_law_files_is_told(tmp_path):
    heard = list(_heard(random.Random(SEED).sample(list(mutants()), 80), tmp_path))
    assert len(heard) > 20
    _settle(heard)


@pytest.mark.long
def test_every_slip_in_the_law_files_is_told(tmp_path):
    _settle(list(_heard(mutants(), tmp_path)))


# --- outcomes ------------------------------------------------------------------------------------------------------

SMALL = small(LAW)
OLD = matrix(SMALL)
DAYS = [date(2025, 11, 30), date(2025, 12, 1), date(2025, 12, 2), date(2026, 11, 20)]


def effects_of(changed):
    return effects(OLD, matrix(small(changed)))


def sentences_of(changed, language="sv"):
    names = Names(SMALL, small(changed))
    return [getattr(in_words(effect, names), language) for effect in effects_of(changed)]


def answers_of(found):
    """What a matrix says of each cell on some days."""
    return {
        (holder, recipient, purpose, kind, band, day): row.answer
        for row in found.rows
        for holder in row.holders
        for recipient in row.recipients
        for purpose in row.purposes
        for kind in row.kinds
        for band in row.bands
        for day in DAYS
        if row.in_force(day)
    }


def cells_of(effect):
    return {
        (holder, recipient, purpose, kind, band, day)
        for holder in effect.holders
        for recipient in effect.recipients
        for purpose in effect.purposes
        for kind in effect.kinds
        for band in effect.bands
        for day in DAYS
        if (effect.valid_from or date.min) <= day < (effect.until or date.max)
    }


@pytest.mark.parametrize("slip", ONE_SLIP)
def test_effects_are_exactly_the_cells_whose_answer_differs(slip: str):
    changed = ONE_SLIP[slip][0]
    before, after = answers_of(OLD), answers_of(matrix(small(changed)))
    told_of: dict = {}
    for effect in effects_of(changed):
        for cell in cells_of(effect):
            assert cell not in told_of, "told twice"
            told_of[cell] = effect.step
    assert set(told_of) == {cell for cell in before if after[cell] != before[cell]}
    for cell, step in told_of.items():
        assert (step.was, step.now) == (before[cell].outcome, after[cell].outcome)
        assert set(step.gained) == set(after[cell].provisions) - set(before[cell].provisions)


def test_slips_that_change_outcomes_are_among_those_tried():
    changing = {slip for slip in ONE_SLIP if effects_of(ONE_SLIP[slip][0])}
    assert {"a dropped exception", "a widened recipient", "a shifted date", "a limit to kinds", "an age"} <= changing
    assert not changing & {"may becomes shall", "an attestation", "a title", "a source"}


def test_effect_is_a_sentence_that_an_officer_can_read():
    changed = ONE_SLIP["a widened recipient"][0]
    said = changes(SMALL, small(changed), "sv")
    assert said.rules == (ONE_SLIP["a widened recipient"][1],)
    assert said.outcomes == tuple(sentences_of(changed))
    assert (
        "Från 2025-12-01: alla myndigheter → enskild aktör; ändamål: förebygga, förhindra eller upptäcka brottslig "
        "verksamhet / utreda brott; uppgift: kamerabevakning: var spärrat, kräver nu beslut (10 kap. 15 a § OSL)."
    ) in said.outcomes
    assert (
        "From 2025-12-01: all authorities → private actor; purpose: prevent, hinder or detect crime / investigate "
        "crime; kind: camera material: was withheld, now needs a decision (10 kap. 15 a § OSL)."
    ) in sentences_of(changed, "en")


def test_closing_is_told_as_well_as_opening():
    wider = small(ONE_SLIP["a widened recipient"][0])
    opened, closed = effects(OLD, matrix(wider)), effects(matrix(wider), OLD)
    assert {(effect.step.was, effect.step.now) for effect in opened} == {("withheld", "needs-decision")}
    assert {(effect.step.was, effect.step.now) for effect in closed} == {("needs-decision", "withheld")}
    said = [in_words(effect, Names(wider, SMALL)).sv for effect in closed]
    assert all(one.endswith("krävde beslut, är nu spärrat (inte längre 10 kap. 15 a § OSL).") for one in said)


def test_effect_on_some_ages_names_them():
    younger, older = with_wording(age_below=15), with_wording(age_from=70)
    # An age that is not known closes nothing: it is an attestation.
    assert {band.first >= 15 for effect in effects_of(younger) for band in effect.bands} == {True}
    assert {band.below <= 70 for effect in effects_of(older) for band in effect.bands} == {True}
    assert any("; 15 år eller äldre: " in one for one in sentences_of(younger))
    assert any("; under 70 år: " in one for one in sentences_of(older))
    assert any("; under 18 år / okänd ålder: " in one for one in sentences_of(with_gone("sol-19-1")))


def test_secrecy_that_ends_is_told_as_a_law_that_is_no_longer_known():
    ended = with_lock(wordings=(dataclasses.replace(LOCK.wordings[-1], until=date(2027, 1, 1)),))
    sentences = sentences_of(ended)
    assert any("krävde beslut, är nu spärrat; " in one for one in sentences)
    assert all("lagen för den tiden är inte längre känd" in one for one in sentences)
    assert all(one.startswith("Från 2027-01-01: ") for one in sentences)


def test_lock_that_falls_away_is_told():
    lifted = with_lock(applies=LOCK.applies - {("social-services", "person-circumstance")})
    sentences = "\n".join(sentences_of(lifted))
    assert "var spärrat, är inte längre sekretessbelagt; låses inte längre av 26 kap. 1 § OSL" in sentences
    assert "krävde beslut, är inte längre sekretessbelagt; öppnas inte längre av " in sentences


def test_provisions_that_open_only_together_are_told_so():
    def breaking(identity, chapter):
        rule = LAW.provisions[identity]
        only = [
            dataclasses.replace(said.breaks, everything=False, chapters=frozenset({chapter})) for said in rule.wordings
        ]
        parted = zip(rule.wordings, only, strict=True)
        return dataclasses.replace(
            rule, wordings=tuple(dataclasses.replace(said, breaks=breaks) for said, breaks in parted)
        )

    rules = {identity: breaking(identity, n) for identity, n in (("osl-10-27", 18), ("osl-10-15a", 35))}
    parted = dataclasses.replace(LAW, version="parted", provisions={**LAW.provisions, **rules})
    police = [one for one in sentences_of(parted) if "Polismyndigheten → " in one and "personligt" in one]
    assert any("öppnas nu bara tillsammans av 10 kap. 15 a § OSL, 10 kap. 27 § OSL" in one for one in police), police


def test_cells_that_only_one_law_knows_are_not_compared():
    drone = dataclasses.replace(LAW.kinds["place"], id="drone")
    assert effects(OLD, matrix(dataclasses.replace(SMALL, kinds={**SMALL.kinds, "drone": drone}))) == ()


def test_table_that_is_committed_tells_the_same_as_the_law_it_was_made_from():
    whole = matrix_of(LAW)
    table = from_csv(as_csv(whole.rows, whole.axes, line_end="\n"), whole.axes)
    assert effects(table, whole) == ()
    assert outcomes(table, whole, Names(LAW, LAW), "sv") == ()


@pytest.mark.parametrize(
    ("start", "until", "said"),
    [
        (None, None, "Alltid"),
        (None, date(2009, 6, 30), "Till och med 2009-06-29"),
        (date(2025, 12, 1), None, "Från 2025-12-01"),
        (date(2025, 12, 1), date(2026, 7, 1), "Från 2025-12-01 till och med 2026-06-30"),
    ],
)
def test_period_ends_on_its_last_day(start, until, said):
    assert period(start, until).sv == said


def test_sentence_has_one_full_stop():
    assert sentence(Text("a", "b.")) == Text("a.", "b.")
    assert sentence(Text("”a.”", "“b.”")) == Text("”a.”", "“b.”")


def test_sectors_are_named_by_the_circle_that_they_make():
    names = Names(LAW, LAW)
    assert names.of_sectors(LAW.authorities).sv == "alla myndigheter"
    assert names.of_sectors(LAW.authorities - {"school"}).sv == "alla myndigheter utom skola"
    assert names.of_sectors(tuple(LAW.sectors)).sv == "alla"
    assert names.of_sectors(set(LAW.sectors) - {"school"}).sv == "alla utom skola"
    assert names.of_sectors(("school", "nobody-knows")).sv == "skola, nobody-knows"
    assert names.of_sectors(()).sv == "ingen"
