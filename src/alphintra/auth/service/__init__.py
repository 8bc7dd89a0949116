"""Use cases of auth, by what they are about: people, sessions, keys."""
