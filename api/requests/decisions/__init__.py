"""Disclosure decisions (*utlämnandebeslut*): made on a request or on the holder's own initiative, and revoked."""
