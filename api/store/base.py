"""What all tables share: one metadata with names for constraints, so that migrations can speak of them."""

from sqlalchemy import Table as TableClause
from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Table = SQLModel
metadata = SQLModel.metadata


def table_of(model: type[SQLModel]) -> TableClause:
    """The Core table behind a model, for statements written as SQL rather than as objects."""
    return model.__table__  # type: ignore[attr-defined,no-any-return]
