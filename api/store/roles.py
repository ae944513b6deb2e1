"""The second wall: the database roles of the read path, and which columns of which table each of them reads.

OPEN        what any registered agency may read
PROTECTED   that, and what is read under a declared purpose; of rows about individuals, and of what the police keep to
            themselves, only what the views of GUARD show
GUARD       owns those views and alone reads what lies behind them; nobody connects as it

`STATED` names every column of every table and view: what nobody has stated, nobody reads. Migrations make the grants;
a test compares them with this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Exposure = Literal["open", "protected"]

OPEN, PROTECTED, GUARD = "samsyn_open", "samsyn_protected", "samsyn_guard"
ROLE_OF: Mapping[Exposure, str] = {"open": OPEN, "protected": PROTECTED}


class RolesError(Exception):
    """The database's roles are not as the service needs them; the text says what an administrator can run."""


@dataclass(frozen=True, slots=True)
class Stated:
    """Who reads which columns of one table, as words: `open` every caller, `protected` under a purpose, or `nobody`.

    `guard` is beside the others: what the guard's views are made from.
    """

    open: str = ""
    protected: str = ""
    nobody: str = ""
    guard: str = ""

    def read_by(self, role: str) -> frozenset[str]:
        """The columns that a role reads."""
        words = {OPEN: self.open, PROTECTED: f"{self.open} {self.protected}", GUARD: self.guard}[role]
        return frozenset(words.split())

    def columns(self) -> list[str]:
        """Every column, once for each time it is stated."""
        return f"{self.open} {self.protected} {self.nobody}".split()


STATED: Mapping[str, Stated] = {
    "agencies": Stated(open="slug name sector municipality district equated", guard="slug sector"),
    "alembic_version": Stated(nobody="version_num"),
    "crime_counts": Stated(open="area_type area month crime_group count"),
    "disclosure_decision_items": Stated(
        protected="decision_id item_id alias", nobody="pseudonym", guard="decision_id item_id alias pseudonym"
    ),
    "disclosure_decisions": Stated(
        protected="id holder recipient provision purpose resource fields attestations valid_from valid_until revoked_at"
        " request_id case_reference decided_by_role decided_at revoked_by_role revoke_reason",
        nobody="age_from age_below decided_by decided_by_client revoked_by",
        guard="id holder recipient resource fields valid_from valid_until revoked_at age_from age_below",
    ),
    "disclosure_requests": Stated(
        protected="id requester holder purpose provision duty case_reference scene_id question_sealed kinds why_sealed"
        " state created_at supplement_question_sealed supplement_asked_at supplement_answer_sealed"
        " supplement_answered_at decided_at decided_by_role refusal_reason_sealed refusal_citation refusal_appeal",
        nobody="asked_by asked_by_client asked_by_role decided_by withdrawn_at",
    ),
    "districts": Stated(nobody="name municipality local_police_area"),
    "idempotent_answers": Stated(nobody="agency client_id key fingerprint status location body answered_at"),
    "incident_batches": Stated(
        open="agency id status received accepted updated unchanged rejected unlocated errors completed_at",
        nobody="digest",
    ),
    "incidents": Stated(
        nobody="agency incident_id revision occurred_at stop_id category mode line severity withdrawn batch_id"
    ),
    "individuals": Stated(
        nobody="id mapping_id holder role name birth_date sex substances circumstances observed_on basis"
        " identity_number_sealed contact_sealed protected_identity person_key recorded_by created_at",
        guard="id mapping_id holder role name birth_date sex substances circumstances observed_on basis"
        " identity_number_sealed contact_sealed protected_identity",
    ),
    "interventions": Stated(open="slug name name_en type source"),
    "ledger_cosignatures": Stated(nobody="agency size signed_at line"),
    "ledger_head": Stated(nobody="id size frontier"),
    "ledger_leaves": Stated(protected="leaf_index receipt at_us", nobody="content_root padding"),
    "ledger_nodes": Stated(nobody="level position hash"),
    "ledger_parts": Stated(protected="leaf_index agency role entry items erased_at", nobody="slot salt commitment"),
    "ledger_witnesses": Stated(nobody="agency name public_key"),
    "mappings": Stated(
        open="id scene_id mapped_on mapped_by affected physical_place use substances partners hotspots time_pattern"
        " interviews",
        # `affected_counts` are exact counts of persons.
        nobody="affected_counts police_work created_at",
        guard="id police_work",
    ),
    "municipalities": Stated(open="code name", nobody="police_area local_police_area"),
    "outline_stations": Stated(nobody="outline_id stop_id distance_m"),
    "retention_rules": Stated(nobody="agency subject months"),
    "scene_outlines": Stated(open="scene_id outline geojson valid_from until school_count", nobody="id"),
    "scenes": Stated(
        open="id name municipality district local_police_area environment setting symptoms appeared_on closed_on"
        " ending sara_stage fictional",
        nobody="version created_by created_at updated_at",
    ),
    "schools": Stated(
        open="id name municipality forms is_primary position position_geojson", nobody="coordinate_status source"
    ),
    "situation_reports": Stated(
        open="id scene_id period edition published_at published_by what where_ when_ affected hotspots physical_place"
        " use substances time_pattern interventions trend protection",
        nobody="police_work",
        guard="id police_work",
    ),
    "stated_figures": Stated(open="area year measure source value"),
    "stations": Stated(nobody="stop_id name mode municipality position position_geojson source"),
    "survey_interventions": Stated(
        open="survey_id position intervention status started_on ended_on times partners assessment"
    ),
    "surveys": Stated(open="id scene_id agency period comment answered_at", nobody="answered_by"),
    "visible_individuals": Stated(
        protected="id mapping_id holder role name birth_date sex substances circumstances observed_on basis"
        " identity_number_sealed contact_sealed protected_identity alias pseudonym"
    ),
    "visible_police_work": Stated(protected="resource row_id police_work"),
}
