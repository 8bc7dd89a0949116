"""Fixtures every test may ask for; see the head of each module for how to use them."""

from __future__ import annotations

pytest_plugins = ["fixtures.nats", "fixtures.platform", "fixtures.postgres", "fixtures.services"]
