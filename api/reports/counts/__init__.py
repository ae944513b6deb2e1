"""Monthly crime counts by area and group."""
