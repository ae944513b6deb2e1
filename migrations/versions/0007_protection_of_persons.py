"""Protected identity is the person's: every row of a holder about one person says so where one of them does.

Safe while the old version runs beside it, but that rows which that one records meanwhile say what each was told alone:
the next one recorded about the same person, by the new version, mends them.
"""

from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_individuals_person ON individuals (holder, person_key) WHERE person_key IS NOT NULL"
    )
    op.execute(
        """
        UPDATE individuals SET protected_identity = true
          FROM individuals other
         WHERE (other.holder, other.person_key) = (individuals.holder, individuals.person_key)
           AND other.protected_identity AND NOT individuals.protected_identity
        """
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_individuals_person")
