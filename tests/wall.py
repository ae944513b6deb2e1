"""The second wall taken down, for tests that show what it holds back, or that ask what the gate does alone."""

import asyncpg

# The same columns of every row, under the alias by which the asking agency knows it, if it may know it at all.
_FALLEN = """
CREATE OR REPLACE VIEW visible_individuals AS
SELECT i.id, i.mapping_id, i.holder, i.protected_identity,
       coalesce(
           (SELECT n.alias FROM disclosure_decision_items n JOIN disclosure_decisions d ON d.id = n.decision_id
             WHERE n.item_id = i.id AND d.recipient = asking_agency() LIMIT 1), i.id) AS alias,
       (SELECT n.pseudonym FROM disclosure_decision_items n JOIN disclosure_decisions d ON d.id = n.decision_id
         WHERE n.item_id = i.id AND d.recipient = asking_agency() LIMIT 1) AS pseudonym,
       i.role, i.name, i.birth_date, i.sex, i.substances, i.circumstances, i.observed_on, i.basis,
       i.identity_number_sealed, i.contact_sealed
  FROM individuals i
"""
_FALLEN_POLICE_WORK = """
CREATE OR REPLACE VIEW visible_police_work AS
SELECT 'mapping'::text AS resource, id AS row_id, police_work FROM mappings
UNION ALL SELECT 'situation-report', id, police_work FROM situation_reports
"""


async def take_down(url: str) -> None:
    """Let the read path's roles see every column of every row."""
    connection = await asyncpg.connect(url)
    try:
        for (name,) in await connection.fetch("SELECT relname FROM pg_class WHERE relrowsecurity"):
            await connection.execute(f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY")
        await connection.execute(_FALLEN)
        await connection.execute(_FALLEN_POLICE_WORK)
        await connection.execute(
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO samsyn_open, samsyn_protected, samsyn_guard"
        )
        await connection.execute("GRANT EXECUTE ON FUNCTION individual_is_of_age TO samsyn_open")
    finally:
        await connection.close()
