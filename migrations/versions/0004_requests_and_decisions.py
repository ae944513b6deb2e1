"""Requests for disclosure, and what a decision says of who made it, on what, and how its rows are called.

Safe while the old version runs beside it: it knows nothing of the new table, and writes neither decisions nor their
items. Every new column of a decision may be empty, and an item that comes without an alias is given a random one.
The old version reads no new column, and its decisions bite as before.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

_NEW_IN_DECISIONS = (
    ('request_id', sa.Uuid()),
    ('case_reference', sa.Text()),
    ('decided_by_client', sa.Text()),
    ('decided_by_role', sa.Text()),
    ('decided_at', sa.DateTime(timezone=True)),
    ('age_below', sa.Integer()),
    ('age_from', sa.Integer()),
    ('revoked_by', sa.Text()),
    ('revoked_by_role', sa.Text()),
    ('revoke_reason', sa.Text()),
)


def upgrade() -> None:
    op.create_table(
        'disclosure_requests',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('requester', sa.Text(), nullable=False),
        sa.Column('holder', sa.Text(), nullable=False),
        sa.Column('purpose', sa.Text(), nullable=False),
        sa.Column('provision', sa.Text(), nullable=False),
        sa.Column('duty', sa.Boolean(), nullable=False),
        sa.Column('case_reference', sa.Text(), nullable=False),
        sa.Column('scene_id', sa.Uuid(), nullable=True),
        sa.Column('question_sealed', sa.LargeBinary(), nullable=True),
        sa.Column('kinds', sa.ARRAY(sa.Text()), nullable=False),
        sa.Column('why_sealed', sa.LargeBinary(), nullable=False),
        sa.Column('state', sa.Text(), nullable=False),
        sa.Column('asked_by', sa.Text(), nullable=False),
        sa.Column('asked_by_client', sa.Text(), nullable=False),
        sa.Column('asked_by_role', sa.Text(), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('supplement_question_sealed', sa.LargeBinary(), nullable=True),
        sa.Column('supplement_asked_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('supplement_answer_sealed', sa.LargeBinary(), nullable=True),
        sa.Column('supplement_answered_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('decided_by', sa.Text(), nullable=True),
        sa.Column('decided_by_role', sa.Text(), nullable=True),
        sa.Column('refusal_reason_sealed', sa.LargeBinary(), nullable=True),
        sa.Column('refusal_citation', sa.Text(), nullable=True),
        sa.Column('refusal_appeal', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint('requester <> holder', name=op.f('ck_disclosure_requests_two_agencies')),
        sa.CheckConstraint(
            'scene_id IS NOT NULL OR question_sealed IS NOT NULL', name=op.f('ck_disclosure_requests_scope')
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (state IN ('submitted', 'supplement-requested', 'withdrawn'))",
            name=op.f('ck_disclosure_requests_decided'),
        ),
        sa.CheckConstraint(
            "(refusal_appeal IS NOT NULL) = (state IN ('refused', 'partly-granted'))",
            name=op.f('ck_disclosure_requests_appeal'),
        ),
        sa.ForeignKeyConstraint(['requester'], ['agencies.slug'], name=op.f('fk_disclosure_requests_requester')),
        sa.ForeignKeyConstraint(['holder'], ['agencies.slug'], name=op.f('fk_disclosure_requests_holder')),
        sa.ForeignKeyConstraint(['scene_id'], ['scenes.id'], name=op.f('fk_disclosure_requests_scene_id')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_disclosure_requests')),
    )
    op.create_index('ix_disclosure_requests_holder', 'disclosure_requests', ['holder', 'created_at'])
    op.create_index('ix_disclosure_requests_requester', 'disclosure_requests', ['requester', 'created_at'])
    for name, kind in _NEW_IN_DECISIONS:
        op.add_column('disclosure_decisions', sa.Column(name, kind, nullable=True))
    op.create_foreign_key(
        op.f('fk_disclosure_decisions_request_id'),
        'disclosure_decisions',
        'disclosure_requests',
        ['request_id'],
        ['id'],
    )
    op.create_unique_constraint(op.f('uq_disclosure_decisions_request_id'), 'disclosure_decisions', ['request_id'])
    op.create_index('ix_disclosure_decisions_holder', 'disclosure_decisions', ['holder'])
    op.add_column(
        'disclosure_decision_items',
        sa.Column('alias', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    )
    op.add_column('disclosure_decision_items', sa.Column('pseudonym', sa.Text(), nullable=True))
    op.create_index('ix_disclosure_decision_items_item', 'disclosure_decision_items', ['item_id'])
    op.create_index('ix_disclosure_decision_items_alias', 'disclosure_decision_items', ['alias'])
    # INVARIANT: a row has one alias towards each recipient, whatever wrote its items before there were aliases.
    op.execute("""
        UPDATE disclosure_decision_items i
           SET alias = first.alias
          FROM (SELECT DISTINCT ON (d.holder, d.recipient, j.item_id) d.holder, d.recipient, j.item_id, j.alias
                  FROM disclosure_decision_items j JOIN disclosure_decisions d ON d.id = j.decision_id
                 ORDER BY d.holder, d.recipient, j.item_id, j.alias) first,
               disclosure_decisions own
         WHERE own.id = i.decision_id AND own.holder = first.holder AND own.recipient = first.recipient
           AND i.item_id = first.item_id
    """)


def downgrade() -> None:
    op.drop_index('ix_disclosure_decision_items_alias', table_name='disclosure_decision_items')
    op.drop_index('ix_disclosure_decision_items_item', table_name='disclosure_decision_items')
    op.drop_column('disclosure_decision_items', 'pseudonym')
    op.drop_column('disclosure_decision_items', 'alias')
    op.drop_index('ix_disclosure_decisions_holder', table_name='disclosure_decisions')
    op.drop_constraint('uq_disclosure_decisions_request_id', 'disclosure_decisions', type_='unique')
    op.drop_constraint('fk_disclosure_decisions_request_id', 'disclosure_decisions', type_='foreignkey')
    for name, _ in reversed(_NEW_IN_DECISIONS):
        op.drop_column('disclosure_decisions', name)
    op.drop_table('disclosure_requests')
