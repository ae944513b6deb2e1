"""`samsyn import` over the real open data: what is dirty is reported, what is good changes what scenes answer."""

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from tests.support import copy_database

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the folder of open data is not beside the project")


@pytest.fixture(scope="module")
def database(server, template):
    return asyncio.run(copy_database(server.dsn(), template))


def run(database: str, kind: str, file: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "samsyn"), "import", kind, str(file), "--data-dir", str(tmp_path)]
    environment = {"DATABASE_URL": database, "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def count(database: str, query: str) -> int:
    async def ask() -> int:
        connection = await asyncpg.connect(database)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(ask())


@needs_shared
@pytest.mark.parametrize(
    ("kind", "name", "at_least"),
    [
        ("municipalities", "municipalities.csv", 26),
        ("districts", "districts.csv", 11),
        ("schools", "schools_stockholm.csv", 500),
        ("schools", "schools_stockholm_supplement.csv", 60),
        ("stations", "metro_stations.csv", 100),
        ("stations", "commuter_rail_stations.csv", 40),
        ("stations", "sl_sites.csv", 6000),
    ],
)
def test_real_file_is_imported(database, tmp_path, kind, name, at_least):
    done = run(database, kind, SHARED / name, tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) >= at_least
    assert "Traceback" not in done.stderr


@needs_shared
def test_dirty_rows_are_reported_with_row_and_field(database, tmp_path):
    done = run(database, "schools", SHARED / "schools_stockholm.csv", tmp_path)
    reported = [line for line in done.stderr.splitlines() if line.strip().startswith("row ")]
    assert len(reported) == 13
    assert all("coord_status" in line or "lat" in line for line in reported), reported[:3]
    unplaced = count(database, "SELECT count(*) FROM schools WHERE position IS NULL AND coordinate_status <> 'ok'")
    assert unplaced >= 13


@needs_shared
def test_list_without_positions_erases_none(database, tmp_path):
    run(database, "stations", SHARED / "metro_stations.csv", tmp_path)
    before = count(database, "SELECT count(*) FROM stations WHERE position IS NOT NULL")
    run(database, "stations", SHARED / "sl_sites.csv", tmp_path)
    assert count(database, "SELECT count(*) FROM stations WHERE position IS NOT NULL") == before > 100


def test_crime_counts_are_imported_and_withheld_ones_stay_withheld(database, tmp_path):
    file = tmp_path / "counts.csv"
    file.write_text(
        "area_type,area,month,group,count\nmunicipality,0180,2026-09,narcotics,412\nmunicipality,0180,2026-09,violence,..\n",
        encoding="utf-8",
    )
    done = run(database, "crime-counts", file, tmp_path)
    assert done.returncode == 0, done.stderr
    assert count(database, "SELECT count FROM crime_counts WHERE crime_group = 'narcotics'") == 412
    assert count(database, "SELECT count(*) FROM crime_counts WHERE count IS NULL") == 1


@pytest.mark.parametrize("content", [b"\xff\xfe\x00broken", b"a;b\n1;2\n", b""])
def test_unreadable_file_stores_nothing_and_says_why(database, tmp_path, content):
    before = count(database, "SELECT count(*) FROM schools")
    file = tmp_path / "schools.csv"
    file.write_bytes(content)
    done = run(database, "schools", file, tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
    assert count(database, "SELECT count(*) FROM schools") == before


def test_unknown_kind_names_the_known_ones(database, tmp_path):
    done = run(database, "rivers", ROOT / "pyproject.toml", tmp_path)
    assert done.returncode == 1
    assert "municipalities" in done.stderr
