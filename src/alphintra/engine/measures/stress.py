"""Stress scenarios as data: by how much prices move at once, and where that was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["SCENARIOS", "Scenario"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A move of all prices of a class, as a fraction; a class without an entry does not move.

    Attributes:
        name: stable, lower case.
        moves: by asset class, ``equity`` and ``crypto``.
        source: what it repeats.
    """

    name: str
    moves: Mapping[str, float]
    source: str


# One-day changes of the S&P 500 at the close; of Bitcoin against the dollar on 12 March 2020.
SCENARIOS: Final[tuple[Scenario, ...]] = (
    Scenario("fall_10_percent", {"equity": -0.10, "crypto": -0.10}, "every price 10 % lower"),
    Scenario("rise_10_percent", {"equity": 0.10, "crypto": 0.10}, "every price 10 % higher, the loss of a short book"),
    Scenario("black_monday_1987", {"equity": -0.2047, "crypto": -0.2047}, "S&P 500 on 19 October 1987"),
    Scenario("lehman_2008", {"equity": -0.0903, "crypto": -0.0903}, "S&P 500 on 15 October 2008"),
    Scenario("covid_2020", {"equity": -0.1198, "crypto": -0.37}, "S&P 500 on 16 March, Bitcoin on 12 March 2020"),
)
