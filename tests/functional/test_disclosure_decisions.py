"""Decisions: what the law does not allow, or nobody attests to, cannot be stored."""

import uuid

import pytest
import pytest_asyncio

from policies.catalogue import law
from tests.functional.disclosure_support import (
    CARE,
    HOLDER,
    NOBODYS,
    NOON,
    NOTES,
    OWNER,
    POLICE,
    TWENTY_TWO,
    WHY,
    ask,
    counted,
    decide,
    grant,
    initiative,
    lacks,
    new_mapping,
    notes_for,
    officer,
    own_initiative,
    record,
    revoke,
    shown,
    shown_under,
    wrong,
)
from tests.support import App, moment

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def noon(app: App):
    app.clock.at = moment(NOON)


@pytest.fixture
def clock(app: App):
    """The clock of the module, to be set and set back."""
    yield app.clock
    app.clock.at = moment(NOON)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mapping(app: App):
    return await new_mapping(app)


CONSENT = notes_for("osl-10-1")


# --- attacks: what must not be stored -------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", sorted(NOTES))
@pytest.mark.parametrize("instead", [None, "", " \t "])
async def test_grant_that_lacks_an_attestation_is_not_stored(app: App, mapping, missing, instead):
    one, request, before = await record(app, mapping), await ask(app), await counted(app)
    notes = {name: text for name, text in NOTES.items() if name != missing}
    notes |= {} if instead is None else {missing: instead}
    answer = await decide(app, request, grant(one, attestations=notes))
    if instead == "":
        assert answer.status_code == 422
    else:
        assert wrong(answer) == [f"body.attestations.{missing}"]
    assert await counted(app) == before
    assert (await officer(app).get(f"disclosure-requests/{request}")).json()["state"] == "submitted"
    assert wrong(await own_initiative(app, initiative(one, attestations={}))) == [
        f"body.attestations.{name}" for name in NOTES
    ]


async def test_guess_at_an_id_of_others_is_answered_like_an_id_of_nobodys(app: App, mapping):
    own = await record(app, mapping)
    foreign = await record(app, mapping, "polismyndigheten")
    neighbours = await record(app, mapping, "sodermalm-socialtjanst", birthDate=TWENTY_TWO, protectedIdentity=True)
    request, before = await ask(app), await counted(app)

    async def told(make, *items):
        answer = await make(items)
        assert answer.status_code == 409
        text = answer.text
        for item in items:
            text = text.replace(item, "id")
        return answer.status_code, {k: v for k, v in answer.headers.items() if k != "traceparent"}, text

    async def as_grant(items):
        return await decide(app, request, grant(*items, fields=["name", "contact", "mapping"]))

    async def as_own(items):
        return await own_initiative(app, initiative(*items, fields=["name", "role", "mapping"]))

    for make in (as_grant, as_own):
        for around in ((), (own,)):
            nobodys = await told(make, *around, NOBODYS)
            assert await told(make, *around, foreign) == nobodys
            assert await told(make, *around, neighbours) == nobodys
            assert f"body.items[{len(around)}]" in nobodys[2]
    assert await counted(app) == before


async def test_requester_cannot_grant_itself_and_nobody_else_can_decide(app: App):
    mapping = await new_mapping(app)
    one, request = await record(app, mapping), await ask(app)
    assert (await decide(app, request, grant(one), POLICE)).status_code == 403
    for agency in ("sodermalm-socialtjanst", CARE):
        seen = await decide(app, request, grant(one), agency)
        nobodys = await decide(app, NOBODYS, grant(one), agency)
        assert seen.status_code == 404
        assert seen.text.replace(request, NOBODYS) == nobodys.text
    assert await shown(app, mapping) == []


@pytest.mark.parametrize("who", ["machine", "person without a role", "person without the scope"])
async def test_only_a_person_with_a_role_and_the_scope_decides(app: App, who):
    mapping = await new_mapping(app)
    one, request = await record(app, mapping), await ask(app)
    token = app.issuer.token(
        HOLDER,
        list(law().purposes),
        ["read"] if who == "person without the scope" else ["read", "disclosure:decide"],
        subject=None if who == "machine" else "handläggare-1",
        role="beslutsfattare" if who == "person without the scope" else None,
        now=app.clock(),
        new_id=lambda: str(uuid.uuid4()),
    )
    client = app.client(headers=WHY | {"Authorization": f"Bearer {token}"})
    assert (await client.post(f"disclosure-requests/{request}/decision", json=grant(one))).status_code == 403
    assert (await client.post("disclosure-decisions", json=initiative(one))).status_code == 403
    assert (await client.delete(f"disclosure-decisions/{NOBODYS}")).status_code == 403
    assert await shown(app, mapping) == []


async def test_of_a_22_year_old_and_of_one_of_unknown_age_nothing_is_given_under_18_a(app: App, mapping):
    young = await record(app, mapping)
    adult = await record(app, mapping, birthDate=TWENTY_TWO)
    unknown = await record(app, mapping, birthDate=None)
    request = await ask(app)
    answer = await decide(app, request, grant(young, adult, unknown))
    assert lacks(answer) == [
        ("body.items[1]", "subject-age", "10 kap. 18 a § OSL"),
        ("body.items[2]", "subject-age", "10 kap. 18 a § OSL"),
    ]
    assert [lack["actual"] for lack in answer.json()["lacks"]] == ["22", "unknown"]
    # Under the general rule of 10:15 a there is no age, and other things to attest to.
    notes = notes_for("osl-10-15a")
    general = grant(adult, unknown, provision="osl-10-15a", attestations=notes)
    assert (await decide(app, request, general)).status_code == 201


async def test_health_care_cannot_give_to_the_police_what_25_1_locks(app: App):
    mapping = await new_mapping(app)
    one = await record(app, mapping, CARE)
    body = initiative(one, provision="osl-10-15a", fields=["substances", "name"])
    answer = await own_initiative(app, body, CARE)
    assert lacks(answer) == [
        ("body.fields.substances", "secrecy", "25 kap. 1 § OSL"),
        ("body.fields.name", "secrecy", "25 kap. 1 § OSL"),
    ]
    # Asked for under a provision that does open it, it is still not given under the one that does not.
    request = await ask(app, holder=CARE, provision="lag-2025-170-4", kinds=["person-contact"])
    instead = await decide(app, request, grant(one, fields=["contact"], provision="osl-10-15a"), CARE)
    assert ("body.fields.contact", "secrecy", "25 kap. 1 § OSL") in lacks(instead)
    assert await shown(app, mapping, POLICE) == []


async def test_provision_not_in_force_carries_no_grant(app: App, mapping, clock):
    clock.at = moment("2025-11-30T12:00:00Z")
    one = await record(app, mapping)
    early = await own_initiative(app, initiative(one, provision="osl-10-15a", validUntil="2025-12-31"))
    assert ("body.provision", "in-force", "10 kap. 15 a § OSL") in lacks(early)
    unknown = await own_initiative(app, initiative(one, provision="osl-99-1"))
    assert wrong(unknown) == ["body.provision"]


@pytest.mark.parametrize(
    ("until", "stored"),
    [
        ("2026-11-19", False),
        ("2026-11-20T11:00:00Z", False),
        ("2026-11-20T12:00:01+01:00", True),
        ("2026-11-20", True),
        ("2027-11-20", True),
        ("2027-11-20T22:59:59Z", True),
        ("2027-11-20T23:00:01Z", False),
        ("2027-11-21", False),
    ],
)
async def test_decision_ends_in_time_to_come_and_within_a_year(app: App, mapping, until, stored):
    answer = await own_initiative(app, initiative(await record(app, mapping), validUntil=until))
    assert answer.status_code == 201 if stored else wrong(answer) == ["body.validUntil"]


@pytest.mark.parametrize(
    ("until", "instant"),
    [
        ("2026-12-31", "2026-12-31T23:00:00+00:00"),
        # The clocks are an hour ahead in summer.
        ("2027-06-30", "2027-06-30T22:00:00+00:00"),
        ("2027-06-30T12:00:00+02:00", "2027-06-30T10:00:00+00:00"),
    ],
)
async def test_day_ends_at_midnight_in_sweden(app: App, mapping, until, instant):
    answer = await own_initiative(app, initiative(await record(app, mapping), validUntil=until))
    assert answer.json()["validUntil"] == instant


async def test_what_was_not_asked_for_is_not_granted_on_request(app: App, mapping):
    one = await record(app, mapping)
    answer = await decide(app, await ask(app), grant(one, fields=["name", "contact", "substances"]))
    assert wrong(answer) == ["body.fields.contact", "body.fields.substances"]


async def test_every_obstacle_is_named_at_once(app: App, mapping):
    adult = await record(app, mapping, birthDate=TWENTY_TWO)
    body = initiative(
        NOBODYS, adult, recipient="tullverket", purpose="statistics", validUntil="2026-01-01",
        attestations={"receiver-secrecy": "Ja (påhittat).", "found-out": "Nej."},
    )  # fmt: skip
    assert sorted(wrong(await own_initiative(app, body))) == sorted([
        "body.attestations.concrete-risk-of-crime", "body.attestations.data-protection-check",
        "body.attestations.found-out", "body.attestations.not-about-committed-crime",
        "body.attestations.not-unsuitable-for-interventions", "body.items[0]", "body.items[1]", "body.provision",
        "body.validUntil",
    ])  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [{"items": []}, {"fields": []}, {"fields": ["shoeSize"]}, {"outcome": "maybe"}, {"items": ["x"]},
     {"validUntil": "i morgon"}, {"validUntil": 0}, {"recipient": POLICE}, {"attestations": {"A b": "x"}}],
)  # fmt: skip
async def test_grant_follows_the_schema(app: App, mapping, changes):
    assert (await decide(app, await ask(app), grant(NOBODYS) | changes)).status_code == 422


async def test_refusal_says_why(app: App):
    assert (await decide(app, await ask(app), {"outcome": "refused"})).status_code == 422


async def test_holder_is_not_the_recipient_and_the_recipient_is_registered(app: App, mapping):
    one = await record(app, mapping)
    for recipient in (HOLDER, "okand-myndighet"):
        assert wrong(await own_initiative(app, initiative(one, recipient=recipient))) == ["body.recipient"]


@pytest.mark.parametrize("provision", ["osl-10-15a", "osl-10-18a", "osl-10-27", "lag-2025-170-4", "osl-6-5"])
async def test_no_rule_between_authorities_reaches_a_private_owner(app: App, mapping, provision):
    body = initiative(await record(app, mapping), recipient=OWNER, provision=provision)
    assert "to-sector" in {condition for _, condition, _ in lacks(await own_initiative(app, body))}


async def test_private_owner_decides_nothing(app: App):
    for answer in (
        await own_initiative(app, initiative(NOBODYS), OWNER),
        await decide(app, NOBODYS, grant(NOBODYS), OWNER),
        await revoke(app, NOBODYS, OWNER),
    ):
        assert answer.status_code == 403


# --- own initiative -------------------------------------------------------------------------------------------------

CONCERN = notes_for("sol-19-1")


@pytest.mark.parametrize("recipient", [HOLDER, POLICE, CARE, "skarholmen-trygghet", OWNER])
async def test_report_of_concern_goes_to_the_social_welfare_board_alone(app: App, recipient):
    mapping = await new_mapping(app)
    one = await record(app, mapping, "stockholm-utbildning")
    body = initiative(
        one, recipient=recipient, provision="sol-19-1", purpose="protect-child", fields=["name", "circumstances"],
        attestations=CONCERN,
    )  # fmt: skip
    answer = await own_initiative(app, body, "stockholm-utbildning")
    if recipient == HOLDER:
        assert answer.status_code == 201, answer.text
        assert answer.json()["request"] is None
        seen = await shown(app, mapping, HOLDER, **(WHY | {"Purpose": "protect-child"}))
        assert [(row["holder"], row["name"]) for row in seen] == [("stockholm-utbildning", "Påhittad Person (fiktiv)")]
    else:
        assert ("body.provision", "to-sector", "19 kap. 1 § SoL") in lacks(answer)


async def test_report_of_concern_is_not_about_an_adult(app: App, mapping):
    adult = await record(app, mapping, "stockholm-utbildning", birthDate=TWENTY_TWO)
    body = initiative(adult, recipient=HOLDER, provision="sol-19-1", purpose="protect-child", fields=["name"],
                      attestations=CONCERN)  # fmt: skip
    assert ("body.items[0]", "subject-age", "19 kap. 1 § SoL") in lacks(
        await own_initiative(app, body, "stockholm-utbildning")
    )


async def test_contact_details_are_given_on_request_and_not_on_own_initiative(app: App, mapping):
    one = await record(app, mapping, CARE)
    notes = notes_for("lag-2025-170-4")
    own = initiative(one, provision="lag-2025-170-4", fields=["contact"], attestations=notes)
    assert [condition for _, condition, _ in lacks(await own_initiative(app, own, CARE))] == ["other"]
    request = await ask(app, holder=CARE, provision="lag-2025-170-4", kinds=["person-contact"])
    answer = await decide(app, request, grant(one, fields=["contact"], attestations=notes), CARE)
    assert answer.json()["state"] == "granted"
    seen = await shown_under(app, answer.json()["decision"])
    assert [row["contact"] for row in seen] == ["070-174 06 05 (fiktivt)"]


async def test_consent_reaches_a_private_actor_because_the_law_says_anyone(app: App, mapping):
    one = await record(app, mapping, birthDate=TWENTY_TWO)
    body = initiative(one, recipient=OWNER, provision="osl-10-1", fields=["name"], attestations=CONSENT)
    answer = await own_initiative(app, body)
    assert answer.status_code == 201, answer.text
    assert [row["name"] for row in await shown_under(app, answer.json()["id"], OWNER)] == ["Påhittad Person (fiktiv)"]
