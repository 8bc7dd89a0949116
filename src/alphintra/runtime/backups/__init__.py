"""Backups of one home: what the operator chose, making, checking and restoring them, and when that is due."""
