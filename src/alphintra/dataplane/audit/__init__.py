"""Audit of a PostgreSQL that somebody else set up: what its roles may, and how to close what they should not."""
