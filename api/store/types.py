"""PostgreSQL's own geometric types for SQLAlchemy. Values travel as text: `((x,y),…)` and `(x,y)`, SWEREF 99 TM metres.

Core PostgreSQL is enough: `polygon <-> point` is metres and 0 inside (design §5).
"""

from typing import Any

from sqlalchemy import TEXT, cast
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.types import UserDefinedType


class _Geometric(UserDefinedType[str]):
    name = ""

    def get_col_spec(self, **_: Any) -> str:
        return self.name

    def bind_expression(self, bindvalue: BindParameter[str]) -> ColumnElement[str]:
        # asyncpg has codecs of its own for these types; text through a cast keeps one spelling everywhere.
        return cast(cast(bindvalue, TEXT), type(self)())

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return cast(column, TEXT)


class Polygon(_Geometric):
    """`polygon`: a scene's outline."""

    cache_ok = True
    name = "POLYGON"


class Point(_Geometric):
    """`point`: where a school or a station is."""

    cache_ok = True
    name = "POINT"
