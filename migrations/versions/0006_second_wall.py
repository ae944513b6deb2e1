"""The second wall: roles of the read path, with column grants and row level security.

Safe while the old version runs beside it: that one reads and writes as the owner of the tables, whom neither grants nor
policies concern. Roles belong to the whole server: several databases in it share them, each with grants of its own.
"""

from collections.abc import Mapping

from alembic import op
from sqlalchemy import text

from api.store.role_making import drop_unused_roles, make_roles

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

# Which columns each role reads, as of this migration; `api/store/roles.py` says what holds today.
OPEN = {
    "agencies": "slug name sector municipality district equated",
    "crime_counts": "area_type area month crime_group count",
    "incident_batches": "agency id status received accepted updated unchanged rejected unlocated errors completed_at",
    "interventions": "slug name name_en type source",
    "mappings": "id scene_id mapped_on mapped_by affected physical_place use substances partners hotspots time_pattern"
    " interviews",
    "municipalities": "code name",
    "scene_outlines": "scene_id outline geojson valid_from until school_count",
    "scenes": "id name municipality district local_police_area environment setting symptoms appeared_on closed_on"
    " ending sara_stage fictional",
    "schools": "id name municipality forms is_primary position position_geojson",
    "situation_reports": "id scene_id period edition published_at published_by what where_ when_ affected hotspots"
    " physical_place use substances time_pattern interventions trend protection",
    "stated_figures": "area year measure source value",
    "survey_interventions": "survey_id position intervention status started_on ended_on times partners assessment",
    "surveys": "id scene_id agency period comment answered_at",
}
PROTECTED = {
    "disclosure_decision_items": "decision_id item_id alias",
    "disclosure_decisions": "id holder recipient provision purpose resource fields attestations valid_from valid_until"
    " revoked_at request_id case_reference decided_by_role decided_at revoked_by_role revoke_reason",
    "disclosure_requests": "id requester holder purpose provision duty case_reference scene_id question_sealed kinds"
    " why_sealed state created_at supplement_question_sealed supplement_asked_at supplement_answer_sealed"
    " supplement_answered_at decided_at decided_by_role refusal_reason_sealed refusal_citation refusal_appeal",
    "ledger_leaves": "leaf_index receipt at_us",
    "ledger_parts": "leaf_index agency role entry items erased_at",
}
GUARD = {
    "agencies": "slug sector",
    "disclosure_decision_items": "decision_id item_id alias pseudonym",
    "disclosure_decisions": "id holder recipient resource fields valid_from valid_until revoked_at age_from age_below",
    "individuals": "id mapping_id holder role name birth_date sex substances circumstances observed_on basis"
    " identity_number_sealed contact_sealed protected_identity",
    "mappings": "id police_work",
    "situation_reports": "id police_work",
}

# Who asks, and when, as the read path says it on its connection; a setting is '' where nobody has said anything.
# INVARIANT: where either is missing the comparison is null, and no row is found.
ASKING = """
CREATE FUNCTION asking_agency() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('samsyn.agency', true), '');
CREATE FUNCTION asking_moment() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CAST(nullif(current_setting('samsyn.now', true), '') AS timestamptz);
CREATE FUNCTION asking_day() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CAST(asking_moment() AT TIME ZONE 'Europe/Stockholm' AS date);
"""

# Asked in a query of its own, each is worked out once for a statement and not for every row.
AGENCY, MOMENT, DAY = "(SELECT asking_agency())", "(SELECT asking_moment())", "(SELECT asking_day())"


def aged(from_age: str, below_age: str, born: str) -> str:
    """Whether somebody is of an age that day; an unknown birth date is of none.

    Years are reckoned as timestamps without zone, for age() of bare dates would go by the server's clock changes, and by
    their number alone: PostgreSQL compares intervals as if a month had 30 days. Who is born on 29 February is, on 28
    February of a common year, neither below an age nor of it: the law does not say, and both readings withhold.
    """
    return f"""(({from_age}) IS NULL
                OR extract(year FROM age(CAST({DAY} AS timestamp), CAST({born} AS timestamp))) >= ({from_age}))
           AND (({below_age}) IS NULL OR {born} + make_interval(years => ({below_age})) > {DAY})"""


NAMED = "disclosure_decisions d JOIN disclosure_decision_items n ON n.decision_id = d.id"
LIVE = f"""d.recipient = {AGENCY} AND d.revoked_at IS NULL
           AND d.valid_from <= {MOMENT} AND d.valid_until > {MOMENT}"""


def of_person(row: str) -> str:
    """The live decisions of a row's holder that name the row, by what it is called in the statement."""
    return f"""{LIVE} AND d.resource = 'individual' AND n.item_id = {row}.id AND d.holder = {row}.holder
           AND {aged("d.age_from", "d.age_below", f"{row}.birth_date")}"""


POLICIES = {
    # For the views: rows of its own, and rows that a live decision of their holder names to it.
    "held_or_named": f"""individuals FOR SELECT TO samsyn_guard USING (
        holder = {AGENCY} OR EXISTS (SELECT FROM {NAMED} WHERE {of_person("individuals")}))""",
    "to_whom_it_is_made": f"disclosure_decisions FOR SELECT TO samsyn_guard USING (recipient = {AGENCY})",
    "in_the_views": "disclosure_decision_items FOR SELECT TO samsyn_guard USING (true)",
    # For reads of what is between agencies: the parties only.
    "parties_of_a_request": f"""disclosure_requests FOR SELECT TO samsyn_protected USING (
        requester = {AGENCY} OR holder = {AGENCY})""",
    "parties_of_a_decision": f"""disclosure_decisions FOR SELECT TO samsyn_protected USING (
        holder = {AGENCY} OR recipient = {AGENCY})""",
    "of_seen_decisions": """disclosure_decision_items FOR SELECT TO samsyn_protected USING (
        EXISTS (SELECT FROM disclosure_decisions d WHERE d.id = decision_id))""",
    "own_parts": f"ledger_parts FOR SELECT TO samsyn_protected USING (agency = {AGENCY})",
    "leaves_of_own_parts": """ledger_leaves FOR SELECT TO samsyn_protected USING (
        EXISTS (SELECT FROM ledger_parts p WHERE p.leaf_index = ledger_leaves.leaf_index))""",
}

BY_NAME = {
    "role": "role",
    "name": "name",
    "birth_date": "birthDate",
    "sex": "sex",
    "substances": "substances",
    "circumstances": "circumstances",
    "observed_on": "observedOn",
    "basis": "basis",
    "identity_number_sealed": "identityNumber",
    "contact_sealed": "contact",
}
KEYS = ("id", "mapping_id", "holder", "protected_identity")


def named_rows(condition: str, mapping: str) -> str:
    """Rows of others that a live decision names, each column only where one names its field."""
    shown = "".join(f",\n       CASE WHEN '{field}' = ANY(fields) THEN {column} END" for column, field in BY_NAME.items())
    return f"""
SELECT id, {mapping}, holder, protected_identity, alias, CASE WHEN 'pseudonym' = ANY(fields) THEN pseudonym END{shown}
  FROM (SELECT {", ".join(f"i.{column}" for column in (*KEYS, *BY_NAME))}, array_agg(field) AS fields,
               (array_agg(n.alias))[1] AS alias, (array_agg(n.pseudonym))[1] AS pseudonym
          FROM {NAMED} JOIN individuals i ON i.id = n.item_id AND i.holder = d.holder
          LEFT JOIN LATERAL unnest(d.fields) AS field ON true
         WHERE {of_person("i")} AND {condition}
         GROUP BY i.id, i.mapping_id, i.holder) AS named
"""


# The agency's own rows whole; of others', what a live decision names, field by field. What identifies a row goes with
# it, but for the place of a person with protected identity (OSL 21:3), which must be named expressly. Those rows stand
# apart, so that all others are found by their mapping.
INDIVIDUALS = f"""
CREATE VIEW visible_individuals ({", ".join(KEYS)}, alias, pseudonym, {", ".join(BY_NAME)}) WITH (security_barrier) AS
SELECT {", ".join(KEYS)}, CAST(NULL AS uuid), CAST(NULL AS text), {", ".join(BY_NAME)}
  FROM individuals WHERE holder = {AGENCY}
UNION ALL
{named_rows("NOT i.protected_identity", "mapping_id")}
UNION ALL
{named_rows("i.protected_identity", "CASE WHEN 'mapping' = ANY(fields) THEN mapping_id END")}
"""
# Whether a row that may be seen is of an age, without showing when the person was born.
OF_AGE = f"""
CREATE FUNCTION individual_is_of_age(individual uuid, from_age integer, below_age integer) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    RETURN coalesce((SELECT {aged("from_age", "below_age", "i.birth_date")}
                       FROM individuals i WHERE i.id = individual), false)
"""
# What the police keep to themselves of a row that others read: for police, and where a decision of police names it.
POLICE_WORK = """
CREATE VIEW visible_police_work WITH (security_barrier) AS
""" + "UNION ALL".join(
    f"""
SELECT CAST('{resource}' AS text) AS resource, t.id AS row_id, t.police_work
  FROM {table} t
 WHERE EXISTS (SELECT FROM agencies a WHERE a.slug = {AGENCY} AND a.sector = 'police')
    OR EXISTS (SELECT FROM {NAMED}
                 JOIN agencies a ON a.slug = d.holder AND a.sector = 'police'
                WHERE {LIVE} AND d.resource = '{resource}' AND n.item_id = t.id AND 'policeWork' = ANY(d.fields))
"""
    for resource, table in (("mapping", "mappings"), ("situation-report", "situation_reports"))
)

FORBID = "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC"
ALLOW = "GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO PUBLIC"


def upgrade() -> None:
    make_roles(op.get_bind())
    schema = _one("SELECT quote_ident(current_schema())")
    op.execute(f"GRANT USAGE ON SCHEMA {schema} TO samsyn_open, samsyn_protected, samsyn_guard")
    _grant(OPEN, "samsyn_open, samsyn_protected")
    _grant(PROTECTED, "samsyn_protected")
    _grant(GUARD, "samsyn_guard")
    for statement in ASKING.strip().split(";\n"):
        op.execute(statement.rstrip(";"))
    for table in sorted({policy.split()[0] for policy in POLICIES.values()}):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    for name, policy in POLICIES.items():
        op.execute(f"CREATE POLICY {name} ON {policy}")
    op.create_index('ix_individuals_protected', 'individuals', ['id'], postgresql_where='protected_identity')
    for statement in (INDIVIDUALS, POLICE_WORK, OF_AGE):
        op.execute(statement)
    # To be given something, a role must be able to make things where it lies.
    op.execute(f"GRANT CREATE ON SCHEMA {schema} TO samsyn_guard")
    for view in ("visible_individuals", "visible_police_work"):
        op.execute(f"ALTER VIEW {view} OWNER TO samsyn_guard")
        op.execute(f"GRANT SELECT ON {view} TO samsyn_protected")
    op.execute("REVOKE EXECUTE ON FUNCTION individual_is_of_age FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION individual_is_of_age TO samsyn_protected")
    op.execute("ALTER FUNCTION individual_is_of_age OWNER TO samsyn_guard")
    op.execute(f"REVOKE CREATE ON SCHEMA {schema} FROM samsyn_guard")
    if _may_forbid():
        op.execute(FORBID)


def downgrade() -> None:
    if _may_forbid():
        op.execute(ALLOW)
    op.execute("DROP FUNCTION individual_is_of_age")
    for view in ("visible_individuals", "visible_police_work"):
        op.execute(f"DROP VIEW {view}")
    op.drop_index('ix_individuals_protected', table_name='individuals')
    for name, policy in POLICIES.items():
        op.execute(f"DROP POLICY {name} ON {policy.split()[0]}")
    for table in sorted({policy.split()[0] for policy in POLICIES.values()}):
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for function in ("asking_day", "asking_moment", "asking_agency"):
        op.execute(f"DROP FUNCTION {function}")
    schema = _one("SELECT quote_ident(current_schema())")
    for grants in (OPEN, PROTECTED, GUARD):
        for table in grants:
            op.execute(f"REVOKE ALL ON {table} FROM samsyn_open, samsyn_protected, samsyn_guard")
    op.execute(f"REVOKE ALL ON SCHEMA {schema} FROM samsyn_open, samsyn_protected, samsyn_guard")
    drop_unused_roles(op.get_bind())


def _one(question: str) -> str:
    return op.get_bind().execute(text(question)).scalar_one()


def _grant(grants: Mapping[str, str], roles: str) -> None:
    for table, columns in grants.items():
        op.execute(f"GRANT SELECT ({', '.join(columns.split())}) ON {table} TO {roles}")


def _may_forbid() -> bool:
    """Whether this user can take from everybody the one function by which a SELECT changes its session.

    Where it cannot, the read path undoes after each statement what the statement may have done (`api/store/reading.py`).
    """
    return bool(_one("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))
