"""One DATABASE_URL, as libpq writes it, for both drivers: asyncpg's own and SQLAlchemy's over asyncpg."""

from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

# SQLAlchemy hands query parameters to asyncpg as keywords, and these it does not know by libpq's names.
_TLS = ("sslmode", "sslrootcert", "sslcert", "sslkey")
# INVARIANT: what is acknowledged is on the server's disk, also where the server is set not to wait for that.
_DURABLE = {"synchronous_commit": "on"}


def plain_dsn(url: str) -> str:
    """The URL for asyncpg itself, which reads libpq's parameters."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def engine_for(url: str, **options: Any) -> AsyncEngine:
    """An engine over the URL, whose commits are durable.

    Where the URL asks for TLS, asyncpg is given it as it is, certificates and all.
    """
    parsed = make_url(url)
    engine_url = parsed.set(drivername="postgresql+asyncpg").difference_update_query(_TLS)
    connect_args: dict[str, Any] = {"server_settings": _DURABLE}
    if set(_TLS) & set(parsed.query):
        connect_args["dsn"] = plain_dsn(url)
    return create_async_engine(engine_url, connect_args=connect_args, **options)
