"""Agencies that are authorities only through OSL 2:3.

Safe while the old version runs beside it: the column has a default, and the old version never names it.
"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('agencies', sa.Column('equated', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column('agencies', 'equated')
