"""`samsyn rotate-keys`, `retention` and `erase` as an operator runs them, beside a service that goes on answering."""

import base64
import subprocess
from pathlib import Path

import pytest
import pytest_asyncio

from api.protection.keys import KEY_FILE, key_source
from api.protection.sealing import Sealer
from tests.functional.individuals_support import HOLDER, PERSON, leaves, new_mapping, read, record
from tests.integration.process_support import SAMSYN, run_within
from tests.support import App

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRETS = (PERSON["contact"], "191212121212", str(PERSON["name"]))


def samsyn(
    app: App, *arguments: str, directory: Path | None = None, within: bool = False, **more: str
) -> subprocess.CompletedProcess[str]:
    directory = directory or app.services.settings.data_dir
    given = [*arguments, "--data-dir", str(directory)]
    env = {"DATABASE_URL": app.url, "PATH": "/usr/bin:/bin", "HOME": str(directory)} | more
    if within:
        done = run_within(*given, env=env, cwd=directory)
    else:
        done = subprocess.run([SAMSYN, *given], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]
    return done


@pytest_asyncio.fixture(loop_scope="session")
async def place(fresh_app: App):
    mapping = await new_mapping(fresh_app)
    await record(fresh_app, mapping)
    return fresh_app, mapping


async def sealed(app: App) -> list[bytes]:
    return [row["contact_sealed"] for row in await app.rows("SELECT contact_sealed FROM individuals")]


async def test_keys_are_rotated_while_the_service_runs(place):
    app, mapping = place
    path = app.services.settings.data_dir / KEY_FILE
    path.write_text(base64.b64encode(bytes(32)).decode() + "\n" + path.read_text())
    done = samsyn(app, "rotate-keys")
    assert (done.returncode, done.stdout.strip()) == (0, "2 sealed texts put under the newest key"), done.stderr
    newest = Sealer(key_source(app.services.settings))
    assert all(newest.is_newest(token) for token in await sealed(app))
    assert (await read(app, mapping, HOLDER)).json()["items"][0]["contact"] == PERSON["contact"]
    assert samsyn(app, "rotate-keys", within=True).stdout.startswith("0 ")


async def test_text_that_no_key_opens_is_told_and_fails_the_command(place):
    app, _ = place
    await app.execute("UPDATE individuals SET contact_sealed = 'x'")
    done = samsyn(app, "rotate-keys", within=True)
    assert done.returncode == 1
    assert "1 sealed texts are opened by no key in the file" in done.stderr
    assert await sealed(app) == [b"x"]


async def test_damaged_key_file_is_told_by_its_line(place):
    app, _ = place
    path = app.services.settings.data_dir / KEY_FILE
    path.write_text("abc\n" + path.read_text())
    done = samsyn(app, "rotate-keys", within=True)
    assert done.returncode == 1
    assert "line 1 is not 32 bytes in base64" in done.stderr


async def test_rule_is_set_shown_and_followed_and_a_dry_run_erases_nothing(place):
    app, _ = place
    assert samsyn(app, "erase", within=True).stdout.strip() == "nothing is due"
    done = samsyn(app, "retention", HOLDER, "--individuals", "12")
    assert done.stdout.splitlines() == [
        f"{HOLDER}, individuals: 12 months",
        f"{HOLDER}, ledger: kept, no rule",
        f"{HOLDER}, disclosures: kept, no rule",
    ]
    await app.execute("UPDATE individuals SET created_at = created_at - interval '13 months'")
    before = await leaves(app)
    dry = samsyn(app, "erase", "--dry-run", within=True)
    assert dry.stdout.startswith(f"{HOLDER}: 1 individuals from before ")
    assert dry.stdout.strip().endswith("due, nothing erased")
    assert len(await sealed(app)) == 1
    assert await leaves(app) == before
    assert samsyn(app, "erase").stdout.strip().endswith("erased")
    assert await sealed(app) == []
    assert [leaf["kind"] for leaf in (await leaves(app))[len(before) :]] == ["erasure"]
    ended = samsyn(app, "retention", HOLDER, "--individuals", "0", within=True)
    assert ended.stdout.startswith(f"{HOLDER}, individuals: kept")


async def test_rule_of_an_agency_that_is_not_registered_is_refused(place):
    app, _ = place
    done = samsyn(app, "retention", "okand-myndighet", "--ledger", "12", within=True)
    assert done.returncode == 1
    assert "no such agency is registered" in done.stderr


async def test_production_does_not_start_on_keys_of_its_own_making(place, tmp_path_factory):
    app, _ = place
    empty = tmp_path_factory.mktemp("empty")
    production = {"SAMSYN_ENVIRONMENT": "production", "SAMSYN_JWKS": "https://issuer.example/jwks"}
    done = samsyn(app, "rotate-keys", directory=empty, **production)
    assert done.returncode == 1
    assert "data_keys" in done.stderr
    assert list(empty.iterdir()) == []
