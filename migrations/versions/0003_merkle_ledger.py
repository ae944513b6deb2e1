"""The ledger becomes a Merkle tree (RFC 9162).

The leaves of the chain are put into the tree in their order, each as one part, the receiver's, with the entry byte for
byte as it was. A chain that does not hold is not made into a tree: the migration stops and names the leaf, for a tree over
it would give a changed log a clean face. The chain's own hashes are not kept.

While the old version runs beside it: its leaves no longer fit the table, so it can write none and answers every
protected read, and every refusal of one, with 503. Shared reads and writes go on. Nothing is answered unlogged. Its
writers wait until this migration ends, since the chain is locked meanwhile.

Downgrade makes a chain of what the receivers' parts hold: parts of givers, erased entries (an empty object stands for
them), nodes and cosignatures are lost, and the hashes are new ones.
"""

import hashlib
import json
import secrets

import sqlalchemy as sa
from alembic import op

from api.ledger.leaves import Leaf, arranged, commitment
from api.ledger.merkle import Frontier

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

_AT_ONCE = 1000
_APPEND_ONLY = ('ledger_leaves', 'ledger_nodes')
_NEVER_EMPTIED = ('ledger_leaves', 'ledger_parts', 'ledger_nodes', 'ledger_head')
_NEW = ('ledger_cosignatures', 'ledger_witnesses', 'ledger_head', 'ledger_nodes', 'ledger_parts', 'ledger_leaves')


def upgrade() -> None:
    op.execute("LOCK TABLE ledger_leaves IN ACCESS EXCLUSIVE MODE")
    _set_aside('ledger_leaves', 'ledger_chain', ('pk_ledger_leaves', 'uq_ledger_leaves_receipt', 'ix_ledger_leaves_receiver'))
    _create_tree()
    _plant()
    op.drop_table('ledger_chain')
    _guard()


def downgrade() -> None:
    op.execute("LOCK TABLE ledger_leaves, ledger_parts, ledger_nodes, ledger_head IN ACCESS EXCLUSIVE MODE")
    _set_aside('ledger_leaves', 'ledger_tree', ('pk_ledger_leaves', 'uq_ledger_leaves_receipt'))
    _create_chain()
    _forge()
    op.drop_table('ledger_tree')
    for table in _NEW[:-1]:
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_change_but_erasure(), refuse_shrinking()")
    _refuse(['ledger_leaves'], 'append_only', "BEFORE UPDATE OR DELETE", "ROW", 'refuse_change')
    _refuse(['ledger_leaves'], 'never_emptied', "BEFORE TRUNCATE", "STATEMENT", 'refuse_change')


def _set_aside(table: str, name: str, indexes: tuple[str, ...]) -> None:
    op.execute(f"ALTER TABLE {table} RENAME TO {name}")
    for index in indexes:
        op.execute(f"ALTER INDEX {index} RENAME TO {index}_aside")


def _create_tree() -> None:
    op.create_table(
        'ledger_leaves',
        sa.Column('leaf_index', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('receipt', sa.Uuid(), nullable=False),
        sa.Column('at_us', sa.BigInteger(), nullable=False),
        sa.Column('content_root', sa.LargeBinary(), nullable=False),
        sa.Column('padding', sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.PrimaryKeyConstraint('leaf_index', name=op.f('pk_ledger_leaves')),
        sa.UniqueConstraint('receipt', name=op.f('uq_ledger_leaves_receipt')),
    )
    op.create_table(
        'ledger_parts',
        sa.Column('leaf_index', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('slot', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('agency', sa.Text(), nullable=False),
        sa.Column('role', sa.Text(), nullable=False),
        sa.Column('salt', sa.LargeBinary(), nullable=True),
        sa.Column('entry', sa.Text(), nullable=True),
        sa.Column('items', sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column('commitment', sa.LargeBinary(), nullable=False),
        sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('receiver', 'giver')", name=op.f('ck_ledger_parts_role')),
        sa.CheckConstraint(
            '(entry IS NULL) = (erased_at IS NOT NULL) AND (salt IS NULL) = (entry IS NULL)',
            name=op.f('ck_ledger_parts_erased'),
        ),
        sa.PrimaryKeyConstraint('leaf_index', 'slot', name=op.f('pk_ledger_parts')),
    )
    op.create_index('ix_ledger_parts_agency_leaf_index', 'ledger_parts', ['agency', 'leaf_index'], unique=False)
    op.create_index(
        'ix_ledger_parts_items', 'ledger_parts', ['items'], unique=False, postgresql_using='gin',
        postgresql_where=sa.text('items IS NOT NULL'),
    )
    op.create_table(
        'ledger_nodes',
        sa.Column('level', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('hash', sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint('level', 'position', name=op.f('pk_ledger_nodes')),
    )
    op.create_table(
        'ledger_head',
        sa.Column('id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('size', sa.BigInteger(), nullable=False),
        sa.Column('frontier', sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.CheckConstraint('id = 1', name=op.f('ck_ledger_head_one')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_head')),
    )
    op.create_table(
        'ledger_witnesses',
        sa.Column('agency', sa.Text(), nullable=False),
        sa.Column('name', sa.Text(), nullable=False),
        sa.Column('public_key', sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(['agency'], ['agencies.slug'], name=op.f('fk_ledger_witnesses_agency')),
        sa.PrimaryKeyConstraint('agency', name=op.f('pk_ledger_witnesses')),
        sa.UniqueConstraint('name', name=op.f('uq_ledger_witnesses_name')),
        sa.UniqueConstraint('public_key', name=op.f('uq_ledger_witnesses_public_key')),
    )
    op.create_table(
        'ledger_cosignatures',
        sa.Column('agency', sa.Text(), nullable=False),
        sa.Column('size', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('signed_at', sa.BigInteger(), nullable=False),
        sa.Column('line', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['agency'], ['agencies.slug'], name=op.f('fk_ledger_cosignatures_agency')),
        sa.PrimaryKeyConstraint('agency', 'size', name=op.f('pk_ledger_cosignatures')),
    )


def _plant() -> None:
    """Every leaf of the chain, checked, into the tree."""
    bind = op.get_bind()
    leaves, parts, nodes, head_row = map(_table, ('ledger_leaves', 'ledger_parts', 'ledger_nodes', 'ledger_head'))
    head, previous = Frontier(), _GENESIS
    while True:
        rows = bind.execute(
            sa.text("SELECT * FROM ledger_chain WHERE seq > :seq ORDER BY seq LIMIT :most"),
            {"seq": head.size, "most": _AT_ONCE},
        ).all()
        if not rows:
            break
        new: tuple[list, list, list] = ([], [], [])
        for row in rows:
            linked = _link(previous, row.seq, row.at_us, row.receipt, row.salt, row.entry)
            if row.seq != head.size + 1 or row.previous != previous or row.hash != linked:
                raise RuntimeError(
                    f"the ledger's chain does not hold at leaf {head.size + 1}; nothing is migrated. "
                    "Keep a copy of this database as it is, and find out who changed it, before anything else"
                )
            previous, salt = row.hash, secrets.token_bytes(32)
            content = arranged([commitment(salt, row.entry)], lambda: secrets.token_bytes(32))
            leaf = Leaf(head.size, row.at_us, row.receipt, content.root)
            slot = content.slots[0]
            new[0].append({
                'leaf_index': leaf.index, 'receipt': row.receipt, 'at_us': row.at_us,
                'content_root': content.root, 'padding': list(content.padding),
            })
            new[1].append({
                'leaf_index': leaf.index, 'slot': slot, 'agency': row.receiver, 'role': 'receiver', 'salt': salt,
                'entry': row.entry, 'commitment': content.values[slot],
            })
            head, made = head.append(leaf.hash)
            new[2].extend({'level': node.level, 'position': node.position, 'hash': hash_} for node, hash_ in made)
        for table, more in zip((leaves, parts, nodes), new, strict=True):
            bind.execute(sa.insert(table), more)
    bind.execute(sa.insert(head_row).values(id=1, size=head.size, frontier=list(head.hashes)))


def _guard() -> None:
    """Append-only in the database itself: a leaf and a node never change, a part is only erased, the head only grows."""
    op.execute(
        """
        CREATE FUNCTION refuse_change_but_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL
               AND NEW.salt IS NULL AND NEW.entry IS NULL AND NEW.items IS NULL
               AND (NEW.leaf_index, NEW.slot, NEW.agency, NEW.role, NEW.commitment)
                 = (OLD.leaf_index, OLD.slot, OLD.agency, OLD.role, OLD.commitment) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the ledger is append-only; of a part, the content may be erased and nothing else';
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION refuse_shrinking() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND NEW.id = OLD.id AND NEW.size > OLD.size THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'the ledger is append-only; its head only grows';
        END $$
        """
    )
    _refuse(_APPEND_ONLY, 'append_only', "BEFORE UPDATE OR DELETE", "ROW", 'refuse_change')
    _refuse(['ledger_parts'], 'append_only', "BEFORE UPDATE OR DELETE", "ROW", 'refuse_change_but_erasure')
    _refuse(['ledger_head'], 'append_only', "BEFORE UPDATE OR DELETE", "ROW", 'refuse_shrinking')
    _refuse(_NEVER_EMPTIED, 'never_emptied', "BEFORE TRUNCATE", "STATEMENT", 'refuse_change')


def _refuse(tables, name: str, when: str, each: str, function: str) -> None:
    for table in tables:
        op.execute(f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()")


def _table(name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())


# --- the chain, as it was -------------------------------------------------------------------------------------------

_GENESIS = hashlib.sha256(b"samsyn ledger v1").digest()


def _link(previous: bytes, seq: int, at_us: int, receipt, salt: bytes, entry: str) -> bytes:
    content = previous + seq.to_bytes(8) + at_us.to_bytes(8) + receipt.bytes + salt + entry.encode()
    return hashlib.sha256(b"samsyn leaf v1\0" + content).digest()


def _create_chain() -> None:
    op.create_table(
        'ledger_leaves',
        sa.Column('seq', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('receipt', sa.Uuid(), nullable=False),
        sa.Column('at_us', sa.BigInteger(), nullable=False),
        sa.Column('receiver', sa.Text(), nullable=False),
        sa.Column('salt', sa.LargeBinary(), nullable=False),
        sa.Column('entry', sa.Text(), nullable=False),
        sa.Column('previous', sa.LargeBinary(), nullable=False),
        sa.Column('hash', sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint('seq', name=op.f('pk_ledger_leaves')),
        sa.UniqueConstraint('receipt', name=op.f('uq_ledger_leaves_receipt')),
    )
    op.create_index(op.f('ix_ledger_leaves_receiver'), 'ledger_leaves', ['receiver'], unique=False)


def _forge() -> None:
    """A chain of the receivers' parts, in the order of the tree."""
    bind = op.get_bind()
    chain, previous, seq = _table('ledger_leaves'), _GENESIS, 0
    while True:
        rows = bind.execute(
            sa.text(
                """
                SELECT t.receipt, t.at_us, p.agency, p.entry
                  FROM ledger_tree t
                  LEFT JOIN ledger_parts p ON p.leaf_index = t.leaf_index AND p.role = 'receiver'
                 WHERE t.leaf_index >= :seq AND t.leaf_index < :seq + :most ORDER BY t.leaf_index
                """
            ),
            {"seq": seq, "most": _AT_ONCE},
        ).all()
        if not rows:
            return
        links = []
        for row in rows:
            seq, salt, entry = seq + 1, secrets.token_bytes(16), row.entry or json.dumps({})
            linked = _link(previous, seq, row.at_us, row.receipt, salt, entry)
            links.append({
                'seq': seq, 'receipt': row.receipt, 'at_us': row.at_us, 'receiver': row.agency or '', 'salt': salt,
                'entry': entry, 'previous': previous, 'hash': linked,
            })
            previous = linked
        bind.execute(sa.insert(chain), links)
