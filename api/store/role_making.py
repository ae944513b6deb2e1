"""Makes the roles of the read path, for migrations. Roles belong to the whole server, not to one database."""

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from api.store.roles import GUARD, OPEN, PROTECTED, RolesError

_ROLES = (OPEN, PROTECTED, GUARD)
_FOUND = text("""
SELECT rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb
       OR EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid) AS too_much
  FROM pg_roles r WHERE rolname = :role
""")
# Taking a role became a right of its own in PostgreSQL 16.
_MAY_TAKE = text("""
SELECT pg_has_role(:role, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
""")
_DUPLICATE = {"42710", "23505"}
_UNUSED = {"2BP01", "42501", "42704"}


def make_roles(connection: Connection) -> None:
    """Make the roles that are missing and let the connecting user take them. Raises `RolesError`."""
    for role in _ROLES:
        found = connection.execute(_FOUND, {"role": role}).scalar()
        if found is None:
            _try(connection, f"CREATE ROLE {role} NOLOGIN", _DUPLICATE)
        elif found:
            raise RolesError(
                f"the role {role} exists with rights that it must not have; as a database administrator take from it"
                " LOGIN, SUPERUSER, BYPASSRLS, CREATEROLE, CREATEDB and its membership in other roles"
            )
        if not connection.execute(_MAY_TAKE, {"role": role}).scalar_one():
            _try(connection, f"GRANT {role} TO CURRENT_USER", _DUPLICATE)


def drop_unused_roles(connection: Connection) -> None:
    """Remove the roles unless another database of the server grants them anything, or the user may not."""
    for role in _ROLES:
        _try(connection, f"DROP ROLE IF EXISTS {role}", _UNUSED)


def _try(connection: Connection, statement: str, harmless: set[str]) -> None:
    """Run it; SQL states in `harmless` undo nothing but itself. Raises `RolesError` where the user has no right to."""
    try:
        with connection.begin_nested():
            connection.execute(text(statement))
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        if state in harmless:
            return
        if state != "42501":
            raise
        user = connection.execute(text("SELECT current_user")).scalar_one()
        lines = "\n".join(f"  CREATE ROLE {role} NOLOGIN;" for role in _ROLES)
        raise RolesError(
            f"the user {user} may not make the roles of the read path; as a database administrator run those of these"
            f' lines that have not been run, then migrate again:\n{lines}\n  GRANT {", ".join(_ROLES)} TO "{user}";'
        ) from None
