"""The gateway fixture for the tests of this folder."""

from __future__ import annotations

from fixtures.edge import gateway

__all__ = ["gateway"]
