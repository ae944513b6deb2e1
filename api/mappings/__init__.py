"""The yearly mapping of a scene (*kartläggning*)."""
