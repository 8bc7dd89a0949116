"""Use cases of user."""
