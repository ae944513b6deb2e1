"""The place of a person with protected identity is handed out only to one who asked for what it tells."""

import pytest
import pytest_asyncio

from tests.functional.disclosure_support import (
    NOON,
    ask,
    counted,
    decide,
    grant,
    new_mapping,
    notes_for,
    record,
    wrong,
)
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def noon(app: App):
    app.clock.at = moment(NOON)


async def test_place_of_a_protected_person_that_nobody_asked_for_is_not_granted(app: App):
    one = await record(app, await new_mapping(app), protectedIdentity=True)
    request = await ask(app, provision="osl-10-15a", kinds=["person-identity"])
    before = await counted(app)
    answer = await decide(app, request, grant(one, fields=["name", "mapping"], attestations=notes_for("osl-10-15a")))
    assert wrong(answer) == ["body.fields.mapping"]
    assert await counted(app) == before
