"""A service under attack: its data directory, the database below it, and the agencies that work with it."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.cli_ledger import _Service
from api.identity.caller import SCOPES
from api.identity.development import DevelopmentIssuer
from api.ledger import repository
from api.ledger.checkpoint import WITNESS, VerifierKey
from api.ledger.signing import signer_of
from api.ledger.witness import Witness
from api.settings import Settings
from api.store.database import Database
from api.store.embedded import embedded_server
from api.store.embedded_binaries import binaries
from api.store.embedded_home import open_home
from api.store.embedded_process import CLEAN_ENVIRONMENT
from api.store.migrate import upgrade
from policies.catalogue import law
from tests.functional.disclosure_support import HOLDER, PERSON, POLICE
from tests.integration.embedded_support import as_server_account, cluster_processes, kill_cluster, until
from tests.integration.process_support import Service, end, environment, free_port
from tests.integration.small_disk import SmallDisk
from tests.support import SCENE, seed

NOW = datetime.now(UTC)
MAPPING = {
    "mappedOn": "2025-10-05",
    "physicalPlace": "Torg (fiktivt).",
    "use": "Genomgång (fiktivt).",
    "policeWork": "Synlig närvaro (fiktivt).",
}
UNTIL = (NOW + timedelta(days=30)).date().isoformat()
PERSONS = 3
# On a machine that is busy with much else; nothing is measured here.
PATIENCE_S = 120
WITNESSING = "tullverket"
WITNESS_NAME = "tullverket.example/witness"


class Embedded:
    """The database that the service starts itself: it ends with it, and starts again with it."""

    def __init__(self, data_dir, *, megabytes=None):
        """`megabytes`: of a disk of its own, where one may be mounted."""
        self.place, self.environment = data_dir, {}
        self.disk = SmallDisk(data_dir, megabytes) if megabytes else None

    @contextlib.contextmanager
    def running(self):
        with embedded_server(self.place) as server:
            yield server.dsn()

    def kill(self):
        kill_cluster(self.place)

    def end(self):
        kill_cluster(self.place)
        if self.disk is not None:
            self.disk.end()


class Outside:
    """A database of its own, which an operator starts and restarts: the service only knows its address."""

    def __init__(self, *, megabytes=None):
        """`megabytes`: of a disk of its own for the tables; the write-ahead log lies on another."""
        self.place = Path(tempfile.mkdtemp(prefix="samsyn-outside-", dir="/tmp"))
        self.place.chmod(0o711)
        account = open_home(self.place).account
        home = self.place / "postgresql"
        os.chown(home, account.uid, account.gid)
        self.cluster, self.log = home / "cluster", home / "said.log"
        self.disk = SmallDisk(self.cluster, megabytes, account) if megabytes else None
        if self.disk is not None and self.disk.reason:
            self.cluster.rmdir()
        self.dsn = f"postgresql://samsyn@/postgres?host={home}&port=5432"
        self.environment = {"DATABASE_URL": self.dsn}
        self._programs, self._as = binaries(account), as_server_account(self.place)
        self._run("initdb", "--username=samsyn", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync",
                  f"--waldir={home / 'wal'}")  # fmt: skip
        self.start()

    def _run(self, program, *arguments):
        done = subprocess.run(
            [self._programs / program, "-D", self.cluster, *arguments],
            env=CLEAN_ENVIRONMENT, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=2 * PATIENCE_S, **self._as,
        )  # fmt: skip
        log = self.log.read_text()[-2000:] if self.log.exists() else ""
        assert done.returncode == 0, done.stdout + done.stderr + log

    def start(self):
        # Nobody of the cluster lives; but where nobody buries the dead, a killed server still has its number.
        for left in (self.cluster / "postmaster.pid", self.cluster.parent / ".s.PGSQL.5432.lock"):
            left.unlink(missing_ok=True)
        said = f"-c listen_addresses= -c unix_socket_directories={self.cluster.parent}"
        self._run("pg_ctl", "start", "-w", "-t", str(PATIENCE_S), "-l", self.log, "-o", said)

    def restart(self):
        self._run("pg_ctl", "restart", "-w", "-t", str(PATIENCE_S), "-l", self.log, "-m", "immediate")

    @contextlib.contextmanager
    def running(self):
        yield self.dsn

    def kill(self):
        kill_cluster(self.place)

    def end(self):
        kill_cluster(self.place)
        if self.disk is not None:
            self.disk.end()
        shutil.rmtree(self.place, ignore_errors=True)


class House:
    """A scene, a mapping and persons in it, an agency that watches the ledger, and the service over all of it.

    `checkpoints` are all that anybody was shown, whatever the house went through. `disk`: what `data_dir` lies on.
    """

    def __init__(self, data_dir, database, disk=None):
        self.data_dir, self.database, self.disk, self.port = data_dir, database, disk, free_port()
        self.services, self.checkpoints, self.revoked = [], {}, set()
        self.witness_key = Ed25519PrivateKey.generate()
        with database.running() as dsn:
            upgrade(dsn)
            asyncio.run(self._prepare(dsn))
        self.settings = Settings(data_dir=data_dir)
        self.issuer = DevelopmentIssuer.load_or_create(
            data_dir, issuer=self.settings.issuer, audience=self.settings.audience
        )
        self.start()
        with self.asking(POLICE) as police, self.asking(HOLDER) as holder:
            self.scene = _made(police.post("scenes", json=SCENE))
            self.mapping = _made(police.post(f"scenes/{self.scene}/mappings", json=MAPPING))
            born = f"{NOW.year - 17}-01-01"
            self.persons = [
                _made(holder.post(f"mappings/{self.mapping}/individuals", json=PERSON | {"birthDate": born}))
                for _ in range(PERSONS)
            ]

    async def _prepare(self, dsn):
        await seed(dsn)
        database = Database(dsn)
        async with database.transaction() as connection:
            key = VerifierKey(WITNESS_NAME, WITNESS, self.witness_key.public_key().public_bytes_raw())
            await repository.register_witness(connection, repository.Witness(WITNESSING, key))
        await database.close()

    @property
    def service(self):
        return self.services[-1]

    @property
    def signer(self):
        return signer_of(self.settings)

    def start(self):
        env = environment(self.data_dir, **self.database.environment)
        self.services.append(Service("serve", self.data_dir, self.port, env=env))
        self.service.ready()

    def end(self):
        end(self.services, self.data_dir)
        self.database.end()
        if self.disk is not None:
            self.disk.end()

    def health(self, what="ready"):
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.port}/health/{what}", timeout=PATIENCE_S).status_code
        return None

    def recover(self):
        """What an operator does, and no more: start what is not there."""
        if isinstance(self.database, Outside) and not cluster_processes(self.database.place):
            self.database.start()
        if self.service.process.poll() is None and not cluster_processes(self.database.place):
            assert (self.health("live"), self.health()) == (200, 503)
            self.service.stop(PATIENCE_S)
        if self.service.process.poll() is not None:
            self.start()
        until(lambda: self.health() == 200, PATIENCE_S)
        # Of the connections that died with the database one is found out at each end: for reads, leaves and writes.
        with self.asking(POLICE, {"Purpose": "prevent-crime"}) as police:
            for path in (f"mappings/{self.mapping}", "ledger/checkpoint"):
                until(lambda path=path: police.get(path).status_code == 200, PATIENCE_S)

    def token(self, agency, *, person=False):
        return self.issuer.token(
            agency,
            list(law().purposes),
            sorted(SCOPES),
            subject="handläggare-1" if person else None,
            role="beslutsfattare" if person else None,
            now=datetime.now(UTC),
            new_id=lambda: str(uuid.uuid4()),
        )

    def _how(self, agency, why, person):
        headers = {"Authorization": f"Bearer {self.token(agency, person=person)}"} | (why or {})
        return {"base_url": self.service.api, "headers": headers, "timeout": PATIENCE_S}

    def client(self, agency, why=None, *, person=False):
        return httpx.AsyncClient(**self._how(agency, why, person))

    def asking(self, agency, why=None, *, person=False):
        return httpx.Client(**self._how(agency, why, person))

    @contextlib.contextmanager
    def witness(self):
        """The watching agency: what it has seen it remembers through every crash."""
        path = self.data_dir.parent / "witness"
        with self.asking(WITNESSING) as client:
            service = _Service(client, str(client.base_url).rstrip("/"))
            yield Witness(service, self.witness_key, path, lambda: int(datetime.now(UTC).timestamp()))

    async def fetch(self, dsn, statement):
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()


def kill_backend(database):
    """The end of one of the database's processes, which takes all the others with it."""
    for pid in cluster_processes(database.place):
        with contextlib.suppress(OSError):
            if b"[local]" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
                return
    raise AssertionError("nobody was connected")


def _made(answer):
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]
