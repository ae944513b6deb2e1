"""The ledger's commands as an operator and an agency run them, against a service on a socket."""

import asyncio
import json
import subprocess

import httpx
import pytest

from api.ledger.checkpoint import LOG, Note, VerifierKey
from tests.functional.ledger_support import grow, past_the_triggers, put_back
from tests.integration.process_support import SAMSYN, Service, end, environment, free_port, run_within
from tests.support import App, copy_database, open_app

AGENCY, NAME = "polismyndigheten", "polis.example/witness"

# Commands that have been started as a process.
_started: set[str] = set()


class House:
    """A database of its own, a folder, and the commands that work on both."""

    def __init__(self, url, folder):
        self.url, self.folder, self.services = url, folder, []
        self.data_dir = folder / "data"
        self.data_dir.mkdir()
        self.env = environment(folder, DATABASE_URL=url, SAMSYN_DATA_DIR=str(self.data_dir))

    def run(self, *arguments, **env):
        """A process for the first run of each command, the later ones within this."""
        env, cwd, arguments = self.env | env, self.folder, [str(part) for part in arguments]
        if arguments[0] in _started:
            ran = run_within(*arguments, env=env, cwd=cwd)
        else:
            _started.add(arguments[0])
            ran = subprocess.run(
                [SAMSYN, *arguments], env=env, cwd=cwd, capture_output=True, text=True, check=False, timeout=120
            )
        return ran.returncode, ran.stdout + ran.stderr

    def said(self, *arguments):
        status, said = self.run(*arguments)
        assert status == 0, said
        return said.strip()

    def serve(self):
        service = Service("serve", self.data_dir, free_port(), env=self.env)
        self.services.append(service)
        service.ready()
        return service.api.rstrip("/")

    def through(self, work):
        """Do something by the service's own parts, without a socket."""

        async def do():
            async with open_app(self.url, self.data_dir) as app:
                return await work(app)

        return asyncio.run(do())


def foreign_log_key():
    return VerifierKey("samsyn.example/ledger", LOG, bytes(32)).text


@pytest.fixture
def house(server, template, tmp_path):
    made = House(asyncio.run(copy_database(server.dsn(), template)), tmp_path)
    yield made
    end(made.services, made.data_dir)


def test_operator_and_agency_watch_the_ledger_together(house):
    house.through(lambda app: grow(app, 5))
    assert "nothing is wrong with the ledger" in house.said("verify")

    # The agency makes a key, the operator registers it.
    public = house.said("witness-key", "witness.pem", NAME)
    assert public.startswith(f"{NAME}+")
    assert house.said("witness-key", "witness.pem", NAME) == public
    assert NAME in house.said("witness", AGENCY, public)

    # The agency cosigns, again and again.
    api = house.serve()

    def cosign(status=0):
        token = house.said("token", AGENCY)
        given = ("--url", api, "--key", "witness.pem", "--state", "seen.json", "--token", token)
        ended, said = house.run("cosign", *given)
        assert ended == status, said
        return said

    assert "cosigned: 5 leaves" in cosign()
    house.through(lambda app: grow(app, 2))
    assert "cosigned: 7 leaves" in cosign()
    note = Note.parse(httpx.get(f"{api}/ledger/checkpoint").text)
    assert [signature.name for signature in note.signatures] == ["samsyn.example/ledger", NAME]
    (house.folder / "kept").write_text(note.whole)

    # Whoever verifies the database by keys from elsewhere is told what they say of it.
    strange = house.said("witness-key", "other.pem", "strange.example/witness")
    said = house.said("verify", "--key", public, "--key", strange)
    assert "2 cosignatures, and 0 passed over" in said
    assert f"{NAME}: 7 leaves cosigned" in said
    assert "strange.example/witness: no cosignature" in said
    for log_key, expected in ((httpx.get(f"{api}/ledger/key").json()["key"], 0), (foreign_log_key(), 1)):
        assert house.run("verify", "--key", log_key)[0] == expected

    # It verifies what the service shows, by the key that it has from elsewhere.
    log_key = json.loads((house.folder / "seen.json").read_text())["logKey"]
    shown = ("--url", api, "--token", house.said("token", AGENCY), "--key", log_key, "--key", public)
    assert "7 leaves" in house.said("verify", *shown, "--checkpoint", "kept")

    # Somebody who has database and key forgets two leaves, and what was signed.
    async def forget(app: App):
        async with app.database.transaction() as connection:
            from api.ledger import merkle, repository

            leaves = await repository.read_leaves(connection, 0, 5)
        head = merkle.Frontier()
        for leaf in leaves:
            head, _ = head.append(leaf.hash)
        await past_the_triggers(app, *put_back(5, head))

    house.through(forget)
    status, said = house.run("verify")
    assert status == 1, said
    assert "leaves 5 to 6 have been removed" in said
    (house.data_dir / "ledger-key.pem.signed").unlink()
    status, said = house.run("verify")
    assert status == 1, said
    assert f"{AGENCY} has cosigned 7 leaves" in said
    end(house.services, house.data_dir)
    api = house.serve()
    assert "shrunk from 7 to 5" in cosign(status=1)
    status, said = house.run("verify", "--url", api, *shown[2:], "--checkpoint", "kept")
    assert status == 1, said
    assert "WRONG: leaves 5 to 6 have been removed" in said


def test_what_cannot_be_told_is_told_apart_from_a_fault(house):
    assert house.run("verify", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")[0] == 2
    assert house.run("verify", "--leaves", "none")[0] == 2
    given = ("--key", "none.pem", "--state", "seen.json", "--token", "x")
    assert house.run("cosign", "--url", "http://127.0.0.1:1/samsyn/v1", *given)[0] == 2
    # What is given is looked at, also where only the database is verified.
    for given_alone in (("--key", "no key at all"), ("--token", "x")):
        assert house.run("verify", *given_alone)[0] == 2
    house.said("witness-key", "none.pem", NAME)
    assert house.run("cosign", "--url", "http://127.0.0.1:1/samsyn/v1", *given)[0] == 2
    house.through(lambda app: past_the_triggers(app, "DROP TABLE ledger_nodes"))
    status, said = house.run("verify")
    assert status == 2, said
    assert "Traceback" not in said


def test_witness_is_registered_only_with_a_key_of_its_own(house):
    public = house.said("witness-key", "witness.pem", NAME)
    log_itself = house.said("witness-key", house.data_dir / "ledger-key.pem", "log.example/witness")
    house.said("witness", AGENCY, public)
    for agency, key, why in (
        (AGENCY, "x", "not a verifier key"),
        (AGENCY, log_itself, "the log's own key"),
        ("tullverket", public, "another agency cosigns"),
        ("nobody", public, "no such authority"),
        ("centrumagaren", house.said("witness-key", "other.pem", "a.example/w"), "no such authority"),
    ):
        status, said = house.run("witness", agency, key)
        assert status == 1, said
        assert why in said
    status, said = house.run("witness-key", "other.pem", "a name")
    assert status == 1
    assert "not a verifier key" in said
