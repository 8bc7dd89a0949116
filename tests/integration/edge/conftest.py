"""The gateway fixtures for the tests of this folder."""

from __future__ import annotations

from fixtures.edge import gateway
from fixtures.live_stream import running

__all__ = ["gateway", "running"]
