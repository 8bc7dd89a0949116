"""The ``alphintra`` command: one module per group; each parses, calls and prints."""
