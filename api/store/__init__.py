"""The database: engine, embedded server, column types, statement recorder."""
