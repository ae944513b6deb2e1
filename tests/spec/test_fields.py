"""What is protected of what Samsyn shows, and what it is derived from: a table apart from the law files.

`readings/fields.csv` names every protected field with its kind and holder (`row`: each row names its own), whether it
is part of what identifies a row, and every derived field with its sources. Read from the project's design, section 4
(kinds) and 7 (who holds what). Every field that the table does not name is shared and derived from nothing.
"""

import csv
from pathlib import Path

from policies.catalogue import law
from policies.model import Field

LAW = law()

with (Path(__file__).parent / "readings" / "fields.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file, strict=True))


def as_read(field: Field) -> dict[str, str]:
    shared = field.kind.level == "shared"
    return {
        "resource": field.resource,
        "field": field.name,
        "kind": "shared" if shared else field.kind.id,
        "holder": "" if shared else field.holder,
        "key": "yes" if field.key and not shared else "",
        "derived_from": " ".join(field.sources),
    }


def test_protected_and_derived_fields_are_those_of_the_table():
    named = [as_read(field) for field in LAW.fields.values() if field.kind.level == "protected" or field.sources]
    assert sorted(map(str, named)) == sorted(map(str, ROWS))


def test_search_bans_are_those_of_the_two_acts():
    # Design section 4 and law.md 3.11: no selection by sensitive data, of which Samsyn holds health and addiction.
    supplement = "lagen (2018:218) med kompletterande bestämmelser till EU:s dataskyddsförordning"
    acts = ("2 kap. 14 § brottsdatalagen (2018:1177)", f"3 kap. 3 § andra stycket {supplement}")
    assert {kind.id: kind.search_ban for kind in LAW.kinds.values() if kind.search_ban} == {"person-health": acts}


def test_rows_about_persons_are_those_of_individuals():
    # Design section 7: each agency that works with a scene holds individuals of its own.
    assert {field.resource for field in LAW.fields.values() if field.individual} == {"individual"}
