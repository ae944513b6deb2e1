"""What is said about persons in requests and decisions can be erased, by the rule of the agency that said it.

Safe while the old version runs beside it: it always writes `why`, reads a null one as it reads other texts that are not
there, and knows nothing of the new column. What is withdrawn by it has no time, and counts from the day it was sent; a
row that it erases leaves its pseudonym in decisions. But give no rule for `disclosures` before the old `samsyn erase` is
gone: to that one, every rule that is not about individuals is about the ledger.

Nobody noted until now when a request was withdrawn. Those count from today: kept longer, never shorter.

Downgrade stops, with nothing changed, where a `why` has been erased: there is nothing to put in its place.
"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

_REQUESTS = 'disclosure_requests'
_SCOPE = 'scene_id IS NOT NULL OR question_sealed IS NOT NULL'


def upgrade() -> None:
    op.add_column(_REQUESTS, sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE disclosure_requests SET withdrawn_at = now() WHERE state = 'withdrawn'")
    op.alter_column(_REQUESTS, 'why_sealed', nullable=True)
    _check(_REQUESTS, 'scope', f'{_SCOPE} OR why_sealed IS NULL')
    op.create_check_constraint(
        op.f('ck_disclosure_requests_words'),
        _REQUESTS,
        "why_sealed IS NOT NULL OR state NOT IN ('submitted', 'supplement-requested')",
    )
    _check('retention_rules', 'subject', "subject IN ('individuals', 'ledger', 'disclosures')")
    # Of rows that were erased before.
    op.execute(
        """
        UPDATE disclosure_decision_items SET pseudonym = NULL
         WHERE pseudonym IS NOT NULL
           AND NOT EXISTS (SELECT FROM individuals WHERE individuals.id = disclosure_decision_items.item_id)
        """
    )


def downgrade() -> None:
    op.alter_column(_REQUESTS, 'why_sealed', nullable=False)
    op.execute("DELETE FROM retention_rules WHERE subject = 'disclosures'")
    _check('retention_rules', 'subject', "subject IN ('individuals', 'ledger')")
    op.drop_constraint(op.f('ck_disclosure_requests_words'), _REQUESTS, type_='check')
    _check(_REQUESTS, 'scope', _SCOPE)
    op.drop_column(_REQUESTS, 'withdrawn_at')


def _check(table: str, name: str, condition: str) -> None:
    """Put a constraint in the place of the one before."""
    op.drop_constraint(op.f(f'ck_{table}_{name}'), table, type_='check')
    op.create_check_constraint(op.f(f'ck_{table}_{name}'), table, condition)
