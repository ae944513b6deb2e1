"""`samsyn verify` over the database: what stands beside the entries, and what is erased, on every way there is."""

from datetime import timedelta

import pytest

from api.keeping import erase_due
from api.ledger.auditing import Audit, audit
from api.retention.dates import day_in_sweden
from api.retention.repository import set_rule
from tests.functional import disclosure_support as steps
from tests.functional.audit_support import HOLDER, OTHER_HOLDER, RECIPIENT, WHY, entries, extract, one, read, shared
from tests.functional.ledger_support import past_the_triggers
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

GONE = "salt = NULL, entry = NULL, items = NULL, erased_at = now()"


async def audited(app: App) -> Audit:
    return await audit(app.database, {}, app.services.settings.ledger_origin)


async def erase(app: App) -> None:
    now = app.clock()
    await erase_due(app.database, app.services.ledger, day_in_sweden(now), now)


async def rule(app: App, agency: str, subject: str = "ledger") -> None:
    async with app.database.transaction() as connection:
        await set_rule(connection, agency, subject, 1)


# --- no false alarm -------------------------------------------------------------------------------------------------


async def every_kind_of_leaf(app: App) -> None:
    """Readings, refusals, steps of requests, decisions, own initiative, revocation, extract; over REST and GraphQL."""
    answer = await shared(app)
    await read(app, answer.mapping, RECIPIENT, "?sort=circumstances")
    await read(app, answer.mapping, RECIPIENT, Purpose="supervision")
    claiming = app.client(RECIPIENT, purposes=["statistics"], headers=WHY)
    assert (await claiming.get(f"mappings/{answer.mapping}/individuals")).status_code == 403
    assert (await extract(app, HOLDER, answer.item)).status_code == 200
    await entries(app, HOLDER)
    assert (await one(app, HOLDER, answer.receipt)).status_code == 200
    item = await steps.record(app, answer.mapping)
    granted = await steps.granted(app, item)
    assert (await steps.take(app, await steps.ask(app), "decision", steps.HOLDER)).is_success
    supplemented = await steps.ask(app)
    for step, agency in (("supplement", steps.HOLDER), ("supplement/answer", steps.POLICE)):
        assert (await steps.take(app, supplemented, step, agency)).is_success
    assert (await steps.take(app, await steps.ask(app), "withdrawal", steps.POLICE)).is_success
    assert (await steps.own_initiative(app, steps.initiative(item))).status_code == 201
    assert (await steps.revoke(app, granted)).is_success
    client = app.client(RECIPIENT, headers=WHY)
    await steps.graphql(client, "{ mappings { items { id individuals { id name } } } }")


async def test_honest_ledger_holds_before_and_after_each_erasure(fresh_app: App):
    app = fresh_app
    app.clock.at = moment(steps.NOON)
    await every_kind_of_leaf(app)
    found = await audited(app)
    assert (found.faults, found.erased) == ([], 0)
    for agency, subject in ((HOLDER, "ledger"), (HOLDER, "individuals"), (RECIPIENT, "ledger")):
        await rule(app, agency, subject)
    erased = []
    for _ in range(3):
        app.clock.at += timedelta(days=40)
        await erase(app)
        found = await audited(app)
        assert found.faults == []
        erased.append(found.erased)
    # From the second time on the entries about the time before go too, and the later ones stand for them.
    assert 0 < erased[0] < erased[1] < erased[2]


# --- what its owner does to it --------------------------------------------------------------------------------------

BESIDE = {
    "giver's part moved": f"UPDATE ledger_parts SET agency = '{OTHER_HOLDER}' WHERE role = 'giver'",
    "receiver's part moved": "UPDATE ledger_parts SET agency = 'tullverket' WHERE role = 'receiver'",
    "role": "UPDATE ledger_parts SET role = 'receiver' WHERE role = 'giver'",
    "items taken away": "UPDATE ledger_parts SET items = NULL WHERE items IS NOT NULL",
    "items of others": "UPDATE ledger_parts SET items = ARRAY[gen_random_uuid()] WHERE items IS NOT NULL",
    "erased, and the items stand": "UPDATE ledger_parts SET salt = NULL, entry = NULL, erased_at = now()"
    " WHERE items IS NOT NULL",
    "erased by no rule": f"UPDATE ledger_parts SET {GONE} WHERE role = 'giver'",
    "leaf before the first": "INSERT INTO ledger_leaves SELECT -1, gen_random_uuid(), at_us, content_root, padding"
    " FROM ledger_leaves WHERE leaf_index = 0",
}


@pytest.mark.parametrize("statement", BESIDE.values(), ids=BESIDE)
async def test_what_stands_beside_an_entry_is_what_the_entry_says(fresh_app: App, statement: str):
    await shared(fresh_app)
    assert (await audited(fresh_app)).faults == []
    await past_the_triggers(fresh_app, statement)
    assert (await audited(fresh_app)).faults != []


async def test_rule_of_an_agency_erases_neither_what_came_later_nor_what_is_anothers(fresh_app: App):
    app = fresh_app
    app.clock.at = moment(steps.NOON)
    await shared(app)
    await rule(app, RECIPIENT)
    app.clock.at += timedelta(days=40)
    await erase(app)
    assert (await audited(app)).faults == []
    await entries(app, RECIPIENT)
    await past_the_triggers(app, f"UPDATE ledger_parts SET {GONE} WHERE role = 'giver'")
    faults = (await audited(app)).faults
    assert faults
    assert all(fault.endswith(f"and no entry of {HOLDER} tells of it") for fault in faults), faults
    newest = "(SELECT max(leaf_index) FROM ledger_leaves)"
    await past_the_triggers(app, f"UPDATE ledger_parts SET {GONE} WHERE leaf_index = {newest}")
    assert any(fault.endswith(f"and no entry of {RECIPIENT} tells of it") for fault in (await audited(app)).faults)
