"""`samsyn replay` and `samsyn impact`: receipts decided again from what the ledger holds, in an officer's words."""

import asyncio
import dataclasses
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api import cli
from api.audit.replaying import CannotReplayError, replay_receipt
from api.law import revision
from api.ledger.repository import erase_parts_before
from policies.catalogue import law
from policies.replay_words import in_words
from tests.functional.audit_support import (
    HOLDER,
    PERSON,
    RECIPIENT,
    WHY,
    decide,
    extract,
    new_mapping,
    read,
    receipt_of,
    record,
    shared,
)
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

LAW = law()
NAME = "individual.name hos socialtjänst: "


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run a command of the operator over a test's database."""

    async def command(app: App, *arguments: str):
        monkeypatch.setenv("DATABASE_URL", app.url)
        return await asyncio.to_thread(CliRunner().invoke, cli.app, [*arguments, "--data-dir", str(tmp_path)])

    return command


def verdicts(done) -> dict[str, str]:
    assert done.exit_code == 0, done.output
    lines = [line for line in done.stdout.splitlines() if not line.startswith("- ")]
    return dict(line.split(": ") for line in lines)


def earlier(app: App):
    """A moment that has passed, after the answer's decision came into force."""
    return (app.clock() - timedelta(minutes=2)).replace(second=0, microsecond=0)


# --- replay ---------------------------------------------------------------------------------------------------------


async def test_fresh_answer_is_the_same_twice_and_shows_no_value_of_a_row(app: App, run):
    answer = await shared(app)
    done = await run(app, "replay", answer.receipt)
    assert verdicts(done) == {"then": "same", "today": "same"}
    assert "- Samma: " in done.stdout
    for value in (PERSON["name"], PERSON["birthDate"], answer.item, answer.alias):
        assert value not in done.stdout
    english = await run(app, "replay", answer.receipt, "--language", "en")
    assert "- Same: the law of" in english.stdout


async def test_revocation_is_named_with_its_decision_and_moment(app: App, run):
    answer = await shared(app)
    at = earlier(app)
    await app.execute("UPDATE disclosure_decisions SET revoked_at = $2 WHERE id = $1", uuid.UUID(answer.decision), at)
    done = await run(app, "replay", answer.receipt)
    assert verdicts(done) == {"then": "same", "today": "differs"}
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(f"- {NAME}")]
    assert f"lämnat: 10 kap. 18 a § OSL (beslut {answer.decision}, under 21 år)" in line
    assert line.endswith(f"Orsak: beslut {answer.decision} återkallades {at.isoformat(timespec='minutes')}.")


async def test_expiry_is_named_as_such(app: App, run):
    answer = await shared(app)
    at = earlier(app)
    await app.execute("UPDATE disclosure_decisions SET valid_until = $2 WHERE id = $1", uuid.UUID(answer.decision), at)
    done = await run(app, "replay", answer.receipt, "--language", "en")
    assert verdicts(done)["today"] == "differs"
    assert f"Cause: decision {answer.decision} expired {at.isoformat(timespec='minutes')}." in done.stdout


async def test_decision_that_is_on_record_no_more_is_told(app: App, run):
    answer = await shared(app)
    await app.execute("DELETE FROM disclosure_decision_items WHERE decision_id = $1", uuid.UUID(answer.decision))
    await app.execute("DELETE FROM disclosure_decisions WHERE id = $1", uuid.UUID(answer.decision))
    done = await run(app, "replay", answer.receipt)
    assert verdicts(done)["today"] == "differs"
    assert f"beslut {answer.decision} finns inte längre" in done.stdout


@pytest.mark.parametrize(("at", "verdict"), [("2025-11-30T22:59:00Z", "differs"), ("2025-11-30T23:00:00Z", "same")])
async def test_answer_of_the_day_before_a_provision_came_into_force_names_it(
    fresh_app: App, run, at: str, verdict: str
):
    fresh_app.clock.at = moment(at)
    mapping = await new_mapping(fresh_app)
    item = await record(fresh_app, mapping, observedOn="2025-10-02")
    await decide(fresh_app, [item], provision="osl-10-15a", valid_from=moment("2025-01-01T00:00:00Z"))
    body = (await read(fresh_app, mapping, RECIPIENT)).json()
    assert len(body["items"]) == (verdict == "same")
    done = await run(fresh_app, "replay", receipt_of(body))
    assert verdicts(done) == {"then": "same", "today": verdict}
    assert ("10 kap. 15 a § OSL (osl-10-15a): gäller från 2025-12-01" in done.stdout) == (verdict == "differs")


async def test_law_files_that_changed_since_are_told_by_version_and_by_rule(app: App):
    answer = await shared(app)
    rest = {key: rule for key, rule in LAW.provisions.items() if key != "osl-10-18a"}
    changed = dataclasses.replace(LAW, version="0000000000000000", provisions=rest)
    now = app.clock()
    for known in (LAW, None):
        async with app.database.transaction() as connection:
            done = await replay_receipt(
                connection,
                uuid.UUID(answer.receipt),
                changed,
                today=now.date(),
                now=now,
                law_of_version=lambda version, known=known: known if version == LAW.version else None,
            )
        then, since = in_words(done, LAW, "sv")
        assert f"policyVersion var {LAW.version}, är nu 0000000000000000." in then[1]
        named = next(line for line in then if line.startswith(NAME))
        expected = "lagfilen för 10 kap. 18 a § OSL (osl-10-18a) är ändrad" if known else "prövas efter 26 kap. 1 § OSL"
        assert expected in named
        assert since[0].startswith("Samma: ")


async def test_receipt_that_cannot_be_decided_again_is_told_why(fresh_app: App, run):
    answer = await shared(fresh_app)
    noted = (await extract(fresh_app, HOLDER, answer.item)).json()["receipt"]
    now = fresh_app.clock()
    for receipt, why in (
        ("7d444840-9dc0-41d1-b245-5ffdce74fad2", "no such receipt"),
        ("1; DROP TABLE ledger_parts", "a receipt is a UUID"),
        (noted, "`extract` holds nothing that was decided field by field"),
    ):
        done = await run(fresh_app, "replay", receipt)
        assert done.exit_code == 1
        assert why in done.stderr
    async with fresh_app.database.transaction() as connection:
        await erase_parts_before(connection, RECIPIENT, now, at=now, at_most=100)
    done = await run(fresh_app, "replay", answer.receipt)
    assert done.exit_code == 1
    assert "has been erased (gallrad)" in done.stderr
    async with fresh_app.database.transaction() as connection:
        with pytest.raises(CannotReplayError):
            await replay_receipt(
                connection, uuid.uuid4(), LAW, today=now.date(), now=now, law_of_version=lambda _: None
            )


async def test_refusal_of_a_filter_is_replayed_like_any_answer(app: App, run):
    mapping = await new_mapping(app)
    await decide(app, [await record(app, mapping)])
    refused = await read(app, mapping, RECIPIENT, "?role=sells")
    assert refused.status_code == 403
    assert verdicts(await run(app, "replay", refused.json()["receipt"])) == {"then": "same", "today": "same"}


async def test_answer_about_several_resources_over_graphql_is_replayed(app: App, run):
    answer = await shared(app)
    query = {"query": f'{{ mapping(id: "{answer.mapping}") {{ policeWork individuals {{ name role }} }} }}'}
    body = (await app.client(RECIPIENT, headers=WHY).post("graphql", json=query)).json()
    receipt = body["extensions"]["disclosure"]["receipt"]
    assert verdicts(await run(app, "replay", receipt)) == {"then": "same", "today": "same"}


# --- impact ---------------------------------------------------------------------------------------------------------


async def test_unchanged_law_files_touch_no_receipt(app: App, run, monkeypatch: pytest.MonkeyPatch):
    await shared(app)
    monkeypatch.setattr(revision, "law_at", lambda _: LAW)
    done = await run(app, "impact", "HEAD")
    assert done.exit_code == 0, done.output
    first, *rest = done.stdout.splitlines()
    assert first.startswith("- 0 av ")
    assert not first.startswith("- 0 av 0 ")
    assert rest == []


async def test_impact_counts_the_last_receipts_and_names_whom_it_concerns(fresh_app: App, run, monkeypatch):
    answer = await shared(fresh_app)
    for _ in range(2):
        await read(fresh_app, answer.mapping, RECIPIENT)
    # Before, 10:18 a was not there; the disclosures came with it.
    rest = {key: rule for key, rule in LAW.provisions.items() if key != "osl-10-18a"}
    monkeypatch.setattr(revision, "law_at", lambda _: dataclasses.replace(LAW, version="before", provisions=rest))
    done = await run(fresh_app, "impact", "HEAD", "--last", "2")
    first, *groups = done.stdout.splitlines()
    assert first == "- 2 av 2 kvitton skulle ha fått ett annat svar."
    named = next(line for line in groups if "identitetsuppgift" in line)
    assert named.startswith("- 2: socialtjänst → Polismyndigheten; ändamål: förebygga")
    assert "lämnas nu: individual.birthDate, individual.name" in named
    for value in (PERSON["name"], answer.item, answer.alias):
        assert value not in done.stdout
    english = await run(fresh_app, "impact", "HEAD", "--language", "en")
    assert "- 3 of 3 receipts would have had another answer." in english.stdout
    assert "hold nothing that the law decided" in english.stderr


async def test_revision_that_is_none_is_told(app: App, run):
    done = await run(app, "impact", "no-such-revision")
    assert done.exit_code == 1
    assert "`no-such-revision`" in done.stderr
