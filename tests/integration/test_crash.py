"""kill -9 at any moment loses no acknowledged write, doubles none, halves none, and leaves the ledger whole.

    SAMSYN_TEST_SEED=n SAMSYN_TEST_CASES=m uv run pytest tests/integration/test_crash.py -m long -n 0 -s

runs so many rounds, 200 unless told; SAMSYN_TEST_SEED repeats what was chosen, not the instant at which it struck.
"""

import asyncio
import contextlib
import os
import random
import resource
import signal
import subprocess
import time

import asyncpg
import pytest

from api.ledger.checkpoint import Checkpoint, Note
from api.store.embedded import EmbeddedPostgresError
from tests.functional.disclosure_support import HOLDER, POLICE, WHY, asked, grant
from tests.integration.crash_checks import anybody_can_see_it, check, no_survey_is_there_twice, send_again
from tests.integration.crash_house import PATIENCE_S, UNTIL, Embedded, House, Outside, kill_backend
from tests.integration.crash_load import Record, load_until_killed, revoke, see, take_step
from tests.integration.embedded_support import cluster_processes, postmaster, until
from tests.integration.process_support import SAMSYN, environment
from tests.integration.small_disk import SmallDisk

LONG_ROUNDS = int(os.environ.get("SAMSYN_TEST_CASES", "200"))
# The ledger is counted again from its first leaf after each round, so it must not grow for ever.
ROUNDS_OF_A_HOUSE = 25
MEGABYTES = 320

KILLS = {
    "service": lambda house: house.service.kill(),
    "database": lambda house: house.database.kill(),
    "everything": lambda house: (house.service.kill(), house.database.kill()),
    # One process of the database is killed, and the database restarts itself.
    "backend": lambda house: kill_backend(house.database),
}
OUTSIDE_KILLS = KILLS | {"restart": lambda house: house.database.restart()}


def crash_and_recover(house, what, seconds, chance, *, warm):
    record = Record()
    asyncio.run(load_until_killed(house, record, lambda: OUTSIDE_KILLS[what](house), seconds, warm=warm))
    assert not record.unexpected, record.unexpected[:3]
    is_whole(house, record, chance)
    return record


def is_whole(house, record, chance):
    """With everything started that is not there: all that was answered holds, and all of it can be sent again."""
    house.recover()
    with house.database.running() as dsn:
        asyncio.run(check(house, dsn, record))
        asyncio.run(send_again(house, record))
        asyncio.run(check(house, dsn, record))
        asyncio.run(no_survey_is_there_twice(house, dsn, record))
        anybody_can_see_it(house, record, chance)


def nobody_was_surprised(house):
    assert "unexpected error" not in "".join(service.said for service in house.services)


def ends_well(house):
    """Whatever it went through: no error that nobody had thought of, and `samsyn verify` is content."""
    nobody_was_surprised(house)
    env = environment(house.data_dir, **house.database.environment)
    verified = subprocess.run(
        [SAMSYN, "verify", "--data-dir", house.data_dir], env=env, capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "nothing is wrong with the ledger" in verified.stdout


def chance_of(seed_):
    print("SAMSYN_TEST_SEED =", seed_)
    return random.Random(seed_)


def new_seed():
    return int(os.environ.get("SAMSYN_TEST_SEED", time.time_ns()))


class Houses:
    """Makes houses, and leaves nothing of them behind."""

    def __init__(self, folder):
        self.folder, self.made = folder, []

    def make(self, *, outside=False, megabytes=None):
        data_dir = self.folder / str(len(self.made)) / "data"
        data_dir.parent.mkdir()
        database = Outside(megabytes=megabytes) if outside else Embedded(data_dir, megabytes=megabytes)
        disk = SmallDisk(data_dir, 1) if outside and megabytes else database.disk
        try:
            self.made.append(House(data_dir, database, disk))
        except BaseException:
            database.end()
            raise
        return self.made[-1]

    def end(self):
        for house in self.made:
            house.end()


@pytest.fixture(scope="module")
def houses(tmp_path_factory):
    made = Houses(tmp_path_factory.mktemp("crash"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def house(houses):
    """Everything in one data directory, on a disk of its own where one may be mounted."""
    return houses.make(megabytes=MEGABYTES)


@pytest.fixture(scope="module")
def outside(houses):
    """A service on a database that is somebody else's, whose tables lie on a disk of their own, where that may be."""
    return houses.make(outside=True, megabytes=160)


def test_kill_at_a_random_moment_loses_doubles_and_halves_nothing(house):
    chance = chance_of(new_seed())
    for what in KILLS:
        # A round in which nothing was acknowledged would show nothing, hence `warm`.
        crash_and_recover(house, what, chance.random(), chance, warm=True)
    nobody_was_surprised(house)


def test_service_goes_on_over_the_restart_of_its_database(outside):
    chance = chance_of(new_seed())
    record = crash_and_recover(outside, "restart", chance.random(), chance, warm=True)
    assert record.refused, "nobody noticed that the database was away"
    assert len(outside.services) == 1
    nobody_was_surprised(outside)


@pytest.mark.parametrize("last", ["request", "decision", "answer", "revocation"])
def test_what_was_answered_this_instant_outlives_the_database(outside, last):
    """Alone, nobody else's commit takes it to the disk: what is acknowledged is there by itself."""
    record = Record()

    async def done(act, *arguments):
        # The first to come after the last round finds that the connections of then are dead.
        while not (answer := await act(record, *arguments)):
            assert not record.unexpected, record.unexpected
        return answer

    async def act():
        doomed = [*cluster_processes(outside.database.place)]
        async with outside.client(POLICE, WHY) as police, outside.client(HOLDER, WHY, person=True) as officer:
            request = await done(take_step, police, POLICE, "disclosure-requests", asked())
            if last != "request":
                path, body = f"disclosure-requests/{request['id']}/decision", grant(*outside.persons, validUntil=UNTIL)
                made = await done(take_step, officer, HOLDER, path, body)
            if last == "answer":
                assert await done(see, police, made["decision"]) == len(outside.persons)
            if last == "revocation":
                await done(revoke, officer, made["decision"])
            for pid in doomed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    asyncio.run(act())
    outside.database.kill()
    outside.recover()
    asyncio.run(check(outside, outside.database.dsn, record))


def test_service_goes_on_over_a_full_disk_of_the_tables(outside):
    """The database reads on and takes no row: reads and decisions are refused, and work again with the space."""
    disk, chance = outside.database.disk, chance_of(new_seed())
    disk.needed()
    record = Record()
    server = postmaster(outside.database.place)

    def fill():
        disk.fill()
        for what in (r"GET .*/mappings/", r"POST .*/disclosure-requests", r"POST .*/intervention-surveys"):
            until(lambda what=what: record.was_refused(what), PATIENCE_S)

    asyncio.run(load_until_killed(outside, record, fill, 0, warm=True))
    assert not record.unexpected, record.unexpected[:3]
    # Still full: what is public or shared is answered, nothing was stored by half, and the tree verifies.
    with outside.asking(POLICE) as client:
        assert client.get(f"scenes/{outside.scene}").status_code == 200
    asyncio.run(check(outside, outside.database.dsn, record))
    disk.free()
    is_whole(outside, record, chance)
    assert len(outside.services) == 1
    assert postmaster(outside.database.place) == server
    nobody_was_surprised(outside)


def test_full_disk_of_everything_ends_the_database_and_loses_nothing(house):
    """Where the write-ahead log finds no space PostgreSQL ends itself: the operator gives it space and starts again."""
    disk, chance = house.database.disk, chance_of(new_seed())
    disk.needed()
    record = Record()

    def fill():
        disk.fill()
        # As many megabytes of log as the whole disk has.
        for _ in range(MEGABYTES):
            if not cluster_processes(house.data_dir):
                return
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                asyncio.run(house.fetch(dsn, "SELECT pg_logical_emit_message(true, '', repeat('x', 1000000))"))
        raise AssertionError("the database found space that is not there")

    with house.database.running() as dsn:
        asyncio.run(load_until_killed(house, record, fill, 0, warm=True))
    assert not record.unexpected, record.unexpected[:3]
    with pytest.raises(EmbeddedPostgresError, match="free some space on that disk"), house.database.running():
        pass
    disk.free()
    is_whole(house, record, chance)
    ends_well(house)


@pytest.mark.parametrize("how", ["no file may grow", "its disk is full"])
def test_checkpoint_that_cannot_be_remembered_is_not_signed(outside, how):
    """The log's key signs nothing that it cannot remember. What is in the database is read and decided as before."""
    process, full = outside.service.process, how == "its disk is full"
    if full:
        outside.disk.needed()
    mapping, purpose = f"mappings/{outside.mapping}", {"Purpose": "prevent-crime"}
    with outside.asking(POLICE, WHY | purpose) as client:
        before = client.get("ledger/checkpoint")
        size = Checkpoint.parse(Note.parse(before.text).text).size
        files = {file.name: file.stat().st_ino for file in outside.data_dir.iterdir() if file.name != "filler"}
        most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        if full:
            outside.disk.fill()
        else:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, most[1]))
        try:
            assert client.get(mapping).status_code == 200
            assert client.post("disclosure-requests", json=asked()).status_code == 201
            refused = client.get("ledger/checkpoint")
            earlier = client.get("ledger/checkpoint", params={"size": size})
            left = {file.name: file.stat().st_ino for file in outside.data_dir.iterdir() if file.name != "filler"}
        finally:
            outside.disk.free()
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, most)
        after = client.get("ledger/checkpoint")
    assert refused.status_code == 503, refused.text
    assert "cannot remember what it signs" in refused.json()["detail"]
    assert (earlier.status_code, Note.parse(earlier.text).text) == (200, Note.parse(before.text).text)
    assert left == files, "what was signed has been replaced, or something is left lying about"
    assert Checkpoint.parse(Note.parse(after.text).text).size >= size + 2
    if full:
        assert "nothing new is signed" in outside.service.said
    with outside.witness() as witness:
        assert witness.cosign().size >= size + 2
    nobody_was_surprised(outside)


@pytest.mark.long
def test_many_kills_lose_double_and_halve_nothing(houses):
    chance = chance_of(new_seed())
    house = None
    acknowledged = receipts = 0
    for number in range(LONG_ROUNDS):
        if number % ROUNDS_OF_A_HOUSE == 0:
            if house is not None:
                ends_well(house)
                house.end()
            house = houses.make(outside=number // ROUNDS_OF_A_HOUSE % 2 == 1)
        kills = OUTSIDE_KILLS if isinstance(house.database, Outside) else KILLS
        what, seconds, warm = chance.choice(list(kills)), chance.random(), chance.random() < 0.5
        record = crash_and_recover(house, what, seconds, chance, warm=warm)
        acknowledged += sum(map(len, (record.survey_answers, record.batch_answers, record.posted, record.steps)))
        receipts += len(record.receipts)
        kind = type(house.database).__name__.lower()
        print(f"round {number + 1}: {what} ({kind}) after {seconds:.3f} s{', warm' if warm else ''}; so far"
              f" {acknowledged} writes, {receipts} receipts", flush=True)  # fmt: skip
    ends_well(house)
