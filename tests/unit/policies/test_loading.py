"""What stands in the law files is what the loaded law says: read a second time, key by key, with no code of ours."""

import tomllib
from pathlib import Path

import pytest

from policies.catalogue import law
from policies.model import Text

LAW = law()
FOLDER = Path(__file__).resolve().parents[3] / "policies" / "law"


def read(path):
    return tomllib.loads(path.read_text("utf-8"))


TERMS, FIELDS = read(FOLDER / "terms.toml"), read(FOLDER / "fields.toml")
SECRECY = {path.stem: read(path) for path in sorted((FOLDER / "secrecy").glob("*.toml"))}
PROVISIONS = {path.stem: read(path) for path in sorted((FOLDER / "provisions").glob("*.toml"))}
SECTORS = list(TERMS["sectors"])
AUTHORITIES = [sector for sector, row in TERMS["sectors"].items() if row["authority"]]


def text(row):
    return None if row is None else Text(row["sv"], row["en"])


def sectors(named):
    """A list of sectors, or the word for many of them."""
    return {"authorities": set(AUTHORITIES), "anyone": set(SECTORS)}[named] if isinstance(named, str) else set(named)


def test_terms_are_those_of_the_file_in_its_order():
    assert list(LAW.sectors) == SECTORS
    assert sorted(LAW.authorities) == sorted(AUTHORITIES)
    assert list(LAW.purposes.items()) == [(name, text(row)) for name, row in TERMS["purposes"].items()]
    found = [(kind.id, kind.level, kind.title, kind.search_ban) for kind in LAW.kinds.values()]
    kinds = TERMS["kinds"].items()
    assert found == [(name, row["level"], text(row), tuple(row.get("search_ban", ()))) for name, row in kinds]


def test_fields_are_those_of_the_file_in_its_order():
    stated = {
        (resource, name): (
            row["kind"], row.get("holder", "row"), tuple(row.get("sources", [])), rows.get("individual", False),
            row.get("key", False),
        )
        for resource, rows in FIELDS.items()
        for name, row in rows.items()
        if name != "individual"
    }  # fmt: skip
    found = {
        place: (field.kind.id, field.holder, field.sources, field.individual, field.key)
        for place, field in LAW.fields.items()
    }
    assert found == stated
    assert [field.name for field in LAW.fields_of("individual")] == [
        name for name in FIELDS["individual"] if name != "individual"
    ]


def test_every_file_is_one_rule_and_every_rule_one_file():
    assert sorted(LAW.secrecy) == sorted(SECRECY)
    assert sorted(LAW.provisions) == sorted(PROVISIONS)


@pytest.mark.parametrize("name", SECRECY)
def test_secrecy_rule_says_what_its_file_says(name):
    row, rule = SECRECY[name], LAW.secrecy[name]
    pairs = {(sector, kind) for held in row.get("applies", []) for sector in held["sectors"] for kind in held["kinds"]}
    assert rule.applies == pairs
    assert text(row.get("not_held")) == rule.not_held
    assert (rule.id, rule.citation, rule.title) == (name, row["citation"], text(row["title"]))
    assert (rule.chapter, rule.protects) == (row["chapter"], row["protects"])
    assert rule.closed_to_chapters == set(row.get("closed_to_chapters", []))
    assert (rule.source, rule.confidence, rule.note) == (row["source"], row["confidence"], text(row.get("note")))
    wordings = [(said.valid_from, said.until, said.harm_test) for said in rule.wordings]
    assert wordings == [(said["from"], said.get("until"), said["harm_test"]) for said in row["wording"]]


@pytest.mark.parametrize("name", PROVISIONS)
def test_provision_says_what_its_file_says(name):
    row, rule = PROVISIONS[name], LAW.provisions[name]
    assert (rule.id, rule.citation, rule.title) == (name, row["citation"], text(row["title"]))
    assert (rule.chapter, rule.general) == (row.get("chapter"), row.get("general", False))
    assert (rule.source, rule.confidence, rule.note) == (row["source"], row["confidence"], text(row.get("note")))
    assert len(rule.wordings) == len(row["wording"])
    for said, stated in zip(rule.wordings, row["wording"], strict=True):
        assert (said.valid_from, said.until, said.type) == (stated["from"], stated.get("until"), stated["type"])
        assert said.from_sectors == sectors(stated["from_sectors"])
        assert said.to_sectors == sectors(stated["to_sectors"])
        assert said.other_sector == stated.get("other_sector", False)
        assert said.equated_from == set(stated.get("equated_from_sectors", []))
        assert said.purposes == (None if stated["purposes"] == "any" else set(stated["purposes"]))
        assert said.kinds == (set(stated["kinds"]) if "kinds" in stated else None)
        subject = stated.get("subject", {})
        assert (said.age_from, said.age_below) == (subject.get("age_from"), subject.get("age_below"))
        assert said.initiative == set(stated["initiative"])
        assert said.attestations == tuple(stated["attestations"])
        breaks = stated["breaks"]
        assert said.breaks.everything == breaks.get("everything", False)
        for part in ("rules", "protects", "harm_tests", "excepts"):
            assert getattr(said.breaks, part) == set(breaks.get(part, [])), part
        spans = breaks.get("chapters", [])
        assert said.breaks.chapters == {chapter for first, last in spans for chapter in range(first, last + 1)}
        questions = [
            (asked.number, asked.purposes, asked.secrecy, asked.from_sectors, asked.to_sectors, asked.equated,
             asked.text)
            for asked in said.open_questions
        ]  # fmt: skip
        assert questions == [
            (asked["number"], *(set(asked.get(limit, [])) for limit in ("purposes", "secrecy", "from_sectors",
             "to_sectors")), asked.get("equated", False), text(asked["text"]))
            for asked in stated.get("open_question", [])
        ]  # fmt: skip


@pytest.mark.parametrize("name", PROVISIONS)
def test_a_provision_file_has_no_key_that_the_test_above_leaves_unread(name):
    row = PROVISIONS[name]
    read_here = {"id", "citation", "title", "chapter", "general", "source", "confidence", "note", "wording"}
    assert set(row) <= read_here | {"attestations"}
    assert row.get("attestations", {}).keys() <= LAW.attestations.keys()
    said = {
        "from", "until", "type", "from_sectors", "to_sectors", "other_sector", "equated_from_sectors", "purposes",
        "kinds", "subject", "initiative", "attestations", "breaks", "open_question",
    }  # fmt: skip
    assert {key for stated in row["wording"] for key in stated} <= said


def test_attestations_are_the_common_ones_and_those_of_single_provisions():
    stated = read(FOLDER / "attestations.toml")
    for row in PROVISIONS.values():
        stated |= row.get("attestations", {})
    assert dict(LAW.attestations) == {name: text(row) for name, row in stated.items()}


def test_no_secrecy_is_what_its_file_says():
    rows = read(FOLDER / "no_secrecy.toml")["none"]
    stated = {(sector, kind): text(row["why"]) for row in rows for sector in row["sectors"] for kind in row["kinds"]}
    assert dict(LAW.no_secrecy) == stated


def test_what_explains_codes_and_what_is_left_out_is_what_the_files_say():
    codes = read(FOLDER / "sources.toml")
    assert dict(LAW.sources) == {code: text(row) for code, row in codes["sources"].items()}
    assert dict(LAW.confidences) == {code: text(row) for code, row in codes["confidences"].items()}
    assert dict(LAW.references) == read(FOLDER / "references.toml")["references"]
    found = [(left.citation, left.why, left.planned) for left in LAW.left_out]
    rows = read(FOLDER / "left_out.toml")["left_out"]
    assert found == [(row["citation"], text(row["why"]), row.get("planned")) for row in rows]
