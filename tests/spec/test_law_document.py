"""The document for lawyers says all that the law files say, is up to date, and changes whenever a rule does."""

import dataclasses
import os
import re
import secrets
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from policies.assess import assess_provision
from policies.catalogue import law
from policies.document.fields import fields as fields_section
from policies.document.rules import reaches
from policies.document.swedish import FIELDS, RESOURCES, day, last_day
from policies.document.text import document
from policies.document.words import Words
from policies.model import (
    Condition,
    LeftOut,
    OpenQuestion,
    Provision,
    Question,
    SecrecyRule,
    SecrecyWording,
    Text,
    Wording,
)

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")

ROOT = Path(__file__).resolve().parents[2]
LAW = law()
DOCUMENT = document(LAW)
RULES = [*LAW.secrecy.values(), *LAW.provisions.values()]


def section(anchor: str) -> str:
    """What stands under one heading, up to the next of its level or above."""
    start = re.search(rf'^(#+) <a id="{re.escape(anchor)}"></a>', DOCUMENT, re.MULTILINE)
    assert start is not None, f"no heading has the anchor {anchor}"
    following = re.compile(rf"^#{{1,{len(start[1])}}} ", re.MULTILINE).search(DOCUMENT, start.end())
    return DOCUMENT[start.start() : following.start() if following else None]


def shown(text: str) -> str:
    """A text of the law files as it stands in the document."""
    return re.sub(r"([\\`*_\[\]|])", r"\\\1", " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;"))


def test_committed_document_is_the_one_the_law_files_give():
    committed = (ROOT / "policies" / "law.md").read_text(encoding="utf-8")
    assert committed == DOCUMENT, "policies/law.md is stale: run `samsyn contracts`"


def test_document_names_the_version_of_the_law():
    assert LAW.version in DOCUMENT


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_an_entry_with_title_dates_source_and_confidence(rule):
    entry = section(rule.id)
    heading = entry.partition("\n")[0].lower()
    assert shown(rule.citation).lower() in heading
    assert shown(rule.title.sv).lower() in heading
    assert f"`{rule.id}`" in entry
    for code in rule.source.split(", "):
        assert f"[{code}](#kalla-{code.lower()})" in entry
    assert f"[{rule.confidence}](#sakerhet-" in entry
    for wording in rule.wordings:
        assert day(wording.valid_from) in entry
        assert last_day(wording.until) in entry
    if rule.note is not None:
        assert shown(rule.note.sv) in entry


@pytest.mark.parametrize("rule", LAW.secrecy.values(), ids=lambda rule: rule.id)
def test_secrecy_entry_says_whom_it_binds_or_why_it_locks_nothing(rule):
    entry = section(rule.id)
    assert (rule.not_held is None) == ("Låser inget i Samsyn" not in entry)
    if rule.not_held is not None:
        assert shown(rule.not_held.sv) in entry
    for sector, kind in rule.applies:
        everybody = {owner for owner, covered in rule.applies if covered == kind} == LAW.authorities
        assert everybody or LAW.sectors[sector].sv.lower() in entry.lower(), sector
        assert LAW.kinds[kind].title.sv in entry, kind


@pytest.mark.parametrize("provision", LAW.provisions.values(), ids=lambda provision: provision.id)
def test_provision_entry_says_what_must_be_written_down_and_what_is_open(provision):
    entry = section(provision.id)
    for wording in provision.wordings:
        for name in wording.attestations:
            assert shown(LAW.attestations[name].sv) in entry, name
        for asked in wording.open_questions:
            assert shown(asked.text.sv) in entry
            assert shown(asked.text.sv) in section(f"fraga-{asked.number}")
        for identity in wording.breaks.rules | wording.breaks.excepts:
            assert identity in LAW.references or f"](#{identity})" in entry, identity
        assert ("ska lämnas" if wording.type == "shall" else "får lämnas") in entry


def test_every_day_on_which_the_law_changes_is_in_the_calendar():
    days = {end for rule in RULES for wording in rule.wordings for end in (wording.valid_from, wording.until) if end}
    calendar = section("kalender")
    dated = re.findall(r'^### <a id="dag-([0-9-]+)"></a>(.+)$', calendar, re.MULTILINE)
    assert dated == [(when.isoformat(), day(when)) for when in sorted(days)]
    for rule in RULES:
        for wording in rule.wordings:
            assert f"](#{rule.id})" in section(f"dag-{wording.valid_from}"), rule.id


def test_every_field_of_every_resource_is_listed_with_its_kind():
    for (resource, name), field in LAW.fields.items():
        line = next(line for line in section(f"uppgifter-{resource}").splitlines() if f"(`{name}`)" in line)
        assert LAW.kinds[field.kind.id].title.sv in line


def test_secrecy_of_every_field_at_every_holder_is_listed():
    for field in LAW.fields.values():
        if field.kind.level == "shared":
            continue
        shown_here = section(f"uppgifter-{field.resource}")
        for holder in LAW.authorities if field.holder == "row" else [field.holder]:
            for rule in LAW.secrecy_of(field.kind.id, holder):
                assert f"](#{rule.id})" in shown_here, f"{field.resource}.{field.name} at {holder}: {rule.id}"


def test_every_field_and_resource_has_a_swedish_name():
    missing = [f"{owner}.{name}" for owner, name in LAW.fields if name not in FIELDS.get(owner, {})]
    assert missing == [], "add the Swedish name in policies/document/swedish.py"
    assert {owner for owner, _ in LAW.fields} <= set(RESOURCES), "add the Swedish name in policies/document/swedish.py"


@pytest.mark.parametrize(
    ("anchor", "texts"),
    [
        ("sektorer", LAW.sectors.values()),
        ("andamal", LAW.purposes.values()),
        ("uppgiftsslag", [kind.title for kind in LAW.kinds.values()]),
        ("ingen-sekretess", LAW.no_secrecy.values()),
        ("anteckningar", LAW.attestations.values()),
        ("kallor", LAW.sources.values()),
        ("sakerhet", LAW.confidences.values()),
        ("utelamnat", [entry.why for entry in LAW.left_out]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_text_of_a_list_is_shown(anchor, texts):
    below = section(anchor).lower()
    assert [text.sv for text in texts if shown(text.sv).lower() not in below] == []


def test_future_law_is_listed_under_its_planned_day():
    future = section("kommande")
    for entry in LAW.left_out:
        assert (shown(entry.citation) in future) == (entry.planned is not None)
        assert entry.planned is None or f"| {day(entry.planned)} | {shown(entry.citation)} |" in future


def test_every_link_leads_to_an_anchor_and_no_anchor_is_used_twice():
    anchors = re.findall(r'<a id="([^"]+)"></a>', DOCUMENT)
    assert len(anchors) == len(set(anchors))
    links = set(re.findall(r"\]\(([^)]+)\)", DOCUMENT))
    assert links <= {f"#{anchor}" for anchor in anchors}


def test_a_table_has_the_same_number_of_cells_in_every_row():
    for block in DOCUMENT.split("\n\n"):
        if block.startswith("|"):
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1, block[:200]


def _opens_somewhere(provision: Provision, rule: SecrecyRule) -> bool:
    """As the engine answers: some day, some holder and kind that the rule covers, nothing said of the rest."""
    days = {wording.valid_from for wording in (*provision.wordings, *rule.wordings)}
    for when in days:
        for holder, kind in rule.applies:
            wording = provision.in_force(when)
            if wording is None or rule.in_force(when) is None:
                continue
            question = Question(holder, "", "", when, kind=kind)
            answer = assess_provision(provision, question, (rule,))
            lacks = {lack.condition for lack in answer.lacks}
            if rule.id in answer.opens and not lacks & {Condition.FROM_SECTOR, Condition.KIND, Condition.SECRECY}:
                return True
    return False


@pytest.mark.parametrize("rule", [rule for rule in LAW.secrecy.values() if rule.applies], ids=lambda rule: rule.id)
def test_provisions_said_to_break_a_rule_are_those_that_the_engine_opens_it_by(rule):
    rows = [line for line in section(rule.id).splitlines() if re.match(r"\| (Kan brytas|Allmänna utvägar)", line)]
    said = set(re.findall(r"\]\(#([^)]+)\)", "\n".join(rows)))
    assert said == {provision.id for provision in LAW.provisions.values() if _opens_somewhere(provision, rule)}


@pytest.mark.parametrize("provision", LAW.provisions.values(), ids=lambda provision: provision.id)
def test_rules_said_to_be_opened_are_those_that_the_wording_reaches(provision):
    rows = re.findall(r"^\| Öppnar i Samsyn \| (.*) \|$", section(provision.id), re.MULTILINE)
    held = {rule.id for rule in LAW.secrecy.values() if rule.applies}
    for row, wording in zip(rows, reversed(provision.wordings), strict=True):
        named = set(re.findall(r"\]\(#([^)]+)\)", row)) & held
        reached = {rule.id for rule in LAW.secrecy.values() if rule.applies and reaches(provision, wording, rule)}
        if row.startswith("ingenting"):
            assert any(asked.number for asked in wording.open_questions)
        else:
            assert (held - named if row.startswith("alla som låser") else named) == reached


# Changing the law, one attribute at a time.

ANOTHER = Text("annan lydelse av texten", "another wording of the text")


def _toggled(value, universe, pick):
    return value ^ {pick(sorted(universe))}


def _limited(value, universe, pick):
    """A condition that may be missing: another limit, or none."""
    return frozenset({pick(sorted(universe))}) if value is None else pick([None, _toggled(value, universe, pick)])


def _changed_text(text):
    return None if text is None else Text(f"{text.sv} Och mer.", text.en)


REFERRED = {*LAW.secrecy, *LAW.references}
PAIRS = {(sector, kind) for sector in LAW.sectors for kind in LAW.kinds}
INITIATIVES = {"on-request", "own-initiative"}
TESTS = {"straight": "reverse", "reverse": "absolute", "absolute": "straight"}
ONE_DAY = timedelta(days=1)


def _breaks(value, pick):
    part = pick([field.name for field in dataclasses.fields(value)])
    changed = {
        "everything": lambda now: not now,
        "rules": lambda now: _toggled(now, REFERRED, pick),
        "chapters": lambda now: _toggled(now, range(1, 45), pick),
        "protects": lambda now: _toggled(now, {"individual", "operation"}, pick),
        "harm_tests": lambda now: _toggled(now, {"straight", "reverse"}, pick),
        "excepts": lambda now: _toggled(now, REFERRED, pick),
    }[part]
    return dataclasses.replace(value, **{part: changed(getattr(value, part))})


def _question(value, pick):
    part = pick([field.name for field in dataclasses.fields(value)])
    changed = {
        "number": lambda now: now + 10,
        "purposes": lambda now: _toggled(now, LAW.purposes, pick),
        "secrecy": lambda now: _toggled(now, LAW.secrecy, pick),
        "from_sectors": lambda now: _toggled(now, LAW.sectors, pick),
        "to_sectors": lambda now: _toggled(now, LAW.sectors, pick),
        "equated": lambda now: not now,
        "text": _changed_text,
    }[part]
    return dataclasses.replace(value, **{part: changed(getattr(value, part))})


def _questions(value, pick):
    if not value:
        return (OpenQuestion(9, frozenset(), frozenset(), frozenset(), frozenset(), equated=False, text=ANOTHER),)
    return pick([(), tuple(_question(asked, pick) for asked in value)])


def _attestations(value, pick):
    return (
        pick([value[1:], (*value, pick(sorted(set(LAW.attestations) - set(value))))]) if value else ("consent-given",)
    )


def _until(value, pick):
    return date(2040, 1, 1) if value is None else pick([None, value + ONE_DAY])


def _age(value, pick):
    return pick(range(1, 100)) if value is None else pick([None, value + 1])


WORDING = {
    "valid_from": lambda now, pick: now + pick([-1, 1]) * ONE_DAY,
    "until": _until,
    "type": lambda now, pick: "may" if now == "shall" else "shall",
    "from_sectors": lambda now, pick: _toggled(now, LAW.sectors, pick),
    "to_sectors": lambda now, pick: _toggled(now, LAW.sectors, pick),
    "purposes": lambda now, pick: _limited(now, LAW.purposes, pick),
    "breaks": _breaks,
    "kinds": lambda now, pick: _limited(now, LAW.kinds, pick),
    "age_from": _age,
    "age_below": _age,
    "initiative": lambda now, pick: _toggled(now, INITIATIVES, pick),
    "attestations": _attestations,
    "open_questions": _questions,
    "other_sector": lambda now, pick: not now,
    "equated_from": lambda now, pick: _toggled(now, LAW.sectors, pick),
}
STAGE = {
    "valid_from": WORDING["valid_from"],
    "until": _until,
    "harm_test": lambda now, pick: TESTS[now],
}


def _one_of(parts, table, pick):
    """The wordings with one attribute of one of them changed."""
    place = pick(range(len(parts)))
    name = pick([field.name for field in dataclasses.fields(parts[place])])
    changed = dataclasses.replace(parts[place], **{name: table[name](getattr(parts[place], name), pick)})
    return (*parts[:place], changed, *parts[place + 1 :])


RULE = {
    "id": lambda now, pick: f"{now}-9",
    "citation": lambda now, pick: f"99 kap. {now}",
    "title": lambda now, pick: _changed_text(now),
    "chapter": lambda now, pick: 1 if now is None else pick([now + 1, now - 1]),
    "source": lambda now, pick: pick(sorted({*LAW.sources, "S1, S2"} - {now})),
    "confidence": lambda now, pick: pick(sorted(set(LAW.confidences) - {now})),
    "note": lambda now, pick: _changed_text(now) or ANOTHER,
    # of provisions
    "general": lambda now, pick: not now,
    # of secrecy rules
    "protects": lambda now, pick: "individual" if now == "operation" else "operation",
    "applies": lambda now, pick: _toggled(now, PAIRS, pick),
    "closed_to_chapters": lambda now, pick: _toggled(now, range(1, 45), pick),
    "not_held": lambda now, pick: _changed_text(now) or ANOTHER,
}


@settings(max_examples=200, deadline=None, print_blob=True, database=None)
@seed(SEED)
@given(st.data())
def test_changing_any_attribute_of_any_rule_changes_the_document(data):
    def pick(values):
        return data.draw(st.sampled_from(list(values)))

    rule = pick(RULES)
    name = pick([field.name for field in dataclasses.fields(rule)])
    if name == "wordings":
        value = _one_of(rule.wordings, WORDING if isinstance(rule, Provision) else STAGE, pick)
    else:
        value = RULE[name](getattr(rule, name), pick)
    changed = dataclasses.replace(rule, **{name: value})
    part = "provisions" if isinstance(rule, Provision) else "secrecy"
    rules = [changed if one is rule else one for one in getattr(LAW, part).values()]
    # What names a rule by its id keeps finding it there.
    named = {one.id: one for one in rules} | ({rule.id: changed} if name == "id" else {})
    assert document(dataclasses.replace(LAW, **{part: named})) != DOCUMENT


LISTS = {
    "sectors": _changed_text,
    "purposes": _changed_text,
    "attestations": _changed_text,
    "sources": _changed_text,
    "confidences": _changed_text,
    "no_secrecy": _changed_text,
    "kinds": lambda kind: dataclasses.replace(kind, title=_changed_text(kind.title)),
    "references": lambda citation: f"99 kap. {citation}",
}


@pytest.mark.parametrize("part", LISTS)
def test_changing_any_word_of_the_lists_changes_the_document(part):
    words = getattr(LAW, part)
    for key, value in words.items():
        assert document(dataclasses.replace(LAW, **{part: dict(words) | {key: LISTS[part](value)}})) != DOCUMENT, key


@pytest.mark.parametrize("sector", LAW.sectors)
def test_document_says_which_sectors_are_authorities(sector):
    assert document(dataclasses.replace(LAW, authorities=LAW.authorities ^ {sector})) != DOCUMENT


@pytest.mark.parametrize("kind", LAW.kinds)
def test_document_says_what_nobody_may_search_by_and_why(kind):
    banned = LAW.kinds[kind].search_ban
    for ban in {(*banned, "1 kap. 1 §"), banned[:-1]} - {banned}:
        changed = dataclasses.replace(LAW.kinds[kind], search_ban=ban)
        assert document(dataclasses.replace(LAW, kinds=dict(LAW.kinds) | {kind: changed})) != DOCUMENT
    line = next(line for line in section("uppgiftsslag").splitlines() if f"`{kind}`" in line)
    assert all(shown(one) in line for one in banned)


def test_changing_any_attribute_of_any_field_changes_the_document():
    other = {
        "kind": lambda now: LAW.kinds["camera"],
        "holder": lambda now: "school",
        "sources": lambda now: (*now, "scene.name"),
        "individual": lambda now: not now,
        "key": lambda now: not now,
    }
    assert {"resource", "name", *other} == {field.name for field in dataclasses.fields(LAW.fields["scene", "id"])}
    said = fields_section(Words(LAW))
    assert said in DOCUMENT
    for place, field in LAW.fields.items():
        for name, change in other.items():
            changed = dataclasses.replace(field, **{name: change(getattr(field, name))})
            other_law = dataclasses.replace(LAW, fields=dict(LAW.fields) | {place: changed})
            # The section alone, which stands in the document: all of it takes long to make so many times.
            assert fields_section(Words(other_law)) != said, place


def test_changing_what_is_left_out_changes_the_document():
    changes = {"citation": "annan", "why": ANOTHER, "planned": date(2030, 1, 1)}
    assert set(changes) == {field.name for field in dataclasses.fields(LeftOut)}
    for place, entry in enumerate(LAW.left_out):
        for name, value in changes.items():
            changed = dataclasses.replace(entry, **{name: value})
            left_out = (*LAW.left_out[:place], changed, *LAW.left_out[place + 1 :])
            assert document(dataclasses.replace(LAW, left_out=left_out)) != DOCUMENT


def test_text_of_a_law_file_cannot_become_markup():
    title = Text('<b>|*fet*_|[länk](#x) `kod` & <a id="x"></a>', "")
    rule = dataclasses.replace(LAW.provisions["osl-10-27"], title=title)
    text = document(dataclasses.replace(LAW, provisions=dict(LAW.provisions) | {"osl-10-27": rule}))
    assert "<b>" not in text
    assert '<a id="x">' not in text
    assert r"&lt;b&gt;\|\*fet\*\_\|\[länk\](#x) \`kod\` &amp;" in text


def test_every_attribute_of_a_rule_is_among_those_that_are_changed():
    """A new attribute must be shown in the document: this fails at once, the generated changes only by chance."""
    named = {
        Wording: WORDING,
        SecrecyWording: STAGE,
        Provision: {*RULE, "wordings"},
        SecrecyRule: {*RULE, "wordings"},
    }
    for kind, changes in named.items():
        assert {field.name for field in dataclasses.fields(kind)} - set(changes) == set(), kind.__name__
