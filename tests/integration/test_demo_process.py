"""`samsyn demo` as a newcomer meets it: one command, lines that work as pasted, and nothing left when it ends."""

import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import httpx
import pytest

from tests.integration.embedded_support import ROOT, as_root, cluster_processes, kill_cluster
from tests.integration.process_support import SAMSYN, Service, end, environment, processes_of, wheel_programs

TRAPS = ("postgres", "initdb", "pg_ctl", "psql", "pg_config")
TOOLS = ("bash", "curl", "date", "env", "sh", "touch")
# It takes two seconds where nothing else runs.
WARM_START_S = 20
CURL_LINES = re.compile(r"^curl (?:.*\\\n)*.*", re.MULTILINE)


def newcomers_path(place):
    """A PATH with the tools that the lines need, and with a trap for every program of another PostgreSQL."""
    place.mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (place / tool).symlink_to(found)
    for trap in TRAPS:
        (place / trap).write_text(f"#!/bin/sh\ntouch {place}/sprung\nexit 1\n")
    # The lines say `uv run samsyn`; here that is the samsyn that is tested, without installing it once more.
    (place / "uv").write_text(f'#!/bin/sh\nshift 2\nexec {SAMSYN} "$@"\n')
    for script in (*TRAPS, "uv"):
        (place / script).chmod(0o755)
    return str(place)


class Demo:
    """One data directory and the demos that were started on it, one after the other."""

    def __init__(self, base):
        self.base, self.data_dir, self.runs = base, base / "data", []
        self.path = newcomers_path(base / "bin")
        (base / "home").mkdir()
        # What another PostgreSQL's user may have set must decide nothing here.
        self.environment = environment(base / "home", PGHOST="/nowhere", PGPORT="1", PGDATA="/nowhere", PGUSER="nobody")
        self.environment["PATH"] = self.path

    def start(self):
        run = Service("demo", self.data_dir, 0, env=self.environment, cwd=self.base / "home")
        self.runs.append(run)
        return run, run.ready()

    def token(self, agency):
        command = [SAMSYN, "token", agency, "--data-dir", self.data_dir]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout.strip()

    def paste(self, lines):
        """What the lines answer when they are pasted into a shell: status and body."""
        done = subprocess.run(
            ["bash", "-c", f"{lines} -w '\\n%{{http_code}}'"],
            env=self.environment,
            cwd=self.base / "home",
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo, started cold."""
    made = Demo(tmp_path_factory.mktemp("demo"))
    made.run, _ = made.start()
    yield made
    end(made.runs, made.data_dir)


def test_three_tokens_and_progress_are_shown(demo):
    assert len(re.findall(r"eyJ[\w-]+\.[\w-]+\.[\w-]+", demo.run.said)) == 3
    for step in ("starting PostgreSQL", "migrating the database", "Ctrl-C"):
        assert step in demo.run.said


def test_database_is_the_wheels_and_no_other_postgresql_is_involved(demo):
    running = cluster_processes(demo.data_dir)
    assert running
    programs = wheel_programs()
    for program in running.values():
        assert program.resolve().is_relative_to(programs), program
    assert not Path(demo.path, "sprung").exists()


@pytest.mark.skipif(not shutil.which("bash") or not shutil.which("curl"), reason="needs bash and curl")
def test_printed_lines_work_as_pasted(demo):
    lines = CURL_LINES.findall(demo.run.said)
    answers = [demo.paste(line) for line in lines]
    assert [status for status, _ in answers] == [201, 201, 200, 200, 200, 200, 200], answers
    survey, batch, editions, police, health_care, figures, explanation = (body for _, body in answers)
    assert survey["agency"] == "skarholmen-trygghet"
    assert batch["accepted"] == 1
    assert police["id"] == health_care["id"] in {item["id"] for item in editions["items"]}
    assert figures["items"]
    assert explanation["outcome"] == "needs-decision"


@pytest.mark.skipif(not shutil.which("bash") or not shutil.which("curl"), reason="needs bash and curl")
def test_another_sector_sees_other_fields_of_the_same_report_and_why(demo):
    police, health_care = (demo.paste(line)[1] for line in CURL_LINES.findall(demo.run.said)[3:5])
    withheld = health_care["_meta"]["disclosure"]["withheld"]
    assert set(police) > set(health_care)
    assert {entry["field"] for entry in withheld} == set(police) - set(health_care)
    assert all(entry["secrecy"] and entry["citation"] and entry["reason"] for entry in withheld)


def post_survey(demo, run):
    client = httpx.Client(base_url=run.api, headers={"Authorization": f"Bearer {demo.token('skarholmen-trygghet')}"})
    scene = client.get("scenes?district=Skärholmen").json()["items"][0]["id"]
    answer = client.post(
        "intervention-surveys",
        json={"scene": scene, "period": "2026", "comment": "Står kvar (fiktivt).", "interventions": []},
        headers={"Idempotency-Key": f'"{uuid.uuid4()}"'},
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def read_survey(demo, run, survey):
    sent = {"Authorization": f"Bearer {demo.token('skarholmen-trygghet')}"}
    answer = httpx.get(f"{run.api}intervention-surveys/{survey}", headers=sent)
    return answer.json().get("comment")


# The demo of the tests above ends here: this one must stay the last that uses it.
def test_stopped_or_killed_demo_leaves_nothing_running_and_finds_its_data(demo):
    survey = post_survey(demo, demo.run)
    assert demo.run.stop(15) == 0
    assert not processes_of(demo.data_dir)

    second, warm_s = demo.start()
    assert warm_s < WARM_START_S
    assert "making the database" in demo.run.said
    assert "making the database" not in second.said
    assert read_survey(demo, second, survey) == "Står kvar (fiktivt)."
    after = post_survey(demo, second)
    second.kill()

    third, _ = demo.start()
    assert read_survey(demo, third, survey) == read_survey(demo, third, after) == "Står kvar (fiktivt)."
    third.process.send_signal(signal.SIGINT)
    third.process.wait(15)
    assert not processes_of(demo.data_dir)
    for run in demo.runs:
        assert "Traceback" not in run.said


def test_port_that_is_taken_is_told_in_one_line_and_nothing_is_started(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = Service("demo", tmp_path / "data", taken.getsockname()[1], env=environment(tmp_path))
        assert run.process.wait(60) == 1
    assert run.said.count("\n") == 1
    assert "--port" in run.said
    assert not (tmp_path / "data" / "postgresql").exists()


def programs():
    """Ways to start samsyn that may work for another account: as installed, or with the system's Python."""
    yield [str(SAMSYN)], {}
    site = next(path for path in sys.path if path.endswith("site-packages"))
    for folder in ("/usr/bin", "/usr/local/bin"):
        python = Path(folder, f"python3.{sys.version_info.minor}")
        if python.exists():
            yield [str(python), "-c", "from api.cli import main; main()"], {"PYTHONPATH": f"{ROOT}:{site}"}


def program_for(account, home):
    """The first way that works for the account, with the environment it needs; None where the code is unreadable."""
    for program, more in programs():
        with contextlib.suppress(OSError):
            done = subprocess.run(
                [*program, "--help"],
                user=account.pw_uid,
                group=account.pw_gid,
                extra_groups=[],
                env=environment(home, **more),
                cwd=home,
                capture_output=True,
                check=False,
                timeout=60,
            )
            if done.returncode == 0:
                return program, more
    return None


@as_root
def test_ordinary_account_runs_the_demo_with_a_home_of_its_own():
    account = pwd.getpwnam("nobody")
    place = Path(tempfile.mkdtemp(prefix="samsyn-demo-", dir="/tmp"))
    home = place / "home"
    home.mkdir()
    for folder in (place, home):
        os.chown(folder, account.pw_uid, account.pw_gid)
    try:
        found = program_for(account, home)
        if found is None:
            pytest.skip("the account `nobody` can read neither this environment nor the system's Python with it")
        program, more = found
        run = Service(
            "demo",
            home / "data",
            0,
            program=program,
            env=environment(home, **more),
            cwd=home,
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
        )
        try:
            run.ready()
            running = cluster_processes(home / "data")
            assert {Path(f"/proc/{pid}").stat().st_uid for pid in (*running, run.process.pid)} == {account.pw_uid}
            mode = stat.S_IMODE((home / "data" / "postgresql" / "cluster").stat().st_mode)
            assert mode == 0o700
            assert run.stop(15) == 0
            assert not processes_of(home / "data")
        finally:
            end([run], home / "data")
    finally:
        kill_cluster(home / "data")
        shutil.rmtree(place)
