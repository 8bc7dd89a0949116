"""Moving one service's schema to another database, of the same PostgreSQL or another one, while it is written to."""
