"""Database migrations (alembic), each safe while the old and the new version of the service run side by side."""
