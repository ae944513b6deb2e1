"""The image runs as nobody in particular, and everything that is installed is pinned by hash."""

import importlib.machinery
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-runtime.lock", "requirements-build.lock"]
HASH = "--hash=sha256:" + "0" * 64


def instructions() -> list[list[tuple[str, str]]]:
    """The Dockerfile's instructions, one list per stage."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    stages: list[list[tuple[str, str]]] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, _, value = line.strip().partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, value.strip()))
    return stages


def compose() -> dict:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def lock():
    """The script `.ci/lock`, as a module."""
    loader = importlib.machinery.SourceFileLoader("ci_lock", str(ROOT / ".ci" / "lock"))
    spec = importlib.util.spec_from_loader("ci_lock", loader)
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


def test_image_is_built_in_a_stage_of_its_own():
    stages = instructions()
    assert len(stages) >= 2
    copied = [value for name, value in stages[-1] if name == "COPY"]
    assert copied
    assert all(value.startswith("--from=") for value in copied)


def test_image_runs_as_a_number_that_is_not_root():
    users = [value for name, value in instructions()[-1] if name == "USER"]
    assert users
    assert re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", users[-1])
    names = [name for name, _ in instructions()[-1]]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "RUN" not in names[names.index("USER") :]


def test_image_says_whether_it_is_ready_without_tools_it_lacks():
    checks = [value for name, value in instructions()[-1] if name == "HEALTHCHECK"]
    assert len(checks) == 1
    assert "/health/ready" in checks[0]
    assert '"python"' in checks[0]
    assert not re.search(r"\b(curl|wget)\b", checks[0])


def test_nothing_enters_the_image_without_a_hash():
    commands = [
        command.strip()
        for stage in instructions()
        for name, value in stage
        if name == "RUN"
        for command in value.split("&&")
        if re.search(r"\bpip (install|wheel|download)\b", command)
    ]
    assert len(commands) >= 3
    assert all("--require-hashes" in command or "--no-index" in command for command in commands)
    assert not re.search(r"^ADD\b|https?://[^1]", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)


def test_build_context_is_an_allow_list_that_covers_what_is_copied():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    sources = {
        source.removeprefix("./")
        for name, value in instructions()[0]
        if name == "COPY"
        for source in value.split()[:-1]
    }
    assert sources == allowed
    assert all((ROOT / source).exists() for source in sources)


def test_image_starts_with_a_command_that_the_command_line_has():
    final = dict(instructions()[-1])
    assert final["ENTRYPOINT"] == '["samsyn"]'
    command = yaml.safe_load(final["CMD"])
    script = f"import sys; sys.argv = ['samsyn', {command[0]!r}, '--help']; from api.cli import main; main()"
    environment = os.environ | {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr[-2000:]
    assert [option for option in command if option.startswith("--") and option not in shown.stdout] == []


def test_compose_migrates_once_the_database_is_healthy_and_serves_once_it_is_migrated():
    services = compose()["services"]
    assert "healthcheck" in services["database"]
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert services["migrate"]["command"] == ["migrate"]
    assert services["samsyn"]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_compose_runs_the_service_on_a_read_only_file_system_without_capabilities():
    for name in ("migrate", "samsyn"):
        service = compose()["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]


def test_compose_holds_no_secret_and_publishes_to_this_machine_only():
    services = compose()["services"]
    for service in services.values():
        for name, value in service["environment"].items():
            if re.search("PASSWORD|SECRET|KEY|DATABASE_URL", name):
                assert "${POSTGRES_PASSWORD:?" in value or value.startswith("/run/secrets/")
    assert all("${" in secret["file"] for secret in compose()["secrets"].values())
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_holds_nothing_but_pins_with_hashes(lock, name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert lock.unclean(name, text) == []
    assert all(lock.parse(text).values())
    assert "://" not in text


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://index.example/simple\n",
        "--find-links wheels\n",
        "alembic==1.20.1\n",
        f"alembic>=1 \\\n    {HASH}\n",
        f"alembic @ https://index.example/alembic.whl \\\n    {HASH}\n",
        f"./alembic.whl \\\n    {HASH}\n",
        "alembic==1.20.1 \\\n    --hash=md5:00\n",
    ],
)
def test_lock_check_finds_a_line_that_is_not_a_pin_with_hashes(lock, line):
    good = f"anyio==4.16.0 ; sys_platform == 'linux' \\\n    {HASH} \\\n    {HASH}\n"
    assert lock.unclean("x", good) == []
    assert lock.unclean("x", good + line) != []


def test_constraints_of_a_clean_clone_are_the_pins_of_the_lock(lock):
    pins = lock.parse((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    assert lock.constraints() == list(pins)


def test_image_installs_only_what_the_lock_of_the_tests_holds_too(lock):
    everything, runtime, _ = (lock.parse((ROOT / name).read_text(encoding="utf-8")) for name in LOCKS)
    assert runtime.items() <= everything.items()
    assert not {"pytest", "hypothesis", "schemathesis", "mypy", "ruff"} & {pin.split("==")[0] for pin in runtime}


def test_every_direct_dependency_is_pinned(lock):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"].values()
    direct = project["project"]["dependencies"] + [item for group in groups for item in group if isinstance(item, str)]
    names = {re.split(r"[\[<>=!~; ]", item, maxsplit=1)[0].lower() for item in direct}
    pinned = {pin.split("==")[0].lower() for pin in lock.parse((ROOT / LOCKS[0]).read_text(encoding="utf-8"))}
    assert names - pinned == set()


def test_continuous_integration_ends_with_the_users_own_test_command():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    commands = [line for line in script.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert commands[-1] == "uv run pytest"
    assert "set -euo pipefail" in commands
    assert any(line.startswith("python3 -m pip install -q uv") for line in commands)
    unset = next(shlex.split(line) for line in commands if line.startswith("unset "))
    assert {"DATABASE_URL", "${!PG@}", "${!SAMSYN_@}"} <= set(unset)


@pytest.mark.parametrize("name", ["run", "lock", "vendor"])
def test_script_of_the_continuous_integration_can_be_run(name):
    assert os.access(ROOT / ".ci" / name, os.X_OK)
