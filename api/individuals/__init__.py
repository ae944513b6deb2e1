"""Persons tied to a mapping; each row is held by the agency that recorded it."""
