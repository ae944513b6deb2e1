"""The extract for a person: all that happened to that person's rows at one holder, for that holder alone, and noted."""

import csv
import io
import json
import uuid

import pytest

from api.audit import service
from api.errors import Problem
from tests.functional.audit_support import (
    HOLDER,
    OTHER_HOLDER,
    RECIPIENT,
    STRANGER,
    SUPERVISION,
    decide,
    entries,
    extract,
    new_mapping,
    read,
    receipt_of,
    record,
    shared,
)
from tests.functional.individuals_support import disclosed
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANOTHER = {"name": "Någon Annan (fiktiv)", "identityNumber": "19811218-9876"}
FORMS = ("application/json", "text/csv", "text/html")


async def events(app: App, individual: str, agency: str = HOLDER, **query) -> list[dict]:
    answer = await extract(app, agency, individual, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()["events"]


def given(rows: list[dict]) -> list[dict]:
    return [row for row in rows if row["kind"] == "answer" and row["recipient"] is not None]


# --- attacks --------------------------------------------------------------------------------------------------------


async def test_nobody_but_the_holder_gets_an_extract_and_all_others_the_same_answer(app: App):
    answer = await shared(app)
    # A person whose ledger at the receiver knows it by an alias, one asked for by the giver's own id, one nobody has.
    for agency, known in (
        (RECIPIENT, answer.alias),
        (RECIPIENT, answer.item),
        (STRANGER, answer.item),
        (HOLDER, answer.alias),
    ):
        nothing = str(uuid.uuid4())
        refused, missing = await extract(app, agency, known), await extract(app, agency, nothing)
        assert refused.status_code == missing.status_code == 404, (agency, refused.text)
        assert refused.json() == missing.json()


async def test_extract_names_no_other_person_in_any_form(app: App):
    mapping = await new_mapping(app)
    mine, others = await record(app, mapping), await record(app, mapping, **ANOTHER)
    both = await decide(app, [mine, others])
    only = await decide(app, [others], fields=["contact"])
    shown = (await read(app, mapping, RECIPIENT)).json()
    aliases = {item["id"] for item in shown["items"]}
    assert len(aliases) == 2
    for accept in FORMS:
        text = (await extract(app, HOLDER, mine, accept)).text
        for secret in (others, *aliases, str(only), ANOTHER["name"], "19811218"):
            assert secret not in text, (accept, secret)
        assert str(both) not in text, "a decision may name others too"


async def test_what_a_decision_opened_about_another_is_not_told_of_this_person(app: App):
    mapping = await new_mapping(app)
    mine, others = await record(app, mapping), await record(app, mapping, **ANOTHER)
    await decide(app, [mine], fields=["name"])
    contact = await decide(app, [others], fields=["contact"], provision="lag-2025-170-4")
    await read(app, mapping, RECIPIENT)
    await disclosed(app, contact)
    row = given(await events(app, mine))[0]
    assert "name" in row["fields"]
    assert "contact" not in row["fields"]
    assert [one["id"] for one in row["provisions"]] == ["osl-10-18a"]
    row = given(await events(app, others))[0]
    assert "contact" in row["fields"]
    assert "name" not in row["fields"]


async def test_extract_needs_its_scope_a_purpose_and_a_case(app: App):
    answer = await shared(app)
    path = f"ledger/extracts?individual={answer.item}"
    refused = await app.client(HOLDER, headers=SUPERVISION, scopes=["read", "agency:admin"]).get(path)
    assert refused.status_code == 403
    assert 'scope="audit:read"' in refused.headers["WWW-Authenticate"]
    assert (await app.client().get(path)).status_code == 401
    for header in ("Purpose", "Case-Reference"):
        headers = {name: value for name, value in SUPERVISION.items() if name != header}
        refused = await app.client(HOLDER, headers=headers).get(path)
        assert refused.status_code == 400
        assert refused.json()["errors"][0]["where"] == f"header.{header}"
    assert (await app.client(HOLDER, headers=SUPERVISION, scopes=["read", "audit:read"]).get(path)).status_code == 200
    assert (await app.client(HOLDER, headers=SUPERVISION).get("ledger/extracts")).status_code == 422


async def test_extract_that_cannot_be_noted_is_not_made(app: App, monkeypatch: pytest.MonkeyPatch):
    answer = await shared(app)
    append = app.services.ledger.append

    async def broken(parts):
        parts = tuple(parts)
        if parts[0].entry["kind"] == "extract":
            raise Problem("unavailable", "the ledger cannot be written")
        return await append(parts)

    monkeypatch.setattr(app.services.ledger, "append", broken)
    refused = await extract(app, HOLDER, answer.item)
    assert refused.status_code == 503
    assert RECIPIENT not in refused.text


async def test_extract_is_whole_or_not_at_all(app: App, monkeypatch: pytest.MonkeyPatch):
    answer = await shared(app)
    assert len(await events(app, answer.item)) > 1
    monkeypatch.setattr(service, "MOST", 1)
    refused = await extract(app, HOLDER, answer.item)
    assert refused.status_code == 409
    assert "events" not in refused.json()


# --- what it tells --------------------------------------------------------------------------------------------------


async def test_disclosure_is_told_with_all_that_a_log_must_hold(app: App):
    answer = await shared(app)
    row = given(await events(app, answer.item))[0]
    assert row["event"] == "uppgift lämnad till annan myndighet"
    assert {"name", "birthDate"} <= set(row["fields"])
    assert "contact" not in row["fields"]
    assert row["subject"] == f"{RECIPIENT}-development"
    assert (row["recipient"], row["purpose"]) == (RECIPIENT, "prevent-crime")
    assert row["provisions"] == [{"id": "osl-10-18a", "citation": "10 kap. 18 a § OSL"}]
    assert moment(row["at"]) <= app.clock()


async def test_own_reading_is_told_with_who_read_and_nobody_as_recipient(app: App):
    mapping = await new_mapping(app)
    item = await record(app, mapping)
    await app.client(HOLDER, headers=SUPERVISION, person=True).get(f"mappings/{mapping}/individuals/{item}")
    row = (await events(app, item))[0]
    assert (row["event"], row["subject"], row["subjectRole"]) == (
        "uppgift läst i den egna verksamheten",
        "handläggare-1",
        "beslutsfattare",
    )
    assert (row["recipient"], row["provisions"]) == (None, [])
    assert {"name", "contact", "substances"} <= set(row["fields"])
    assert [row["kind"] for row in await events(app, item)][-1] == "collection"


async def test_every_row_about_the_person_is_covered_and_no_row_of_another(app: App):
    first, second = await new_mapping(app), await new_mapping(app)
    one, two = await record(app, first), await record(app, second, role="buys")
    await record(app, first, **ANOTHER)
    await record(app, second, OTHER_HOLDER)
    await decide(app, [two])
    receipt = receipt_of((await read(app, second, RECIPIENT)).json())
    answer = (await extract(app, HOLDER, one)).json()
    assert answer["rows"] >= 2
    assert (await extract(app, HOLDER, two)).json()["rows"] == answer["rows"]
    kinds = [row["kind"] for row in answer["events"]]
    assert kinds.count("collection") == answer["rows"]
    told = {row["receipt"] for row in await entries(app, HOLDER, individual=two)}
    assert receipt in told


async def test_row_without_an_identity_number_stands_for_itself(app: App):
    mapping = await new_mapping(app)
    item = await record(app, mapping, identityNumber=None)
    await record(app, mapping, identityNumber=None)
    answer = (await extract(app, HOLDER, item)).json()
    assert answer["rows"] == 1
    assert [row["kind"] for row in answer["events"]] == ["collection"]


async def test_what_happened_to_a_row_is_told_after_it_was_erased(app: App):
    answer = await shared(app)
    client = app.client(HOLDER, headers=SUPERVISION)
    gone = await client.delete(f"mappings/{answer.mapping}/individuals/{answer.item}")
    assert gone.status_code in (200, 204), gone.text
    made = (await extract(app, HOLDER, answer.item)).json()
    assert made["rows"] == 0
    assert made["events"][0]["kind"] == "erasure"
    assert given(made["events"])


async def test_extract_is_limited_to_the_days_asked_for(fresh_app: App):
    fresh_app.clock.at = moment("2026-11-19T10:00:00Z")
    answer = await shared(fresh_app)
    fresh_app.clock.at = moment("2026-11-21T10:00:00Z")
    assert given(await events(fresh_app, answer.item, **{"from": "2026-11-19", "to": "2026-11-19"}))
    assert await events(fresh_app, answer.item, **{"from": "2026-11-20"}) != []
    assert not given(await events(fresh_app, answer.item, **{"from": "2026-11-20"}))


async def test_every_form_says_which_days_it_is_limited_to(app: App):
    answer = await shared(app)
    days = {"from": "2020-01-01", "to": "2020-01-02"}
    told = (await extract(app, HOLDER, answer.item, **days)).json()
    assert ({"from": told["from"], "to": told["to"]}, told["events"]) == (days, [])
    page = await extract(app, HOLDER, answer.item, "text/html", **days)
    assert "Inget är antecknat från och med 2020-01-01 till och med 2020-01-02." in page.text
    table = await extract(app, HOLDER, answer.item, "text/csv", **days)
    assert table.headers["content-disposition"] == 'attachment; filename="loggutdrag_2020-01-01--2020-01-02.csv"'
    whole = (await extract(app, HOLDER, answer.item)).json()
    assert (whole["from"], whole["to"]) == (None, None)


async def test_days_that_end_before_they_begin_are_refused_on_every_face_and_nothing_is_noted(app: App):
    answer = await shared(app)
    days = {"from": "2026-01-02", "to": "2026-01-01"}
    before = await entries(app, HOLDER)
    for form in FORMS:
        refused = await extract(app, HOLDER, answer.item, form, **days)
        assert refused.status_code == 422, refused.text
        assert refused.json()["errors"][0]["where"] == "query.from"
    assert (await entries(app, HOLDER, status=422, **days))["errors"][0]["where"] == "query.from"
    query = '{ ledgerEntries(from: "2026-01-02", to: "2026-01-01") { totalRecords } }'
    body = (await app.client(HOLDER, headers=SUPERVISION).post("graphql", json={"query": query})).json()
    assert body["data"] is None
    assert body["errors"][0]["extensions"]["problem"]["errors"][0]["where"] == "arguments.from"
    # Reading one's entries is one of them.
    assert len(await entries(app, HOLDER)) - len(before) == 1


async def test_extract_is_noted_and_stands_in_the_next_one(app: App):
    answer = await shared(app)
    first = (await extract(app, HOLDER, answer.item)).json()
    assert first["events"][0]["kind"] == "answer"
    (row,) = [row for row in await entries(app, HOLDER) if row["receipt"] == first["receipt"]]
    assert (row["kind"], row["subject"], row["caseReference"]) == ("extract", "handläggare-1", "T1/2026")
    assert row["items"]["individual"][HOLDER].count(answer.item) == 1
    again = await events(app, answer.item)
    assert (again[0]["kind"], again[0]["event"]) == ("extract", "loggutdrag framställt")
    assert first["receipt"] not in json.dumps(again), "the person is told what happened, not where it is kept"


# --- the forms ------------------------------------------------------------------------------------------------------


async def test_extract_comes_as_a_table_for_a_spreadsheet(app: App):
    answer = await shared(app)
    made = await extract(app, HOLDER, answer.item, "text/csv")
    assert made.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert made.headers["cache-control"] == "private, no-store"
    header, *rows = list(csv.reader(io.StringIO(made.text), strict=True))
    assert header[:3] == ["tid", "händelse", "uppgifter"]
    row = next(row for row in rows if row[1] == "uppgift lämnad till annan myndighet")
    assert "namn" in row[2].split(", ")
    assert row[5:] == [RECIPIENT, "förebygga, förhindra eller upptäcka brottslig verksamhet", "10 kap. 18 a § OSL"]


async def test_extract_comes_as_a_page_to_hand_out(app: App):
    answer = await shared(app)
    made = await extract(app, HOLDER, answer.item, "text/html,application/xhtml+xml,*/*;q=0.8")
    assert made.headers["content-type"] == "text/html; charset=utf-8"
    assert made.headers["cache-control"] == "private, no-store"
    assert "default-src 'none'" in made.headers["content-security-policy"]
    assert '<html lang="sv">' in made.text
    assert "uppgift lämnad till annan myndighet" in made.text
    assert f"<dt>Diarienummer</dt><dd>{SUPERVISION['Case-Reference']}</dd>" in made.text
    assert "10 kap. 18 a § OSL" in made.text
    for loads in ("<script", "<link", "src=", "href="):
        assert loads not in made.text, "the page stands by itself"


async def test_form_that_there_is_none_of_is_refused(app: App):
    answer = await shared(app)
    refused = await extract(app, HOLDER, answer.item, "application/pdf")
    assert refused.status_code == 406
    assert refused.json()["available"] == list(FORMS)
