"""Plumbing: PostgreSQL, the bus, outbox and inbox, telemetry, signing, the system's clock and ids."""
