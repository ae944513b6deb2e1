"""Disclosure decisions (*utlämnandebeslut*)."""
