"""``alphintra chaos``: a platform of its own is broken on purpose under load, and what is left is checked."""
