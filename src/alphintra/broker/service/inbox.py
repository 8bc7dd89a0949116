"""The name under which broker remembers what it has heard."""

from __future__ import annotations

__all__ = ["CONSUMER"]

CONSUMER = "broker"
