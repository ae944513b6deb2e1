"""Statistical disclosure control. Pure."""
