"""Backups of whole instances with their log, and of single services: sealed, catalogued where they lie, restored."""
