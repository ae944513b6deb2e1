"""A law that does not hold together is no law: every broken file is refused, naming file, key and rule."""

import os
import random
import re
import secrets
import shutil
import tomllib
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from policies.catalogue import LAW_DIRECTORY, LawError, load

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
ROUNDS = 400

_15A = "provisions/osl-10-15a.toml"
_18A = "provisions/osl-10-18a.toml"
_27 = "provisions/osl-10-27.toml"
_CONSENT = "provisions/osl-10-1.toml"
_2 = "provisions/osl-10-2.toml"
_26 = "secrecy/osl-26-1.toml"
_35_3 = "secrecy/osl-35-3.toml"
_24_8 = "secrecy/osl-24-8.toml"
_40_7G = "secrecy/osl-40-7g.toml"
_35_15A = "provisions/osl-35-15a.toml"
_6 = "provisions/lag-2025-170-6.toml"
_LVM = "provisions/lvm-6-2.toml"

# File, text, what it is replaced by, the key that the error must name, a part of the rule that it must name.
BROKEN = {
    # a typo in a key, at every depth
    "provision key": (_15A, "confidence =", "confidens =", "confidens", "unknown key"),
    "wording key": (_15A, "initiative =", "initative =", "wording.initative", "unknown key"),
    "breaks key": (_15A, "excepts = [", "except = [", "wording.breaks.except", "unknown key"),
    "subject key": (_18A, "age_below", "age_under", "wording.subject.age_under", "unknown key"),
    "open question key": (_15A, "number = 1", "numer = 1", "wording.open_question.numer", "unknown key"),
    "title key": (_15A, 'title = { sv = "', 'title = { se = "', "title.se", "unknown key"),
    "secrecy key": (_35_3, "closed_to_chapters", "closed_chapters", "closed_chapters", "unknown key"),
    "secrecy wording key": (_26, "harm_test =", "test =", "wording.test", "unknown key"),
    "applies key": (_26, "kinds =", "kind =", "applies.kind", "unknown key"),
    "sector key": ("terms.toml", "authority = true", "authoritative = true", "sectors.police.authoritative", "unknown"),
    "kind key": ("terms.toml", "level = ", "levels = ", "kinds.place.levels", "unknown key"),
    "field key": ("fields.toml", "sources =", "source =", "scene.schoolsWithin500m.source", "unknown key"),
    "attestation key": ("attestations.toml", "en = ", "eng = ", "data-protection-check.eng", "unknown key"),
    "none key": ("no_secrecy.toml", "why =", "because =", "none.because", "unknown key"),
    "table of terms": ("terms.toml", "[purposes]", "[reasons]", "reasons", "unknown key"),
    "table of references": ("references.toml", "[references]", "[reference]", "references", "is missing"),
    # ids
    "id used twice": (_15A, '"osl-10-15a"', '"osl-10-1"', "id", "used twice"),
    "id other than the file": (_15A, '"osl-10-15a"', '"osl-10-15"', "id", "does not follow the file's name"),
    "secrecy id other than the file": (_26, 'id = "osl-26-1"', 'id = "osl-26-2"', "id", "does not follow"),
    "reference that is a rule": ("references.toml", "osl-24-2a", "osl-26-1", "osl-26-1", "file of its own"),
    # chapters: they decide what 10:15 a breaks and what 35:3 is closed to
    "chapter missing": (_27, "chapter = 10\n", "", "chapter", "is missing"),
    "chapter of another act": (_27, "chapter = 10", "chapter = 11", "chapter", "not the chapter"),
    "secrecy chapter": (_26, "chapter = 26", "chapter = 25", "chapter", "not the chapter"),
    "chapter as text": (_27, "chapter = 10", 'chapter = "10"', "chapter", "must be a int"),
    "chapter as true": (_27, "chapter = 10", "chapter = true", "chapter", "must be a int"),
    "closed to no chapter": (_35_3, "[10, 12]", "[10, 120]", "closed_to_chapters", "list of chapters"),
    "closed to true": (_35_3, "[10, 12]", "[true]", "closed_to_chapters", "list of chapters"),
    "closed to one chapter": (_35_3, "[10, 12]", "10", "closed_to_chapters", "list of chapters"),
    "span backwards": (_15A, "[[21, 40]]", "[[40, 21]]", "wording.breaks.chapters", "no span"),
    "span of one": (_15A, "[[21, 40]]", "[[21]]", "wording.breaks.chapters", "no span"),
    "span without end": (_15A, "[[21, 40]]", "[[21, 4000000000000]]", "wording.breaks.chapters", "list of chapters"),
    "flat span": (_15A, "[[21, 40]]", "[21, 40]", "wording.breaks.chapters", "list of chapters"),
    "span as number": (_15A, "[[21, 40]]", "21", "wording.breaks.chapters", "list of spans"),
    # periods
    "until before from": (_18A, "until = 2025-04-01", "until = 2012-04-01", "wording.until", "is not after"),
    "until on from": (_18A, "until = 2025-04-01", "until = 2013-01-01", "wording.until", "is not after"),
    "overlap": (_18A, "from = 2025-04-01", "from = 2025-03-31", "wording.from", "overlaps"),
    "gap": (_18A, "from = 2025-04-01", "from = 2025-04-02", "wording.from", "no wording between"),
    "open end before the last": (_18A, "until = 2025-04-01\n", "", "wording.from", "overlaps"),
    "from missing": (_15A, "from = 2025-12-01\n", "", "wording.from", "is missing"),
    "from as text": (_15A, "from = 2025-12-01", 'from = "2025-12-01"', "wording.from", "must be a date"),
    "from as point in time": (
        _15A, "from = 2025-12-01", "from = 2025-12-01T00:00:00", "wording.from", "must be a date",
    ),
    "from with zone": (_15A, "from = 2025-12-01", "from = 2025-12-01T00:00:00Z", "wording.from", "must be a date"),
    "from as time of day": (_15A, "from = 2025-12-01", "from = 10:15:00", "wording.from", "must be a date"),
    "from as number": (_15A, "from = 2025-12-01", "from = 2025", "wording.from", "must be a date"),
    "until as point in time": (_18A, "until = 2025-04-01", "until = 2025-04-01T00:00:00", "wording.until", "a date"),
    "until as text": (_18A, "until = 2025-04-01", 'until = ""', "wording.until", "must be a date"),
    "secrecy from as text": (_26, "from = 2009-06-30", 'from = "2009-06-30"', "wording.from", "must be a date"),
    "day that does not exist": (_15A, "2025-12-01", "2025-02-30", "", "not readable as TOML"),
    # names that the closed lists do not have
    "from sector": (_18A, '["social-services"]', '["social-service"]', "wording.from_sectors", "`social-service`"),
    "from sector as word": (_15A, '"authorities"', '"everyone"', "wording.from_sectors", "list of names"),
    "to sector": (_18A, '"customs"', '"custom"', "wording.to_sectors", "unknown id `custom`"),
    "purpose": (_15A, '"correct-misuse"', '"misuse"', "wording.purposes", "unknown id `misuse`"),
    "purposes as word": (_CONSENT, '"any"', '"all"', "wording.purposes", "list of names"),
    "purpose twice": (_15A, '"correct-misuse"', '"prevent-crime"', "wording.purposes", "twice"),
    "broken secrecy": (_18A, '["osl-26-1"]', '["osl-26-7"]', "wording.breaks.rules", "unknown id `osl-26-7`"),
    "excepted secrecy": (_27, '"osl-25-1"', '"osl-25-1x"', "wording.breaks.excepts", "unknown id `osl-25-1x`"),
    "protected interest": (_CONSENT, '"individual"', '"person"', "wording.breaks.protects", "unknown id `person`"),
    "absolute harm test broken": (
        "provisions/harm-assessment.toml", '"reverse"]', '"absolute"]', "wording.breaks.harm_tests", "`absolute`",
    ),
    "kind of a provision": (
        _15A, 'purposes = ["prevent', 'kinds = ["person"]\npurposes = ["prevent', "wording.kinds",
        "unknown id `person`",
    ),
    "attestation": (_15A, '"needed-for-purpose"', '"needed"', "wording.attestations", "unknown id `needed`"),
    "attestation that is gone": (
        "attestations.toml", "not-unsuitable =", "unsuitable =", "wording.attestations", "`not-unsuitable`",
    ),
    "initiative": (_15A, '"on-request"', '"on-demand"', "wording.initiative", "unknown id `on-demand`"),
    "open question's purpose": (
        _15A, '["investigate-crime"]', '["investigation"]', "wording.open_question.purposes", "`investigation`",
    ),
    "open question's secrecy": (_15A, '["osl-26-1"]', '["osl-26-9"]', "wording.open_question.secrecy", "osl-26-9"),
    "secrecy's sector": (_26, '["social-services"]', '["social"]', "applies.sectors", "unknown id `social`"),
    "secrecy's kind": (_26, '"person-health"', '"health"', "applies.kinds", "unknown id `health`"),
    "field's kind": (
        "fields.toml", 'kind = "person-contact"', 'kind = "contact"', "individual.contact.kind", "`contact`",
    ),
    "field's holder": (
        "fields.toml", 'kind = "police-operation", holder = "police" }',
        'kind = "police-operation", holder = "polis" }',
        "mapping.policeWork.holder", "unknown sector `polis`",
    ),
    "field's source": (
        "fields.toml", '"mapping.mappedOn"]', '"mapping.mappedAt"]', "scene.mappingOverdue.sources", "mapping.mappedAt",
    ),
    "none's sector": ("no_secrecy.toml", '["school"]', '["schools"]', "none.sectors", "unknown id `schools`"),
    "none's kind": ("no_secrecy.toml", '"school-support"', '"support"', "none.kinds", "unknown id `support`"),
    # what must be there
    "provision's citation": (_15A, 'citation = "10 kap. 15 a § OSL"\n', "", "citation", "is missing"),
    "provision's empty citation": (_15A, '"10 kap. 15 a § OSL"', '" "', "citation", "is empty"),
    "secrecy's citation": (_26, 'citation = "26 kap. 1 § OSL"\n', "", "citation", "is missing"),
    "secrecy's empty citation": (_26, '"26 kap. 1 § OSL"', '""', "citation", "is empty"),
    "source": (_26, 'source = "S1"\n', "", "source", "is missing"),
    "provision's source": (_15A, 'source = "S1"\n', "", "source", "is missing"),
    "confidence": (_26, 'confidence = "V"\n', "", "confidence", "is missing"),
    "id": (_15A, 'id = "osl-10-15a"\n', "", "id", "is missing"),
    "type": (_15A, 'type = "may"\n', "", "wording.type", "is missing"),
    "other type": (_15A, 'type = "may"', 'type = "must"', "wording.type", "may, shall"),
    "breaks": (_CONSENT, 'breaks = { protects = ["individual"] }\n', "", "wording.breaks", "is missing"),
    "attestations": (_2, re.compile(r"attestations = \[.*\]\n"), "", "wording.attestations", "list of names"),
    "purposes": (_CONSENT, 'purposes = "any"\n', "", "wording.purposes", "list of names"),
    "protects": (_26, 'protects = "individual"\n', "", "protects", "is missing"),
    "other protects": (_26, 'protects = "individual"', 'protects = "person"', "protects", "individual, operation"),
    "harm test": (_26, 'harm_test = "reverse"', 'harm_test = "omvänt"', "wording.harm_test", "straight, reverse"),
    "applies": (_26, "[[applies]]", "[[apply]]", "apply", "unknown key"),
    "wordings of a provision": (
        _2, re.compile(r"\[\[wording\]\].*", re.DOTALL), "wording = []\n", "wording", "is empty",
    ),
    "wordings of a secrecy rule": (
        _26, '[[wording]]\nfrom = 2009-06-30\nharm_test = "reverse"\n', "", "wording", "missing",
    ),
    "no wordings of a secrecy rule": (
        _40_7G, re.compile(r"(.*)\n\[\[applies\]\].*", re.DOTALL),
        r"\1" + '\nwording = []\napplies = [{ sectors = ["police"], kinds = ["concern-report"] }]\n', "wording",
        "is empty",
    ),
    "authority": ("terms.toml", ", authority = true", "", "sectors.police.authority", "is missing"),
    "level": ("terms.toml", 'level = "shared"', 'level = "public"', "kinds.place.level", "shared, protected"),
    # wrong types
    "general as text": (_2, "general = true", 'general = "yes"', "general", "must be a bool"),
    "general as number": (_2, "general = true", "general = 1", "general", "must be a bool"),
    "everything as text": (_2, "everything = true", 'everything = "false"', "wording.breaks.everything", "a bool"),
    "authority as number": ("terms.toml", "authority = true", "authority = 1", "sectors.police.authority", "a bool"),
    "individual as text": (
        "fields.toml", "[individual]\nindividual = true",
        '[individual]\nindividual = "no"', "individual.individual", "a bool",
    ),
    "key as text": ("fields.toml", "key = true", 'key = "no"', "individual.id.key", "must be a bool"),
    "holder as list": ("fields.toml", 'holder = "police"', 'holder = ["police"]', "mapping.policeWork.holder", "a str"),
    "search ban as number": (
        "terms.toml", 'level = "protected", search_ban = [', 'level = "protected", search_ban = [14, ',
        "kinds.person-health.search_ban", "must be a list",
    ),
    "search ban at a shared kind": (
        "terms.toml", 'en = "place", level = "shared"', 'en = "place", level = "shared", search_ban = ["lag"]',
        "kinds.place.search_ban", "shared",
    ),
    "sources as text": (
        "fields.toml", 'sources = ["mapping.affected"]', 'sources = "mapping.affected"',
        "situation-report.affected.sources", "list of names",
    ),
    "field as text": ("fields.toml", 'slug = { kind = "situation" }', 'slug = "situation"', "agency.slug", "a table"),
    "resource as text": ("fields.toml", "[agency]", 'person = "yes"\n[agency]', "person", "must be a dict"),
    "title as text": (_26, 'title = { sv = "Socialtjänst", en = "Social services" }', 'title = "x"', "title", "a dict"),
    "breaks as text": (_18A, 'breaks = { rules = ["osl-26-1"] }', 'breaks = "osl-26-1"', "wording.breaks", "a dict"),
    "breaks rules as text": (
        _18A, '{ rules = ["osl-26-1"] }', '{ rules = "osl-26-1" }', "wording.breaks.rules", "list",
    ),
    "type as list": (_15A, 'type = "may"', 'type = ["may"]', "wording.type", "must be a str"),
    "open question as table": (
        _15A, "[[wording.open_question]]", "[wording.open_question]", "wording.open_question", "list",
    ),
    "question number as text": (_15A, "number = 1", 'number = "1"', "wording.open_question.number", "must be a int"),
    "question number as true": (_15A, "number = 1", "number = true", "wording.open_question.number", "must be a int"),
    "none as table": ("no_secrecy.toml", re.compile(".*", re.DOTALL), "none = 1", "none", "must be a list"),
    "reference as number": ("references.toml", '"24 kap. 2 a § OSL"', "24", "references.osl-24-2a", "must be a str"),
    # ages
    "age as true": (_18A, "age_below = 21", "age_below = true", "wording.subject.age_below", "must be a int"),
    "age as fraction": (_18A, "age_below = 21", "age_below = 21.0", "wording.subject.age_below", "must be a int"),
    "age as text": (_18A, "age_below = 21", 'age_below = "21"', "wording.subject.age_below", "must be a int"),
    "negative age": (_18A, "age_below = 21", "age_below = -21", "wording.subject.age_below", "1 to 130"),
    "age zero": (_18A, "age_below = 21", "age_below = 0", "wording.subject.age_below", "1 to 130"),
    "age that nobody has": (
        _18A, "age_below = 21", "age_from = 21, age_below = 21", "wording.subject.age_below", "nobody fits",
    ),
    "youngest age as text": (
        _18A, "age_below = 21", 'age_from = "15"', "wording.subject.age_from", "must be a int",
    ),
    "age of nobody": (_18A, "age_below = 21", "age_below = 1000000", "wording.subject.age_below", "1 to 130"),
    # where a rule was read, and what is said beside it
    "unknown source": (_26, 'source = "S1"', 'source = "S99"', "source", "unknown source `S99`"),
    "sources run together": (_26, 'source = "S1"', 'source = "S1,S2"', "source", "unknown source `S1,S2`"),
    "unknown confidence": (_26, 'confidence = "V"', 'confidence = "W"', "confidence", "must be one of V"),
    "table of sources": ("sources.toml", "[confidences]", "[certainties]", "certainties", "unknown key"),
    "source without a text": ("sources.toml", "S1 = { sv = ", "S1 = { se = ", "sources.S1.se", "unknown key"),
    "note in one language": (_15A, re.compile(r'note = \{ sv = ".*?", en'), "note = { en", "note.sv", "is missing"),
    "what is left out, key": ("left_out.toml", "citation =", "cite =", "left_out.cite", "unknown key"),
    "what is left out, day": ("left_out.toml", "planned = 20", 'planned = "x" # 20', "left_out.planned", "a date"),
    "attestation of two files": (
        _CONSENT, "consent-given = {", "needed-for-purpose = {", "attestations.needed-for-purpose", "another file",
    ),
    # a rule covers something, or says why it covers nothing
    "rule that covers nothing": (_24_8, re.compile(r"not_held = .*\n"), "", "applies", "the reason why none"),
    "rule that covers nothing and something": (
        _26, "[[applies]]", 'not_held = { sv = "x", en = "x" }\n[[applies]]', "applies", "the reason why none",
    ),
    # authorities only through OSL 2:3, and rules between different sectors
    "equated as text": (_6, "equated = true", 'equated = "yes"', "wording.open_question.equated", "must be a bool"),
    "other sector as number": (_35_15A, "other_sector = true", "other_sector = 1", "wording.other_sector", "a bool"),
    "company's sector": (
        _LVM, re.compile(r'equated_from_sectors = \["'), 'equated_from_sectors = ["x-', "wording.equated_from_sectors",
        "unknown id `x-",
    ),
    # every protected kind has exactly one answer at every sector, and a shared kind none
    "kind without answer": (
        _26, ', "concern-report"', "", "none.kinds", "`concern-report` at `social-services` has neither",
    ),
    "kind with two answers": (
        "no_secrecy.toml", '["school"]\nkinds = ["criminal-record"', '["school"]\nkinds = ["criminal-record", "camera"',
        "none.kinds", "`camera` at `school` has both osl-32-3 and",
    ),
    "kind answered none twice": (
        "no_secrecy.toml", '["school"]\nkinds = ["criminal-record"', '["county-board"]\nkinds = ["criminal-record"',
        "none", "`criminal-record` at `county-board` is answered twice",
    ),
    "new protected kind": (
        "terms.toml", "[kinds]\n", '[kinds]\nimage = { sv = "bild", en = "image", level = "protected" }\n',
        "none.kinds", "`image` at `police` has neither",
    ),
    "shared kind with secrecy": (
        _26, '"concern-report"', '"concern-report", "place"', "applies.kinds", "`place` is shared",
    ),
    "shared kind with none": (
        "no_secrecy.toml", '["school"]\nkinds = ["criminal-record"',
        '["school"]\nkinds = ["criminal-record", "statistic"',
        "none.kinds", "`statistic` is shared",
    ),
    # lineage: a derived field is never easier to reach than what it is made from
    "shared field from a protected one": (
        "fields.toml", "interviews = {",
        'summary = { kind = "situation", sources = ["mapping.policeWork"] }\ninterviews = {',
        "mapping.summary.sources", "shared, but derived from `mapping.policeWork`",
    ),
    "protected field from another kind": (
        "fields.toml", "basis = {", 'summary = { kind = "person-contact", sources = ["individual.name"] }\nbasis = {',
        "individual.summary.sources", "must have the kind and the holder of `individual.name`",
    ),
    "protected field from another holder": (
        "fields.toml", "interviews = {",
        'summary = { kind = "police-operation", sources = ["mapping.policeWork"] }\ninterviews = {',
        "mapping.summary.sources", "must have the kind and the holder of `mapping.policeWork`",
    ),
    "individual field outside individuals": (
        "fields.toml", "interviews = {",
        'oldest = { kind = "person-identity", sources = ["individual.birthDate"] }\ninterviews = {',
        "mapping.oldest.sources", "must have the kind and the holder of `individual.birthDate`",
    ),
    # no TOML
    "no TOML": (_26, "[[wording]]", "[[wording", "", "not readable as TOML"),
    "empty file": (_26, re.compile(".*", re.DOTALL), "", "id", "is missing"),
    "deep nesting": (_26, re.compile(".*", re.DOTALL), "x = " + "[" * 100_000, "", "not readable as TOML"),
    "number without end": (_26, "chapter = 26", "chapter = " + "2" * 5000, "", "not readable as TOML"),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def parsed_once():
    """Nearly all the time of loading is the parsing of the files that are as they were."""
    with patch("policies.lawfile.tomllib", SimpleNamespace(loads=lru_cache(256)(tomllib.loads))):
        yield


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return Path(shutil.copytree(LAW_DIRECTORY, tmp_path / "law"))


def refused(directory: Path) -> str:
    with pytest.raises(LawError) as caught:
        load(directory)
    return str(caught.value)


def test_law_as_shipped_loads_from_any_folder_as_the_same_version(directory: Path):
    assert load(directory).version == load().version


@pytest.mark.parametrize("name", BROKEN)
def test_broken_law_is_refused_by_file_key_and_rule(directory: Path, name: str):
    file, old, new, key, rule = BROKEN[name]
    path = directory / file
    text = path.read_text("utf-8")
    edited = text.replace(old, new, 1) if isinstance(old, str) else old.sub(new, text, count=1)
    assert edited != text, f"the law no longer says {old!r} in {file}"
    path.write_text(edited, "utf-8")
    said = refused(directory)
    if name not in {"attestation that is gone", "kind without answer", "new protected kind"}:
        # Those three are seen where the law no longer fits, which is another file.
        assert said.startswith(f"{path.parent.name}/{path.name}: "), said
    assert re.match(r"(law|secrecy|provisions)/[a-z0-9_-]+\.toml: ", said), said
    assert f"`{key}`" in said or not key, said
    assert rule in said, said


@pytest.mark.parametrize("folder", ["secrecy", "provisions"])
def test_same_rule_in_two_files_is_refused(directory: Path, folder: str):
    # A rule that states attestations of its own is refused for those before its id is looked at.
    first = min(path for path in (directory / folder).glob("osl-*.toml") if "[attestations]" not in path.read_text())
    shutil.copy(first, first.with_name("zz.toml"))
    assert f"{folder}/zz.toml: `id`: `{first.stem}` is used twice" in refused(directory)


@pytest.mark.parametrize("file", ["terms.toml", "secrecy/osl-26-1.toml", "provisions/osl-10-2.toml"])
def test_law_that_is_not_utf8_is_refused(directory: Path, file: str):
    path = directory / file
    path.write_bytes(path.read_text("utf-8").encode("latin-1", "replace"))
    assert f"{path.parent.name}/{path.name}: not readable as TOML" in refused(directory)


@pytest.mark.parametrize("file", sorted(path.name for path in LAW_DIRECTORY.glob("*.toml")))
def test_law_that_lacks_a_file_is_refused(directory: Path, file: str):
    (directory / file).unlink()
    assert f"law/{file}: cannot be read" in refused(directory)


@pytest.mark.parametrize("name", ["notes.toml", "provisions/old/osl-10-2.toml", "secret/osl-26-1.toml"])
def test_rule_that_nobody_reads_is_refused(directory: Path, name: str):
    path = directory / name
    path.parent.mkdir(exist_ok=True)
    path.write_text('id = "x"\n', "utf-8")
    assert refused(directory).startswith(f"{name}: is no file of the law")


def test_folder_in_the_place_of_a_rule_is_refused(directory: Path):
    (directory / "provisions" / "osl-10-99.toml").mkdir()
    assert refused(directory).startswith("provisions/osl-10-99.toml: cannot be read")


def test_secrecy_without_its_folder_is_refused(directory: Path):
    shutil.rmtree(directory / "secrecy")
    refused(directory)


def test_version_changes_with_any_byte_of_the_law(directory: Path):
    before = load(directory).version
    (directory / _26).write_text((directory / _26).read_text("utf-8") + "# noted\n", "utf-8")
    after = load(directory).version
    assert before != after


GARBAGE = ["true", "-1", "0", "1.5", '""', '"x"', "[]", "[1]", '["x"]', "{}", "{ x = 1 }", "2025-01-01", "07:00:00",
           "[[1, 2]]", "[{}]", "inf", "2025-01-01T00:00:00Z"]  # fmt: skip
_MEMBER = re.compile(r"(?P<key>[A-Za-z0-9_-]+) = (?P<value>true|[0-9-]+|\"[^\"]*\"|\[[^\[\]]*\]|\{[^{}]*\})")


def _spoil(text: str, chance: random.Random) -> str:
    """One member of some table deleted, renamed or given another value; or a line taken out."""
    members = list(_MEMBER.finditer(text))
    how = chance.randrange(4)
    if how == 0 or not members:
        lines = text.splitlines(keepends=True)
        lines.pop(chance.randrange(len(lines)))
        return "".join(lines)
    member = chance.choice(members)
    value = member["value"] if how == 1 else chance.choice(GARBAGE)
    key = chance.choice([other["key"] for other in members]) if how < 3 else member["key"]
    return text[: member.start()] + f"{key} = {value}" + text[member.end() :]


def test_spoiled_law_is_refused_or_loads_and_nothing_else(directory: Path):
    print(f"SAMSYN_TEST_SEED={SEED}")
    chance = random.Random(SEED)
    files = sorted(path for path in directory.rglob("*.toml"))
    refusals = 0
    for number in range(ROUNDS):
        path = chance.choice(files)
        text = path.read_text("utf-8")
        spoiled = _spoil(text, chance)
        path.write_text(spoiled, "utf-8")
        try:
            loaded = load(directory)
        except LawError:
            refusals += 1
        except Exception as error:  # noqa: BLE001 - any other exception is the finding
            pytest.fail(f"round {number}, seed {SEED}: {path.name} raised {error!r} instead of LawError:\n{spoiled}")
        else:
            # What loads is another text of the same shape: still TOML, and every protected kind still answered for.
            tomllib.loads(spoiled)
            assert all(
                bool(loaded.secrecy_of(kind.id, sector)) != ((sector, kind.id) in loaded.no_secrecy)
                for kind in loaded.kinds.values()
                if kind.level == "protected"
                for sector in loaded.sectors
            )
        path.write_text(text, "utf-8")
    assert refusals > ROUNDS / 2
