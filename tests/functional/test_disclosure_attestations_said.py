"""An attestation is something a person has written: what cannot be read is none."""

import pytest
import pytest_asyncio

from tests.functional.disclosure_support import (
    NOON,
    NOTES,
    ask,
    asked,
    counted,
    decide,
    grant,
    new_mapping,
    post,
    record,
    state_of,
    wrong,
)
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Zero width space and joiner, word joiner, byte order mark, soft hyphen, direction mark, fillers, an empty Braille.
UNSEEN = (
    "\u200b",
    "\u200d",
    "\u2060",
    "\ufeff",
    "\u00ad",
    "\u200e",
    "\u034f",
    "\u115f",
    "\u3164",
    "\u2800",
    " \u200b\t",
)


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def noon(app: App):
    app.clock.at = moment(NOON)


@pytest.mark.parametrize("text", UNSEEN)
async def test_attestation_that_nobody_can_read_is_none(app: App, text):
    one = await record(app, await new_mapping(app))
    request, before = await ask(app), await counted(app)
    answer = await decide(app, request, grant(one, attestations=dict.fromkeys(NOTES, text)))
    assert wrong(answer) == [f"body.attestations.{name}" for name in NOTES]
    assert await counted(app) == before


@pytest.mark.parametrize("text", [" ", "\u200b"])
async def test_refusal_without_a_word_is_not_stored(app: App, text):
    request = await ask(app)
    assert (await decide(app, request, {"outcome": "refused", "reason": text})).status_code in (409, 422)
    assert await state_of(app, request) == "submitted"


@pytest.mark.parametrize("text", [" ", "\u200b"])
async def test_request_says_in_words_why_it_is_made(app: App, text):
    assert (await post(app, body=asked(why=text))).status_code in (409, 422)
    assert (await post(app, body=asked(scope={"question": text}))).status_code in (409, 422)
