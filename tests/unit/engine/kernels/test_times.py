"""First closes of days, weeks and months."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np

from alphintra.engine.graph.evaluation import Evaluation
from alphintra.engine.graph.tape import Tape, epoch_ns
from alphintra.engine.sessions import NEW_YORK, calendar_of
from unit.engine.every_node import plan_around


def events(*closes: str, missing: int | None = None) -> dict[str, list[float]]:
    """Return what Clock gives at closes of New York."""
    times = [datetime.fromisoformat(close).replace(tzinfo=NEW_YORK).astimezone(UTC) for close in closes]
    one = np.ones((1, len(times)))
    if missing is not None:
        one[:, missing] = np.nan
    ts = np.array([epoch_ns(time) for time in times])
    tape = Tape(ts, one, one, one, one, one, (calendar_of("AAPL"),))
    found = Evaluation(plan_around(("Clock", 1))).advance(tape)
    return {port: column[0].tolist() for (node, port), column in found.items() if node == "node"}


def test_a_rebalance_falls_on_the_first_close_of_the_month_not_on_its_first_day() -> None:
    got = events("2024-08-29T16:00", "2024-08-30T16:00", "2024-09-03T16:00", "2024-09-04T16:00")
    assert got["month"][1:] == got["week"][1:] == [0, 1, 0]
    assert got["day"][1:] == [1, 1, 1]
    assert math.isnan(got["month"][0])  # depends on where the data begins


def test_an_event_waits_for_the_first_bar_where_one_is_missing() -> None:
    got = events("2024-08-30T16:00", "2024-09-03T10:00", "2024-09-03T11:00", "2024-09-03T12:00", missing=1)
    assert math.isnan(got["day"][1])
    assert got["day"][2:] == got["month"][2:] == [1, 0]
