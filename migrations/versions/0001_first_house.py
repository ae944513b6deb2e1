"""The first house: every table of the service."""

import sqlalchemy as sa
from api.store.types import Point, Polygon
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('agencies',
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('sector', sa.Text(), nullable=False),
    sa.Column('municipality', sa.Text(), nullable=True),
    sa.Column('district', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('slug', name=op.f('pk_agencies'))
    )
    op.create_index(op.f('ix_agencies_sector'), 'agencies', ['sector'], unique=False)
    op.create_table('crime_counts',
    sa.Column('area_type', sa.Text(), nullable=False),
    sa.Column('area', sa.Text(), nullable=False),
    sa.Column('month', sa.Text(), nullable=False),
    sa.Column('crime_group', sa.Text(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('area_type', 'area', 'month', 'crime_group', name=op.f('pk_crime_counts'))
    )
    op.create_table('idempotent_answers',
    sa.Column('agency', sa.Text(), nullable=False),
    sa.Column('client_id', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.LargeBinary(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('location', sa.Text(), nullable=True),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('agency', 'client_id', 'key', name=op.f('pk_idempotent_answers'))
    )
    op.create_index(op.f('ix_idempotent_answers_answered_at'), 'idempotent_answers', ['answered_at'], unique=False)
    op.create_table('interventions',
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('name_en', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('slug', name=op.f('pk_interventions'))
    )
    op.create_table('ledger_leaves',
    sa.Column('seq', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('receipt', sa.Uuid(), nullable=False),
    sa.Column('at_us', sa.BigInteger(), nullable=False),
    sa.Column('receiver', sa.Text(), nullable=False),
    sa.Column('salt', sa.LargeBinary(), nullable=False),
    sa.Column('entry', sa.Text(), nullable=False),
    sa.Column('previous', sa.LargeBinary(), nullable=False),
    sa.Column('hash', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('seq', name=op.f('pk_ledger_leaves')),
    sa.UniqueConstraint('receipt', name=op.f('uq_ledger_leaves_receipt'))
    )
    op.create_index(op.f('ix_ledger_leaves_receiver'), 'ledger_leaves', ['receiver'], unique=False)
    op.create_table('municipalities',
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('police_area', sa.Text(), nullable=True),
    sa.Column('local_police_area', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('code', name=op.f('pk_municipalities'))
    )
    op.create_table('stated_figures',
    sa.Column('area', sa.Text(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('measure', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('value', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('area', 'year', 'measure', 'source', name=op.f('pk_stated_figures'))
    )
    op.create_table('stations',
    sa.Column('stop_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=True),
    sa.Column('municipality', sa.Text(), nullable=True),
    sa.Column('position', Point(), nullable=True),
    sa.Column('position_geojson', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('stop_id', name=op.f('pk_stations'))
    )
    op.create_index('ix_stations_position', 'stations', ['position'], unique=False, postgresql_using='gist')
    op.create_table('disclosure_decisions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('holder', sa.Text(), nullable=False),
    sa.Column('recipient', sa.Text(), nullable=False),
    sa.Column('provision', sa.Text(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('fields', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('attestations', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('decided_by', sa.Text(), nullable=False),
    sa.Column('valid_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('valid_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('holder <> recipient', name=op.f('ck_disclosure_decisions_two_agencies')),
    sa.CheckConstraint('valid_until > valid_from', name=op.f('ck_disclosure_decisions_period')),
    sa.ForeignKeyConstraint(['holder'], ['agencies.slug'], name=op.f('fk_disclosure_decisions_holder')),
    sa.ForeignKeyConstraint(['recipient'], ['agencies.slug'], name=op.f('fk_disclosure_decisions_recipient')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_disclosure_decisions'))
    )
    op.create_index('ix_disclosure_decisions_recipient', 'disclosure_decisions', ['recipient', 'resource'], unique=False)
    op.create_table('districts',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('municipality', sa.Text(), nullable=False),
    sa.Column('local_police_area', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['municipality'], ['municipalities.code'], name=op.f('fk_districts_municipality')),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_districts'))
    )
    op.create_table('incident_batches',
    sa.Column('agency', sa.Text(), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('received', sa.Integer(), nullable=False),
    sa.Column('accepted', sa.Integer(), nullable=False),
    sa.Column('updated', sa.Integer(), nullable=False),
    sa.Column('unchanged', sa.Integer(), nullable=False),
    sa.Column('rejected', sa.Integer(), nullable=False),
    sa.Column('unlocated', sa.Integer(), nullable=False),
    sa.Column('errors', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('completed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['agency'], ['agencies.slug'], name=op.f('fk_incident_batches_agency')),
    sa.PrimaryKeyConstraint('agency', 'id', name=op.f('pk_incident_batches'))
    )
    op.create_table('incidents',
    sa.Column('agency', sa.Text(), nullable=False),
    sa.Column('incident_id', sa.Text(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('stop_id', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('line', sa.Text(), nullable=True),
    sa.Column('severity', sa.Integer(), nullable=False),
    sa.Column('withdrawn', sa.Boolean(), nullable=False),
    sa.Column('batch_id', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['agency'], ['agencies.slug'], name=op.f('fk_incidents_agency')),
    sa.PrimaryKeyConstraint('agency', 'incident_id', name=op.f('pk_incidents'))
    )
    op.create_index('ix_incidents_stop_occurred_at', 'incidents', ['stop_id', 'occurred_at'], unique=False)
    op.create_table('schools',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('municipality', sa.Text(), nullable=True),
    sa.Column('forms', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('is_primary', sa.Boolean(), nullable=True),
    sa.Column('position', Point(), nullable=True),
    sa.Column('position_geojson', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('coordinate_status', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['municipality'], ['municipalities.code'], name=op.f('fk_schools_municipality')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_schools'))
    )
    op.create_index('ix_schools_position', 'schools', ['position'], unique=False, postgresql_using='gist')
    op.create_table('disclosure_decision_items',
    sa.Column('decision_id', sa.Uuid(), nullable=False),
    sa.Column('item_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['decision_id'], ['disclosure_decisions.id'], name=op.f('fk_disclosure_decision_items_decision_id')),
    sa.PrimaryKeyConstraint('decision_id', 'item_id', name=op.f('pk_disclosure_decision_items'))
    )
    op.create_table('scenes',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('municipality', sa.Text(), nullable=False),
    sa.Column('district', sa.Text(), nullable=True),
    sa.Column('local_police_area', sa.Text(), nullable=True),
    sa.Column('environment', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('setting', sa.Text(), nullable=False),
    sa.Column('symptoms', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('appeared_on', sa.Date(), nullable=False),
    sa.Column('closed_on', sa.Date(), nullable=True),
    sa.Column('ending', sa.Text(), nullable=True),
    sa.Column('sara_stage', sa.Text(), nullable=False),
    sa.Column('fictional', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(closed_on IS NULL) = (ending IS NULL)', name=op.f('ck_scenes_ending_with_date')),
    sa.CheckConstraint('closed_on IS NULL OR closed_on >= appeared_on', name=op.f('ck_scenes_closed_after_appeared')),
    sa.ForeignKeyConstraint(['created_by'], ['agencies.slug'], name=op.f('fk_scenes_created_by')),
    sa.ForeignKeyConstraint(['district'], ['districts.name'], name=op.f('fk_scenes_district')),
    sa.ForeignKeyConstraint(['municipality'], ['municipalities.code'], name=op.f('fk_scenes_municipality')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scenes'))
    )
    op.create_index(op.f('ix_scenes_municipality'), 'scenes', ['municipality'], unique=False)
    op.create_table('mappings',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('scene_id', sa.Uuid(), nullable=False),
    sa.Column('mapped_on', sa.Date(), nullable=False),
    sa.Column('mapped_by', sa.Text(), nullable=False),
    sa.Column('affected_counts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('affected', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('physical_place', sa.Text(), nullable=False),
    sa.Column('use', sa.Text(), nullable=False),
    sa.Column('substances', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('police_work', sa.Text(), nullable=True),
    sa.Column('partners', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('hotspots', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('time_pattern', sa.Text(), nullable=True),
    sa.Column('interviews', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['mapped_by'], ['agencies.slug'], name=op.f('fk_mappings_mapped_by')),
    sa.ForeignKeyConstraint(['scene_id'], ['scenes.id'], name=op.f('fk_mappings_scene_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mappings'))
    )
    op.create_index('ix_mappings_scene_mapped_on', 'mappings', ['scene_id', 'mapped_on'], unique=False)
    op.create_table('scene_outlines',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('scene_id', sa.Uuid(), nullable=False),
    sa.Column('outline', Polygon(), nullable=False),
    sa.Column('geojson', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=False),
    sa.Column('until', sa.Date(), nullable=True),
    sa.Column('school_count', sa.Integer(), nullable=False),
    sa.CheckConstraint('until IS NULL OR until > valid_from', name=op.f('ck_scene_outlines_period')),
    sa.ForeignKeyConstraint(['scene_id'], ['scenes.id'], name=op.f('fk_scene_outlines_scene_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scene_outlines'))
    )
    op.create_index('ix_scene_outlines_outline', 'scene_outlines', ['outline'], unique=False, postgresql_using='gist')
    op.create_index(op.f('ix_scene_outlines_scene_id'), 'scene_outlines', ['scene_id'], unique=False)
    op.create_index('uq_scene_outlines_current', 'scene_outlines', ['scene_id'], unique=True, postgresql_where='until IS NULL')
    op.create_table('situation_reports',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('scene_id', sa.Uuid(), nullable=False),
    sa.Column('period', sa.Text(), nullable=False),
    sa.Column('edition', sa.Integer(), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_by', sa.Text(), nullable=False),
    sa.Column('what', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('where_', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('when_', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('affected', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('hotspots', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('physical_place', sa.Text(), nullable=True),
    sa.Column('use', sa.Text(), nullable=True),
    sa.Column('substances', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('time_pattern', sa.Text(), nullable=True),
    sa.Column('interventions', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('trend', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('police_work', sa.Text(), nullable=True),
    sa.Column('protection', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['published_by'], ['agencies.slug'], name=op.f('fk_situation_reports_published_by')),
    sa.ForeignKeyConstraint(['scene_id'], ['scenes.id'], name=op.f('fk_situation_reports_scene_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_situation_reports')),
    sa.UniqueConstraint('scene_id', 'period', 'edition', name=op.f('uq_situation_reports_scene_id_period_edition'))
    )
    op.create_table('surveys',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('scene_id', sa.Uuid(), nullable=False),
    sa.Column('agency', sa.Text(), nullable=False),
    sa.Column('period', sa.Text(), nullable=False),
    sa.Column('comment', sa.Text(), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_by', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['agency'], ['agencies.slug'], name=op.f('fk_surveys_agency')),
    sa.ForeignKeyConstraint(['scene_id'], ['scenes.id'], name=op.f('fk_surveys_scene_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_surveys'))
    )
    op.create_index('ix_surveys_scene_period', 'surveys', ['scene_id', 'period'], unique=False)
    op.create_table('individuals',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('mapping_id', sa.Uuid(), nullable=False),
    sa.Column('holder', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('identity_number', sa.Text(), nullable=True),
    sa.Column('birth_date', sa.Date(), nullable=True),
    sa.Column('sex', sa.Text(), nullable=True),
    sa.Column('contact', sa.Text(), nullable=True),
    sa.Column('substances', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('circumstances', sa.Text(), nullable=True),
    sa.Column('observed_on', sa.Date(), nullable=False),
    sa.Column('basis', sa.Text(), nullable=False),
    sa.Column('recorded_by', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['holder'], ['agencies.slug'], name=op.f('fk_individuals_holder')),
    sa.ForeignKeyConstraint(['mapping_id'], ['mappings.id'], name=op.f('fk_individuals_mapping_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_individuals'))
    )
    op.create_index('ix_individuals_mapping_holder', 'individuals', ['mapping_id', 'holder'], unique=False)
    op.create_table('outline_stations',
    sa.Column('outline_id', sa.Uuid(), nullable=False),
    sa.Column('stop_id', sa.Text(), nullable=False),
    sa.Column('distance_m', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['outline_id'], ['scene_outlines.id'], name=op.f('fk_outline_stations_outline_id')),
    sa.ForeignKeyConstraint(['stop_id'], ['stations.stop_id'], name=op.f('fk_outline_stations_stop_id')),
    sa.PrimaryKeyConstraint('outline_id', 'stop_id', name=op.f('pk_outline_stations'))
    )
    op.create_table('survey_interventions',
    sa.Column('survey_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('intervention', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('started_on', sa.Date(), nullable=True),
    sa.Column('ended_on', sa.Date(), nullable=True),
    sa.Column('times', sa.Integer(), nullable=True),
    sa.Column('partners', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('assessment', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['intervention'], ['interventions.slug'], name=op.f('fk_survey_interventions_intervention')),
    sa.ForeignKeyConstraint(['survey_id'], ['surveys.id'], name=op.f('fk_survey_interventions_survey_id')),
    sa.PrimaryKeyConstraint('survey_id', 'position', name=op.f('pk_survey_interventions'))
    )


    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the ledger and published editions are append-only';
        END $$
        """
    )
    for table in ("ledger_leaves", "situation_reports"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    op.drop_table('survey_interventions')
    op.drop_table('outline_stations')
    op.drop_index('ix_individuals_mapping_holder', table_name='individuals')
    op.drop_table('individuals')
    op.drop_index('ix_surveys_scene_period', table_name='surveys')
    op.drop_table('surveys')
    op.drop_table('situation_reports')
    op.drop_index('uq_scene_outlines_current', table_name='scene_outlines', postgresql_where='until IS NULL')
    op.drop_index(op.f('ix_scene_outlines_scene_id'), table_name='scene_outlines')
    op.drop_index('ix_scene_outlines_outline', table_name='scene_outlines', postgresql_using='gist')
    op.drop_table('scene_outlines')
    op.drop_index('ix_mappings_scene_mapped_on', table_name='mappings')
    op.drop_table('mappings')
    op.drop_index(op.f('ix_scenes_municipality'), table_name='scenes')
    op.drop_table('scenes')
    op.drop_table('disclosure_decision_items')
    op.drop_index('ix_schools_position', table_name='schools', postgresql_using='gist')
    op.drop_table('schools')
    op.drop_index('ix_incidents_stop_occurred_at', table_name='incidents')
    op.drop_table('incidents')
    op.drop_table('incident_batches')
    op.drop_table('districts')
    op.drop_index('ix_disclosure_decisions_recipient', table_name='disclosure_decisions')
    op.drop_table('disclosure_decisions')
    op.drop_index('ix_stations_position', table_name='stations', postgresql_using='gist')
    op.drop_table('stations')
    op.drop_table('stated_figures')
    op.drop_table('municipalities')
    op.drop_index(op.f('ix_ledger_leaves_receiver'), table_name='ledger_leaves')
    op.drop_table('ledger_leaves')
    op.drop_table('interventions')
    op.drop_index(op.f('ix_idempotent_answers_answered_at'), table_name='idempotent_answers')
    op.drop_table('idempotent_answers')
    op.drop_table('crime_counts')
    op.drop_index(op.f('ix_agencies_sector'), table_name='agencies')
    op.drop_table('agencies')
    op.execute("DROP FUNCTION refuse_change()")
