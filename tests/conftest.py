"""Fixtures every test may ask for; see the head of each module for how to use them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# A slow example says that the machine was busy, not that the code is wrong; pytest's own time-out still holds.
settings.register_profile("alphintra", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# The gate says the same of the same code each time; new examples are looked for wherever people run the tests.
settings.register_profile("gate", settings.get_profile("alphintra"), derandomize=True)
settings.load_profile("alphintra")

pytest_plugins = ["fixtures.nats", "fixtures.platform", "fixtures.postgres", "fixtures.services"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the seed of one simulated story: ``pytest tests/simulation --seed 17``."""
    parser.addoption("--seed", type=int, default=None, help="play this seed's simulated story alone")
    parser.addoption("--desks-every", type=int, default=1, help="play every so-manieth group of live desks' stories")
