"""What a provision's file says becomes the provision, whole; and each check on both sides of its edge."""

from datetime import date
from pathlib import Path

import pytest

from policies.lawfile import LawError, LawFile
from policies.model import Breaks, Kind, OpenQuestion, Text, Wording
from policies.provision_files import ProvisionReader, attestations_of

SAID = Text("ja", "yes")
NONE: frozenset[str] = frozenset()
READER = ProvisionReader(
    sectors={"police": SAID, "care": SAID, "guard": SAID},
    authorities=frozenset({"police", "care"}),
    purposes={"prevent": SAID, "count": SAID},
    kinds={"name": Kind("name", "protected", SAID), "health": Kind("health", "protected", SAID)},
    rule_ids=frozenset({"osl-25-1", "osl-26-1"}),
    attestations={"a": SAID, "b": SAID},
    sources={"S1": SAID, "S2": SAID},
    confidences={"V": SAID, "M": SAID},
)
HEAD = """
id = "osl-10-1"
citation = "10 kap. 1 § OSL"
chapter = 10
source = "S1, S2"
confidence = "M"
title = { sv = "ja", en = "yes" }
"""
WORDING = """
[[wording]]
from = 2020-01-01
type = "shall"
from_sectors = "authorities"
to_sectors = "anyone"
purposes = "any"
breaks = {}
initiative = ["on-request"]
attestations = []
"""
PLAIN = Wording(
    date(2020, 1, 1), None, "shall", frozenset({"police", "care"}), frozenset({"police", "care", "guard"}), None,
    Breaks(False, NONE, frozenset(), NONE, NONE, NONE), None, None, None, frozenset({"on-request"}), (), (),
)  # fmt: skip


@pytest.fixture
def file(tmp_path: Path):
    def make(text: str, name: str = "osl-10-1") -> LawFile:
        path = tmp_path / f"{name}.toml"
        path.write_text(text, "utf-8")
        return LawFile(path)

    return make


@pytest.fixture
def read(file):
    return lambda text: READER.read(file(text), {})


@pytest.fixture
def refused(read):
    def told(text: str) -> str:
        with pytest.raises(LawError) as error:
            read(text)
        return str(error.value).partition(": ")[2]

    return told


def with_line(key: str, line: str) -> str:
    """The plain file with one line of its wording in another form, or one more line."""
    lines = [line if old.startswith(f"{key} =") else old for old in WORDING.splitlines()]
    return HEAD + "\n".join(lines if line in lines else [*lines, line]) + "\n"


def test_a_plain_file_is_read_whole(read):
    rule = read(HEAD + WORDING)
    assert (rule.id, rule.citation, rule.title, rule.chapter) == ("osl-10-1", "10 kap. 1 § OSL", SAID, 10)
    assert (rule.source, rule.confidence, rule.general, rule.note) == ("S1, S2", "M", False, None)
    assert rule.wordings == (PLAIN,)


def test_what_is_not_always_said_is_read_where_it_is(read, file):
    rule = read(HEAD + 'general = true\nnote = { sv = "n", en = "n" }\n' + WORDING)
    assert (rule.general, rule.note) == (True, Text("n", "n"))
    free = HEAD.replace("chapter = 10\n", "").replace("osl-10-1", "postlagen-5-1")
    assert READER.read(file(free + WORDING, "postlagen-5-1"), {}).chapter is None


def test_every_condition_of_a_wording_is_read(read):
    (wording,) = read(
        HEAD
        + """
[[wording]]
from = 2020-01-01
until = 2021-01-01
type = "may"
from_sectors = ["guard"]
to_sectors = ["police"]
equated_from_sectors = ["care"]
other_sector = true
purposes = ["count"]
breaks = { everything = true, rules = ["osl-26-1"], chapters = [[21, 23], [25, 25]], protects = ["operation"], \
harm_tests = ["reverse"], excepts = ["osl-25-1"] }
kinds = ["health"]
subject = { age_from = 15, age_below = 21 }
initiative = ["own-initiative", "on-request"]
attestations = ["b", "a"]

[[wording.open_question]]
number = 3
purposes = ["prevent"]
secrecy = ["osl-26-1"]
from_sectors = ["care"]
to_sectors = ["guard"]
equated = true
text = { sv = "ja", en = "yes" }

[[wording.open_question]]
number = 4
text = { sv = "ja", en = "yes" }
"""
    ).wordings
    assert wording == Wording(
        valid_from=date(2020, 1, 1),
        until=date(2021, 1, 1),
        type="may",
        from_sectors=frozenset({"guard"}),
        to_sectors=frozenset({"police"}),
        purposes=frozenset({"count"}),
        breaks=Breaks(
            True,
            frozenset({"osl-26-1"}),
            frozenset({21, 22, 23, 25}),
            frozenset({"operation"}),
            frozenset({"reverse"}),
            frozenset({"osl-25-1"}),
        ),
        kinds=frozenset({"health"}),
        age_from=15,
        age_below=21,
        initiative=frozenset({"on-request", "own-initiative"}),
        attestations=("b", "a"),
        open_questions=(
            OpenQuestion(
                3,
                frozenset({"prevent"}),
                frozenset({"osl-26-1"}),
                frozenset({"care"}),
                frozenset({"guard"}),
                True,
                SAID,
            ),
            OpenQuestion(4, NONE, NONE, NONE, NONE, False, SAID),
        ),
        other_sector=True,
        equated_from=frozenset({"care"}),
    )


def test_wordings_follow_one_another(read, refused):
    first = WORDING.replace("from = 2020-01-01", "from = 2020-01-01\nuntil = 2021-01-01")
    second = WORDING.replace("2020", "2021").replace('"shall"', '"may"')
    assert [wording.type for wording in read(HEAD + first + second).wordings] == ["shall", "may"]
    assert "overlaps" in refused(HEAD + WORDING + second)


@pytest.mark.parametrize("words", ["authorities", "anyone"])
@pytest.mark.parametrize("key", ["from_sectors", "to_sectors"])
def test_sectors_may_be_said_in_a_word(read, key, words):
    (wording,) = read(with_line(key, f'{key} = "{words}"')).wordings
    expected = {"authorities": READER.authorities, "anyone": frozenset(READER.sectors)}[words]
    assert getattr(wording, key) == expected


@pytest.mark.parametrize(
    ("key", "line", "told"),
    [
        ("from_sectors", 'from_sectors = "nobody"', "`wording.from_sectors`: must be a list of names"),
        ("from_sectors", 'from_sectors = "apolice"', "`wording.from_sectors`: must be a list of names"),
        ("from_sectors", 'from_sectors = "zebra"', "`wording.from_sectors`: must be a list of names"),
        ("to_sectors", 'to_sectors = ["bank"]', "`wording.to_sectors`: unknown id `bank`"),
        ("purposes", 'purposes = "all"', "`wording.purposes`: must be a list of names"),
        ("purposes", 'purposes = "every"', "`wording.purposes`: must be a list of names"),
        ("purposes", 'purposes = ["any"]', "`wording.purposes`: unknown id `any`"),
        ("type", 'type = "must"', "`wording.type`: must be one of may, shall, not `must`"),
        ("kinds", 'kinds = ["weight"]', "`wording.kinds`: unknown id `weight`"),
        ("kinds", 'kinds = "name"', "`wording.kinds`: must be a list of names"),
        ("initiative", 'initiative = ["soon"]', "`wording.initiative`: unknown id `soon`"),
        ("attestations", 'attestations = ["c"]', "`wording.attestations`: unknown id `c`"),
        ("attestations", "attestations = {}", "`wording.attestations`: must be a list of names"),
        ("other_sector", "other_sector = 1", "`wording.other_sector`: must be a bool, not `1`"),
        ("equated", 'equated_from_sectors = ["bank"]', "`wording.equated_from_sectors`: unknown id `bank`"),
        ("breaks", "breaks = []", "`wording.breaks`: must be a dict, not `[]`"),
        ("breaks", "breaks = { all = true }", "`wording.breaks.all`: unknown key"),
        ("breaks", 'breaks = { rules = ["osl-1-1"] }', "`wording.breaks.rules`: unknown id `osl-1-1`"),
        ("breaks", 'breaks = { excepts = ["osl-1-1"] }', "`wording.breaks.excepts`: unknown id `osl-1-1`"),
        ("breaks", 'breaks = { protects = ["all"] }', "`wording.breaks.protects`: unknown id `all`"),
        ("breaks", 'breaks = { harm_tests = ["absolute"] }', "`wording.breaks.harm_tests`: unknown id `absolute`"),
        ("breaks", "breaks = { everything = 1 }", "`wording.breaks.everything`: must be a bool, not `1`"),
        ("breaks", "breaks = { chapters = 21 }", "`wording.breaks.chapters`: must be a list of spans [first, last]"),
        ("breaks", "breaks = { chapters = [21] }", "`wording.breaks.chapters`: must be a list of chapters, 1 to 44"),
        ("breaks", "breaks = { chapters = [[21]] }", "`wording.breaks.chapters`: `[21]` is no span [first, last]"),
        ("breaks", "breaks = { chapters = [[]] }", "`wording.breaks.chapters`: `[]` is no span [first, last]"),
        ("breaks", "breaks = { chapters = [[21, 22, 23]] }", "`wording.breaks.chapters`: `[21, 22, 23]` is no span"),
        ("breaks", "breaks = { chapters = [[22, 21]] }", "`wording.breaks.chapters`: `[22, 21]` is no span"),
        ("breaks", "breaks = { chapters = [[44, 45]] }", "`wording.breaks.chapters`: must be a list of chapters"),
        ("subject", "subject = []", "`wording.subject`: must be a table"),
        ("subject", "subject = { age = 18 }", "`wording.subject.age`: unknown key; allowed are age_below, age_from"),
        ("subject", "subject = { age_below = 0 }", "`wording.subject.age_below`: must be 1 to 130"),
        ("subject", "subject = { age_from = 131 }", "`wording.subject.age_from`: must be 1 to 130"),
        ("subject", 'subject = { age_from = "18" }', "`wording.subject.age_from`: must be a int, not `18`"),
        (
            "subject",
            "subject = { age_from = 18, age_below = 18 }",
            "`wording.subject.age_below`: `18` is not above `age_from`, so nobody fits",
        ),
        ("subject", "subject = { age_from = 19, age_below = 18 }", "`wording.subject.age_below`: `18` is not above"),
        ("open_question", "open_question = []", "`wording.open_question`: is empty"),
        ("open_question", "open_question = [{}]", "`wording.open_question.number`: is missing"),
        ("open_question", "open_question = [{ nr = 1 }]", "`wording.open_question.nr`: unknown key"),
        (
            "open_question",
            'open_question = [{ number = 1, equated = 1, text = { sv = "a", en = "a" } }]',
            "`wording.open_question.equated`: must be a bool, not `1`",
        ),
        (
            "open_question",
            'open_question = [{ number = 1, purposes = ["x"] }]',
            "`wording.open_question.purposes`: unknown id `x`",
        ),
        (
            "open_question",
            'open_question = [{ number = 1, secrecy = ["x"] }]',
            "`wording.open_question.secrecy`: unknown id `x`",
        ),
        (
            "open_question",
            'open_question = [{ number = 1, from_sectors = ["x"] }]',
            "`wording.open_question.from_sectors`: unknown id `x`",
        ),
        (
            "open_question",
            'open_question = [{ number = 1, to_sectors = ["x"] }]',
            "`wording.open_question.to_sectors`: unknown id `x`",
        ),
    ],
)
def test_a_wording_that_says_something_else_is_refused(refused, key, line, told):
    assert refused(with_line(key, line)).startswith(told)


@pytest.mark.parametrize(
    ("line", "ages"),
    [
        ("subject = { age_below = 1 }", (None, 1)),
        ("subject = { age_from = 130 }", (130, None)),
        ("subject = { age_from = 17, age_below = 18 }", (17, 18)),
        ("subject = {}", (None, None)),
    ],
)
def test_ages_at_their_edges_are_read(read, line, ages):
    (wording,) = read(with_line("subject", line)).wordings
    assert (wording.age_from, wording.age_below) == ages


@pytest.mark.parametrize(("span", "chapters"), [("[1, 44]", range(1, 45)), ("[10, 10]", [10]), ("[10, 11]", [10, 11])])
def test_spans_of_chapters_hold_both_their_ends(read, span, chapters):
    (wording,) = read(with_line("breaks", f"breaks = {{ chapters = [{span}] }}")).wordings
    assert wording.breaks.chapters == set(chapters)


@pytest.mark.parametrize(
    "key", ["from", "type", "from_sectors", "to_sectors", "purposes", "breaks", "initiative", "attestations"]
)
def test_what_every_wording_says_must_be_there(refused, key):
    lines = [line for line in WORDING.splitlines() if not line.startswith(f"{key} =")]
    assert refused(HEAD + "\n".join(lines)).startswith(f"`wording.{key}`: ")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('source = "S1, S2"', 'source = "S9"', "`source`: unknown source `S9`"),
        ('confidence = "M"', 'confidence = "X"', "`confidence`: must be one of V, M, not `X`"),
        ("chapter = 10", "chapter = 11", "`chapter`: `11` is not the chapter"),
        ("chapter = 10", 'chapter = 10\ngeneral = "yes"', "`general`: must be a bool, not `yes`"),
        ("chapter = 10", "chapter = 10\nwhy = 1", "`why`: unknown key"),
    ],
)
def test_a_provision_that_says_something_else_of_itself_is_refused(refused, old, new, told):
    assert refused(HEAD.replace(old, new) + WORDING).startswith(told)


def test_a_chapter_of_another_act_is_a_number(file):
    text = HEAD.replace("osl-10-1", "sol-1-1").replace("chapter = 10", 'chapter = "10"') + WORDING
    with pytest.raises(LawError, match=r"`chapter`: must be a int, not `10`"):
        READER.read(file(text, "sol-1-1"), {})


def test_an_id_is_used_once(file):
    with pytest.raises(LawError, match="`osl-10-1` is used twice"):
        READER.read(file(HEAD + WORDING), {"osl-10-1": None})


def test_attestations_are_the_common_ones_and_those_of_the_files(file):
    one = file('[attestations]\na = { sv = "ja", en = "yes" }', "one")
    two = file('[attestations]\nb = { sv = "ja", en = "yes" }\nc = { sv = "ja", en = "yes" }', "two")
    common = {"z": Text("z", "z")}
    assert attestations_of([], common) == common
    assert attestations_of([one, file("", "none"), two], common) == common | dict.fromkeys("abc", SAID)
    assert common == {"z": Text("z", "z")}
    for files, known in (([one, one], common), ([one], {"a": SAID})):
        with pytest.raises(LawError, match=r"one\.toml: `attestations\.a`: is stated in another file too"):
            attestations_of(files, known)
