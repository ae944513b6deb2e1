"""Individuals: identity numbers and contact details sealed, protected identity, rules of retention.

Expand and contract would take two steps, with the plain columns kept in between for the old version. They are not kept:
a plaintext that waits for a second migration is what this one is to end. Both steps are taken here, in one transaction:
the values are sealed by this program, under the keys outside the database; the plain columns go; and the table is
written anew, for PostgreSQL leaves a dropped column's values in the rows until then. Write-ahead logs and backups from
before still hold them: let them expire, or destroy them.

While the old version runs beside it: its reads about individuals are 503 since 0003 (it cannot write its leaf), and its
records of new ones are 500, with nothing stored, because it names columns that are gone. Nothing that it answers is
wrong, unlogged, or shows where a person with protected identity was.

Keys are read only where there is something to seal, as the settings say (`SAMSYN_DATA_KEYS`, `SAMSYN_DATA_DIR`).
"""

from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None

_BATCH = 500
_PLAIN = 'identity_number IS NOT NULL OR contact IS NOT NULL'


def upgrade() -> None:
    for name in ('identity_number_sealed', 'contact_sealed', 'person_key'):
        op.add_column('individuals', sa.Column(name, sa.LargeBinary(), nullable=True))
    op.add_column('individuals', sa.Column('protected_identity', sa.Boolean(), server_default=sa.false(), nullable=False))
    # From now on whoever records a person says it.
    op.alter_column('individuals', 'protected_identity', server_default=None)
    _seal_all()
    op.drop_column('individuals', 'identity_number')
    op.drop_column('individuals', 'contact')
    op.execute('CLUSTER individuals USING pk_individuals')
    op.execute('ALTER TABLE individuals SET WITHOUT CLUSTER')
    op.create_table(
        'retention_rules',
        sa.Column('agency', sa.Text(), nullable=False),
        sa.Column('subject', sa.Text(), nullable=False),
        sa.Column('months', sa.Integer(), nullable=False),
        sa.CheckConstraint("subject IN ('individuals', 'ledger')", name=op.f('ck_retention_rules_subject')),
        sa.CheckConstraint('months >= 1', name=op.f('ck_retention_rules_months')),
        sa.ForeignKeyConstraint(['agency'], ['agencies.slug'], name=op.f('fk_retention_rules_agency')),
        sa.PrimaryKeyConstraint('agency', 'subject', name=op.f('pk_retention_rules')),
    )


def downgrade() -> None:
    raise RuntimeError(
        'there is no way back: it would lay identity numbers and the places of protected persons open to a version that '
        'guards neither; restore a backup from before instead'
    )


def _seal_all() -> None:
    """Seal every plain value, in batches, and empty it."""
    from api.individuals.pseudonyms import person_key
    from api.protection.sealing import Sealer

    connection = op.get_bind()
    if not connection.scalar(sa.text(f'SELECT EXISTS (SELECT FROM individuals WHERE {_PLAIN})')):
        return
    sealer = Sealer(_keys())

    def sealed(row: Any, field: str, value: str | None) -> bytes | None:
        return None if value is None else sealer.seal(str(row.id), field, value)

    for rows in _plain_rows(connection):
        connection.execute(
            sa.text(
                'UPDATE individuals SET identity_number = NULL, contact = NULL, identity_number_sealed = :number,'
                ' contact_sealed = :contact, person_key = :person WHERE id = :id'
            ),
            [
                {
                    'id': row.id,
                    'number': sealed(row, 'identityNumber', row.identity_number),
                    'contact': sealed(row, 'contact', row.contact),
                    'person': person_key(sealer.pseudonym_key, row.holder, row.identity_number)
                    if row.identity_number is not None
                    else None,
                }
                for row in rows
            ],
        )


def _plain_rows(connection: sa.Connection) -> Iterator[list[Any]]:
    select = sa.text(f'SELECT id, holder, identity_number, contact FROM individuals WHERE {_PLAIN} LIMIT {_BATCH}')
    while rows := connection.execute(select).all():
        yield list(rows)


def _keys() -> Callable[[], Any]:
    from api.protection.keys import key_source
    from api.settings import Settings

    given = context.config.attributes.get('settings')
    return key_source(given if given is not None else Settings())
