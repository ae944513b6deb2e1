"""What the open questions of law.md section 8 close, and nothing besides.

A question closes a provision for the combination it concerns; a limit that is not named is no limit.
"""

from policies.catalogue import law

LAW = law()

ANY: frozenset[str] = frozenset()
# Number and provision: purposes, secrecy, from sectors, to sectors, only companies that OSL 2:3 equates.
CLOSED = {
    (1, "osl-10-15a"): ({"investigate-crime"}, {"osl-26-1"}, ANY, ANY, False),
    (2, "polislagen-6"): (ANY, ANY, ANY, ANY, False),
    (3, "lag-2025-170-6"): (ANY, ANY, ANY, ANY, True),
    (4, "sol-19-1"): (ANY, ANY, {"public-transport"}, ANY, False),
    (4, "sol-20-6"): (ANY, ANY, {"public-transport"}, ANY, False),
}


def test_open_questions_close_what_section_8_says_in_every_wording():
    for provision in LAW.provisions.values():
        for wording in provision.wordings:
            closed = {
                (asked.number, provision.id): (
                    asked.purposes, asked.secrecy, asked.from_sectors, asked.to_sectors, asked.equated,
                )
                for asked in wording.open_questions
            }  # fmt: skip
            assert closed == {key: value for key, value in CLOSED.items() if key[1] == provision.id}
            assert len(closed) == len(wording.open_questions)


def test_every_provision_that_section_8_names_is_one_of_the_law():
    assert {name for _, name in CLOSED} <= LAW.provisions.keys()
