"""Decisions of risk: books and reservations, the controls on orders, and what limits and kill states may be set."""
