"""What the register says of the parties counts from the very next read."""

import pytest

from tests.functional.disclosure_support import (
    NOON,
    POLICE,
    granted,
    new_mapping,
    record,
    shown,
    shown_under,
)
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")
TURN = "UPDATE agencies SET sector = 'private' WHERE slug = $1"


async def test_recipient_that_turns_private_is_shown_nothing_on_the_very_next_read(fresh_app: App):
    app = fresh_app
    app.clock.at = moment(NOON)
    mapping = await new_mapping(app)
    decision = await granted(app, await record(app, mapping))
    assert len(await shown(app, mapping)) == 1
    await app.execute(TURN, POLICE)
    assert await shown(app, mapping) == []
    assert await shown_under(app, decision) == []
