"""Processes share one embedded server, and no kill -9 at any moment loses a row or hits an innocent process."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import asyncpg
import pytest

from api.store import embedded_process
from api.store.embedded import EmbeddedPostgresError, embedded_server
from api.store.embedded_home import open_home
from api.store.embedded_process import stop_server
from tests.integration.embedded_support import (
    IMPATIENT,
    as_server_account,
    cluster_processes,
    kill_cluster,
    leave,
    postmaster,
    psql,
    told,
    until,
    user_process,
)


@pytest.fixture
def data_dir(tmp_path):
    yield tmp_path
    kill_cluster(tmp_path)


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


def test_kill_of_anything_at_any_moment_is_recovered_from(data_dir):
    seed = int(os.environ.get("SAMSYN_TEST_SEED", time.time_ns()))
    print("SAMSYN_TEST_SEED =", seed)
    chance = random.Random(seed)
    for _ in range(10):
        users = [user_process(data_dir, patience=IMPATIENT, stdout=subprocess.DEVNULL) for _ in range(2)]
        time.sleep(chance.uniform(0.0, 0.6))
        servers = sorted(cluster_processes(data_dir))
        for pid in chance.sample(servers, chance.randint(0, len(servers))):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for user in users:
            if chance.random() < 0.7:
                user.kill()
            user.communicate("\n", timeout=30)
    with embedded_server(data_dir) as server:
        assert psql(server, "SELECT 1") == "1"
    assert not cluster_processes(data_dir)


def test_server_that_hangs_in_its_own_crash_recovery_is_restarted(data_dir):
    def running(kind):
        for pid in cluster_processes(data_dir):
            with contextlib.suppress(OSError):
                if kind in Path(f"/proc/{pid}/cmdline").read_text():
                    return pid
        return None

    user = user_process(data_dir)
    told(user, "up")
    stuck = postmaster(data_dir)
    os.kill(running("checkpointer"), signal.SIGKILL)
    until(lambda: running(": startup"))
    os.kill(running(": startup"), signal.SIGKILL)
    user.kill()
    user.communicate()
    with embedded_server(data_dir, patience=IMPATIENT) as server:
        assert psql(server, "SELECT 1") == "1"
        assert postmaster(data_dir) != stuck


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


def test_stopping_what_does_not_run_is_nothing(data_dir):
    stop_server(open_home(data_dir))
