"""Fixtures every test may ask for; see the head of each module for how to use them."""

from __future__ import annotations

from hypothesis import settings

# A slow example says that the machine was busy, not that the code is wrong; pytest's own time-out still holds.
settings.register_profile("alphintra", deadline=None)
settings.load_profile("alphintra")

pytest_plugins = ["fixtures.nats", "fixtures.platform", "fixtures.postgres", "fixtures.services"]
