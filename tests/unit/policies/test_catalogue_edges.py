"""What the law directory says becomes the law, whole; and each check on both sides of its edge, over tiny files."""

import hashlib
from datetime import date
from pathlib import Path

import pytest

from policies import catalogue
from policies.catalogue import LawError, load
from policies.model import Field, LeftOut, SecrecyWording, Text

SAID = Text("ja", "yes")
TEXT = '{ sv = "ja", en = "yes" }'
FILES = {
    "terms.toml": """
[sectors]
police = { sv = "polis", en = "police", authority = true }
care = { sv = "vård", en = "care", authority = true }
guard = { sv = "väktare", en = "guard", authority = false }
[purposes]
prevent = { sv = "förebygga", en = "prevent" }
count = { sv = "räkna", en = "count" }
[kinds]
place = { sv = "plats", en = "place", level = "shared" }
name = { sv = "namn", en = "name", level = "protected" }
""",
    "fields.toml": """
[scene]
spot = { kind = "place" }
work = { kind = "name", holder = "police" }
near = { kind = "place", sources = ["scene.spot", "person.home"] }
[person]
individual = true
id = { kind = "name", key = true }
alias = { kind = "name", sources = ["person.id"] }
home = { kind = "place", key = false }
""",
    "attestations.toml": f"common = {TEXT}\n",
    "references.toml": '[references]\nosl-27-1 = "27 kap. 1 § OSL"\n',
    "no_secrecy.toml": f"""
[[none]]
sectors = ["care"]
kinds = ["name"]
why = {TEXT}
[[none]]
sectors = ["guard"]
kinds = ["name"]
why = {{ sv = "nej", en = "no" }}
""",
    "sources.toml": f"[sources]\nS1 = {TEXT}\n[confidences]\nV = {TEXT}\n",
    "left_out.toml": f"""
[[left_out]]
citation = "1 § a"
why = {TEXT}
[[left_out]]
citation = "2 § b"
why = {TEXT}
planned = 2027-01-01
""",
    "secrecy/osl-18-1.toml": f"""
id = "osl-18-1"
citation = "18 kap. 1 § OSL"
chapter = 18
protects = "operation"
source = "S1"
confidence = "V"
title = {TEXT}
closed_to_chapters = [10, 12]
note = {{ sv = "n", en = "n" }}
[[applies]]
sectors = ["police"]
kinds = ["name"]
[[wording]]
from = 2020-01-01
until = 2021-01-01
harm_test = "straight"
[[wording]]
from = 2021-01-01
harm_test = "absolute"
""",
    "secrecy/osl-25-1.toml": f"""
id = "osl-25-1"
citation = "25 kap. 1 § OSL"
chapter = 25
protects = "individual"
source = "S1"
confidence = "V"
title = {TEXT}
not_held = {{ sv = "ingen", en = "none" }}
[[wording]]
from = 2020-01-01
harm_test = "reverse"
""",
    "provisions/osl-10-1.toml": f"""
id = "osl-10-1"
citation = "10 kap. 1 § OSL"
chapter = 10
source = "S1"
confidence = "V"
title = {TEXT}
[[wording]]
from = 2020-01-01
type = "may"
from_sectors = "authorities"
to_sectors = "anyone"
purposes = "any"
breaks = {{ rules = ["osl-18-1", "osl-27-1"] }}
initiative = ["on-request"]
attestations = ["common", "own"]
[attestations]
own = {TEXT}
""",
}
FILES["provisions/osl-10-2.toml"] = (
    FILES["provisions/osl-10-1.toml"].replace("osl-10-1", "osl-10-2").replace(', "own"', "").partition("[attest")[0]
)


@pytest.fixture
def written(tmp_path: Path):
    """The directory with some files in other words: name, old text, new text."""

    def write(*changes: tuple[str, str, str]) -> Path:
        for name, text in FILES.items():
            path = tmp_path / "law" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        for name, old, new in changes:
            path = tmp_path / "law" / name
            before = path.read_text("utf-8") if path.exists() else ""
            assert old in before
            path.write_text(before.replace(old, new, 1), "utf-8")
        return tmp_path / "law"

    return write


@pytest.fixture
def refused(written):
    def told(*changes: tuple[str, str, str]) -> str:
        with pytest.raises(LawError) as error:
            load(written(*changes))
        return str(error.value)

    return told


# All that is said is read.


def test_terms_are_read(written):
    law = load(written())
    assert dict(law.sectors) == {
        "police": Text("polis", "police"), "care": Text("vård", "care"), "guard": Text("väktare", "guard"),
    }  # fmt: skip
    assert law.authorities == {"police", "care"}
    assert dict(law.purposes) == {"prevent": Text("förebygga", "prevent"), "count": Text("räkna", "count")}
    assert [(kind.id, kind.level, kind.title) for kind in law.kinds.values()] == [
        ("place", "shared", Text("plats", "place")), ("name", "protected", Text("namn", "name")),
    ]  # fmt: skip


def test_fields_are_read(written):
    law = load(written())
    place, name = law.kinds["place"], law.kinds["name"]
    assert list(law.fields.values()) == [
        Field("scene", "spot", place, "row", (), individual=False, key=False),
        Field("scene", "work", name, "police", (), individual=False, key=False),
        Field("scene", "near", place, "row", ("scene.spot", "person.home"), individual=False, key=False),
        Field("person", "id", name, "row", (), individual=True, key=True),
        Field("person", "alias", name, "row", ("person.id",), individual=True, key=False),
        Field("person", "home", place, "row", (), individual=True, key=False),
    ]
    assert [field.name for field in law.fields_of("scene")] == ["spot", "work", "near"]
    assert [field.name for field in law.fields_of("person")] == ["id", "alias", "home"]
    assert law.fields["person", "home"].key is False


def test_secrecy_is_read(written):
    law = load(written())
    assert list(law.secrecy) == ["osl-18-1", "osl-25-1"]
    rule = law.secrecy["osl-18-1"]
    assert (rule.citation, rule.title, rule.chapter, rule.protects) == ("18 kap. 1 § OSL", SAID, 18, "operation")
    assert rule.applies == {("police", "name")}
    assert rule.closed_to_chapters == {10, 12}
    assert rule.wordings == (
        SecrecyWording(date(2020, 1, 1), date(2021, 1, 1), "straight"),
        SecrecyWording(date(2021, 1, 1), None, "absolute"),
    )
    assert (rule.source, rule.confidence, rule.not_held, rule.note) == ("S1", "V", None, Text("n", "n"))
    bare = law.secrecy["osl-25-1"]
    assert (bare.applies, bare.closed_to_chapters, bare.note) == (frozenset(), frozenset(), None)
    assert bare.not_held == Text("ingen", "none")
    assert law.secrecy_of("name", "police") == (rule,)
    assert law.secrecy_of("name", "care") == ()


def test_provisions_and_what_explains_them_are_read(written):
    law = load(written())
    assert list(law.provisions) == ["osl-10-1", "osl-10-2"]
    assert law.provisions["osl-10-1"].wordings[0].from_sectors == {"police", "care"}
    assert law.provisions["osl-10-1"].wordings[0].to_sectors == {"police", "care", "guard"}
    assert dict(law.attestations) == {"common": SAID, "own": SAID}
    assert dict(law.sources) == {"S1": SAID}
    assert dict(law.confidences) == {"V": SAID}
    assert dict(law.references) == {"osl-27-1": "27 kap. 1 § OSL"}
    assert dict(law.no_secrecy) == {("care", "name"): SAID, ("guard", "name"): Text("nej", "no")}
    assert law.left_out == (LeftOut("1 § a", SAID, None), LeftOut("2 § b", SAID, date(2027, 1, 1)))


def test_one_line_of_a_secrecy_rule_covers_every_kind_at_every_sector_and_lines_add_up(written):
    terms = ("terms.toml", "name = {", 'diary = { sv = "d", en = "d", level = "protected" }\nname = {')
    rule = ("secrecy/osl-18-1.toml", 'kinds = ["name"]',
            'kinds = ["name", "diary"]\n[[applies]]\nsectors = ["care", "guard"]\nkinds = ["diary"]')  # fmt: skip
    law = load(written(terms, rule))
    assert law.secrecy["osl-18-1"].applies == {
        ("police", "name"), ("police", "diary"), ("care", "diary"), ("guard", "diary"),
    }  # fmt: skip


def test_nothing_of_the_law_can_be_changed(written):
    law = load(written())
    for table in (law.sectors, law.purposes, law.kinds, law.fields, law.secrecy, law.no_secrecy, law.provisions,
                  law.attestations, law.sources, law.confidences, law.references):  # fmt: skip
        with pytest.raises(TypeError):
            table["more"] = SAID


# The version.


def test_the_version_is_a_digest_of_names_and_bytes(written):
    directory = written()
    digest = hashlib.sha256()
    for name in sorted(FILES, key=Path):
        digest.update(name.encode() + b"\0" + FILES[name].encode() + b"\0")
    version = load(directory).version
    assert version == digest.hexdigest()[:16]
    (directory / "left_out.toml").write_text(FILES["left_out.toml"] + "\n", "utf-8")
    assert load(directory).version != version


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("more.toml", False), ("secrets/osl-1-1.toml", False), ("provisions/old/osl-1-1.toml", False), ("a.txt", True),
     ("provisions/a.txt", True)],
)  # fmt: skip
def test_a_file_that_nothing_is_read_from_is_refused(written, name, allowed):
    directory = written()
    (directory / name).parent.mkdir(exist_ok=True)
    (directory / name).write_text("", "utf-8")
    if allowed:
        load(directory)
        return
    with pytest.raises(LawError, match=f"^{name}: is no file of the law; allowed are terms.toml, fields.toml, "):
        load(directory)


def test_a_folder_in_the_place_of_a_file_is_refused(written):
    directory = written()
    (directory / "provisions" / "osl-10-1.toml").unlink()
    (directory / "provisions" / "osl-10-1.toml").mkdir()
    with pytest.raises(LawError, match=r"^provisions/osl-10-1\.toml: cannot be read: Is a directory"):
        load(directory)


@pytest.mark.parametrize("name", [name for name in FILES if "/" not in name])
def test_every_list_must_be_there(written, name):
    directory = written()
    (directory / name).unlink()
    with pytest.raises(LawError, match=f"{name}: cannot be read"):
        load(directory)


# What is refused.

_18 = "secrecy/osl-18-1.toml"


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("terms.toml", "[purposes]", "[reasons]", "`reasons`: unknown key; allowed are kinds, purposes, sectors"),
        ("terms.toml", "authority = true", "authority = 1", "`sectors.police.authority`: must be a bool, not `1`"),
        ("terms.toml", ", authority = true", "", "`sectors.police.authority`: is missing"),
        ("terms.toml", 'sv = "polis"', 'sv = ""', "`sectors.police.sv`: is empty"),
        ("terms.toml", 'en = "police"', "en = 1", "`sectors.police.en`: must be a str, not `1`"),
        ("terms.toml", "authority = true", "authority = true, x = 1", "`sectors.police.x`: unknown key"),
        ("terms.toml", "authority = true", "authority = true, state = 1", "`sectors.police.state`: must be a bool"),
        ("terms.toml", "authority = false", "authority = false, state = true",
         "`sectors.guard.state`: must be an authority"),
        ("terms.toml", 'en = "prevent"', 'e = "prevent"', "`purposes.prevent.e`: unknown key"),
        ("terms.toml", 'level = "shared"', 'level = "open"', "`kinds.place.level`: must be one of shared, protected"),
        ("terms.toml", 'level = "shared"', 'levels = "shared"', "`kinds.place.levels`: unknown key"),
        ("terms.toml", 'sv = "plats"', 'sv = " "', "`kinds.place.sv`: is empty"),
        ("terms.toml", 'en = "place"', 'en = ""', "`kinds.place.en`: is empty"),
        ("terms.toml", "[sectors]", "sectors = 1\n[purpose]", "`purpose`: unknown key"),
        ("fields.toml", "individual = true", 'individual = "yes"', "`person.individual`: must be a bool"),
        ("fields.toml", '{ kind = "place" }', '{ kind = "spot" }', "`scene.spot.kind`: unknown kind `spot`"),
        ("fields.toml", '{ kind = "place" }', "{}", "`scene.spot.kind`: is missing"),
        ("fields.toml", '{ kind = "place" }', '{ kind = "place", of = 1 }', "`scene.spot.of`: unknown key"),
        ("fields.toml", '{ kind = "place" }', '"place"', "`scene.spot`: must be a table"),
        ("fields.toml", 'holder = "police"', 'holder = "polis"', "`scene.work.holder`: unknown sector `polis`"),
        ("fields.toml", 'holder = "police"', 'holder = "zebra"', "`scene.work.holder`: unknown sector `zebra`"),
        ("fields.toml", 'holder = "police"', "holder = 1", "`scene.work.holder`: must be a str, not `1`"),
        ("fields.toml", "key = true", "key = 1", "`person.id.key`: must be a bool, not `1`"),
        ("fields.toml", '["person.id"]', '"person.id"', "`person.alias.sources`: must be a list of names"),
        ("fields.toml", '["person.id"]', "[1]", "`person.alias.sources`: must be a list of names"),
        ("fields.toml", '["person.id"]', '["person.id", 1]', "`person.alias.sources`: must be a list of names"),
        ("fields.toml", '["person.id"]', '["person.no"]', "`person.alias.sources`: unknown field `person.no`"),
        ("fields.toml", '["person.id"]', '["id"]', "`person.alias.sources`: unknown field `id`"),
        ("fields.toml", '["person.id"]', '["person.id.x"]', "`person.alias.sources`: unknown field `person.id.x`"),
        ("fields.toml", "[scene]\n", "scene = 1\n[other]\n", "`scene`: must be a dict, not `1`"),
        ("attestations.toml", "en =", "e =", "`common.e`: unknown key"),
        ("attestations.toml", "common", "own", ""),
        ("references.toml", "[references]", "[reference]", "`references`: is missing"),
        ("references.toml", '"27 kap. 1 § OSL"', '""', "`references.osl-27-1`: is empty"),
        ("references.toml", "osl-27-1 =", 'osl-25-1 = "x"\nosl-27-1 =', "`osl-25-1`: is a secrecy rule with a file"),
        ("no_secrecy.toml", "[[none]]", "[[no]]", "`no`: unknown key; allowed are none"),
        ("no_secrecy.toml", "why = ", "because = ", "`none.because`: unknown key"),
        ("no_secrecy.toml", 'sectors = ["care"]', 'sectors = ["bank"]', "`none.sectors`: unknown id `bank`"),
        ("no_secrecy.toml", 'kinds = ["name"]', 'kinds = ["weight"]', "`none.kinds`: unknown id `weight`"),
        ("no_secrecy.toml", 'sectors = ["care"]', "", "`none.sectors`: must be a list of names"),
        ("no_secrecy.toml", 'kinds = ["name"]', "", "`none.kinds`: must be a list of names"),
        ("no_secrecy.toml", f"why = {TEXT}", "", "`none.why`: is missing"),
        ("no_secrecy.toml", '["care"]', '["care", "guard"]', "`none`: `name` at `guard` is answered twice"),
        ("sources.toml", "[confidences]", "[confidence]", "`confidence`: unknown key; allowed are confidences"),
        ("sources.toml", "S1", "S2", ""),
        ("left_out.toml", "[[left_out]]", "[[out]]", "`out`: unknown key; allowed are left_out"),
        ("left_out.toml", "why = ", "because = ", "`left_out.because`: unknown key"),
        ("left_out.toml", 'citation = "1 § a"', "", "`left_out.citation`: is missing"),
        ("left_out.toml", f"why = {TEXT}", "", "`left_out.why`: is missing"),
        ("left_out.toml", "2027-01-01", "2027", "`left_out.planned`: must be a date, not `2027`"),
        (_18, "closed_to_chapters = [10, 12]", "closed = [10, 12]", "`closed`: unknown key"),
        (_18, "closed_to_chapters = [10, 12]", "closed_to_chapters = [0]", "`closed_to_chapters`: must be a list"),
        (_18, "chapter = 18", "chapter = 19", "`chapter`: `19` is not the chapter"),
        (_18, 'protects = "operation"', 'protects = "x"', "`protects`: must be one of individual, operation"),
        (_18, 'source = "S1"', 'source = "S2"', "`source`: unknown source `S2`"),
        (_18, 'confidence = "V"', 'confidence = "W"', "`confidence`: must be one of V, not `W`"),
        (_18, 'citation = "18 kap. 1 § OSL"', "", "`citation`: is missing"),
        (_18, f"title = {TEXT}", "", "`title`: is missing"),
        (_18, '{ sv = "n", en = "n" }', "1", "`note`: must be a dict, not `1`"),
        (_18, 'sectors = ["police"]', 'sectors = ["polis"]', "`applies.sectors`: unknown id `polis`"),
        (_18, 'sectors = ["police"]', "", "`applies.sectors`: must be a list of names"),
        (_18, 'kinds = ["name"]', 'kinds = ["weight"]', "`applies.kinds`: unknown id `weight`"),
        (_18, 'kinds = ["name"]', "", "`applies.kinds`: must be a list of names"),
        (_18, 'kinds = ["name"]', 'kind = ["name"]', "`applies.kind`: unknown key"),
        (_18, 'harm_test = "straight"', 'harm_test = "weak"', "`wording.harm_test`: must be one of straight, reverse"),
        (_18, 'harm_test = "straight"', 'harm = "straight"', "`wording.harm`: unknown key"),
        (_18, "until = 2021-01-01", "until = 2019-01-01", "`wording.until`: `2019-01-01` is not after"),
        (_18, "from = 2021-01-01", "from = 2021-01-02", "`wording.from`: no wording between"),
        (_18, "[[applies]]", f"not_held = {TEXT}\n[[applies]]", "`applies`: either kinds that the rule covers"),
        ("secrecy/osl-25-1.toml", "not_held = { sv =", "note = { sv =", "`applies`: either kinds that the rule covers"),
        ("secrecy/osl-25-1.toml", 'id = "osl-25-1"', 'id = "osl-18-1"', "`id`: `osl-18-1` is used twice"),
        ("provisions/osl-10-2.toml", 'id = "osl-10-2"', 'id = "osl-10-1"', "`id`: `osl-10-1` is used twice"),
        ("provisions/osl-10-1.toml", '"osl-27-1"', '"osl-27-2"', "`wording.breaks.rules`: unknown id `osl-27-2`"),
        ("provisions/osl-10-2.toml", '["common"]', '["else"]', "`wording.attestations`: unknown id `else`"),
        ("provisions/osl-10-2.toml", 'confidence = "V"', 'confidence = "W"', "`confidence`: must be one of V"),
        ("provisions/osl-10-2.toml", 'source = "S1"', 'source = "S2"', "`source`: unknown source `S2`"),
    ],
)  # fmt: skip
def test_what_does_not_hold_together_is_refused_by_file_and_key(refused, name, old, new, told):
    said = refused((name, old, new))
    assert told in said
    if told:
        file = name if "/" in name else f"law/{name}"
        assert said.startswith(f"{file}: {told}")


# Lineage: a derived field is never easier to reach than what it is made from.


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('alias = { kind = "name", sources = ["person.id", "scene.spot"] }', None),
        ('alias = { kind = "place", sources = ["person.home"] }', None),
        ('alias = { kind = "place", sources = ["person.id"] }', "shared, but derived from `person.id`"),
        ('alias = { kind = "place", sources = ["scene.spot", "person.id"] }', "shared, but derived from `person.id`"),
        (
            'alias = { kind = "name", sources = ["scene.work"] }',
            "must have the kind and the holder of `scene.work`, which it is derived from",
        ),
        ('alias = { kind = "name", holder = "police", sources = ["scene.work"] }', None),
        (
            'alias = { kind = "name", holder = "police", sources = ["person.id"] }',
            "must have the kind and the holder of `person.id`, which it is derived from",
        ),
        (
            'alias = { kind = "name", holder = "care", sources = ["scene.work"] }',
            "must have the kind and the holder of `scene.work`, which it is derived from",
        ),
    ],
)
def test_a_derived_field_is_never_easier_to_reach(written, line, told):
    directory = written(("fields.toml", 'alias = { kind = "name", sources = ["person.id"] }', line))
    if told is None:
        load(directory)
        return
    with pytest.raises(LawError) as error:
        load(directory)
    assert str(error.value) == f"law/fields.toml: `person.alias.sources`: {told}"


def test_another_protected_kind_is_not_derived_from_a_name(refused):
    terms = ("terms.toml", "name = {", 'diary = { sv = "d", en = "d", level = "protected" }\nname = {')
    none = ("no_secrecy.toml", "[[none]]",
            f'[[none]]\nsectors = ["police", "care", "guard"]\nkinds = ["diary"]\nwhy = {TEXT}\n[[none]]')  # fmt: skip
    fields = ("fields.toml", 'alias = { kind = "name"', 'alias = { kind = "diary"')
    assert refused(terms, none, fields).endswith(
        "must have the kind and the holder of `person.id`, which it is derived from"
    )


def test_what_is_about_persons_is_not_derived_into_what_is_not(written, refused):
    derived = ("fields.toml", "near =", 'who = { kind = "name", sources = ["person.id"] }\nnear =')
    assert refused(derived).endswith(
        "`scene.who.sources`: must have the kind and the holder of `person.id`, which it is derived from"
    )
    other = ("fields.toml", "near =", 'who = { kind = "name" }\nnear =')
    load(written(other, ("fields.toml", '["person.id"]', '["scene.who"]')))


# Every protected kind has one answer at every sector.


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            [("no_secrecy.toml", 'sectors = ["care"]', 'sectors = ["care", "police"]')],
            "law/no_secrecy.toml: `none.kinds`: `name` at `police` has both osl-18-1 and `none`",
        ),
        (
            [("no_secrecy.toml", 'sectors = ["care"]', "sectors = []")],
            "law/no_secrecy.toml: `none.kinds`: `name` at `care` has neither a secrecy rule nor an explicit `none`",
        ),
        (
            [("no_secrecy.toml", 'sectors = ["guard"]', "sectors = []")],
            "law/no_secrecy.toml: `none.kinds`: `name` at `guard` has neither a secrecy rule nor an explicit `none`",
        ),
        (
            [(_18, 'kinds = ["name"]', 'kinds = ["name", "place"]')],
            "secrecy/osl-18-1.toml: `applies.kinds`: `place` is shared, yet secrecy is declared for it at `police`",
        ),
        (
            [("no_secrecy.toml", 'kinds = ["name"]', 'kinds = ["name", "place"]')],
            "law/no_secrecy.toml: `none.kinds`: `place` is shared, yet secrecy is declared for it at `care`",
        ),
    ],
)
def test_every_protected_kind_has_one_answer_at_every_sector(refused, changes, told):
    assert refused(*changes) == told


def test_of_several_rules_for_a_shared_kind_the_first_is_named(refused):
    second = ("secrecy/osl-25-1.toml", 'not_held = { sv = "ingen", en = "none" }',
              '[[applies]]\nsectors = ["police"]\nkinds = ["place"]')  # fmt: skip
    told = refused((_18, 'kinds = ["name"]', 'kinds = ["name", "place"]'), second)
    assert told.startswith("secrecy/osl-18-1.toml: `applies.kinds`: `place` is shared")


def test_the_law_as_shipped_is_loaded_once():
    assert catalogue.law() is catalogue.law()
    assert catalogue.LAW_DIRECTORY.name == "law"
