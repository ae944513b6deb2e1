"""Samsyn."""
