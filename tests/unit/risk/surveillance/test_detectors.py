"""Detectors find what is labelled and leave honest trading alone; docs/surveillance.md states by how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alphintra.kernel.vocabulary import OrderType, Side
from alphintra.risk.domain.surveillance.detectors import DETECTORS, detect
from alphintra.risk.domain.surveillance.parameters import BUILT_IN, LOOKBACK
from alphintra.risk.domain.surveillance.stream import Action, ActionKind, Finding, in_order
from unit.risk.surveillance.scenarios import CLOSE, A, B, Day, labelled, layers, marked_close, ramp

DOCUMENT = Path(__file__).parents[4] / "docs" / "surveillance.md"


def day() -> Day:
    return Day(Random(1), UUID(int=7))  # noqa: S311 - made-up trading


def found(name: str, actions: list[Action], **values: str) -> tuple[Finding, ...]:
    return detect(name, actions, {**BUILT_IN[name], **{key: Decimal(value) for key, value in values.items()}})


@cache
def score() -> dict[str, Counter[str]]:
    """Return of each detector how many days it rightly found, wrongly found and missed."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in DETECTORS}
    for labels, actions in labelled():
        for detector, count in counts.items():
            if found(detector, actions):
                count["right" if detector in labels else "wrong"] += 1
            elif detector in labels:
                count["missed"] += 1
    return counts


def rates(count: Counter[str]) -> tuple[float, float]:
    """Return precision and recall."""
    return count["right"] / (count["right"] + count["wrong"]), count["right"] / (count["right"] + count["missed"])


@pytest.mark.parametrize("detector", DETECTORS)
def test_precision_and_recall_on_labelled_days_are_those_of_the_documentation(detector: str) -> None:
    precision, recall = rates(score()[detector])
    assert precision >= 0.8
    assert recall >= 0.8
    count = score()[detector]
    row = f"| {detector} | {count['right'] + count['missed']} | {precision:.2f} | {recall:.2f} |"
    assert row in DOCUMENT.read_text(encoding="utf-8")


def test_every_detector_has_parameters_that_keep_to_the_lookback() -> None:
    assert set(DETECTORS) == set(BUILT_IN)
    for values in BUILT_IN.values():
        assert values.get("window_s", Decimal(0)) <= int(LOOKBACK.total_seconds())


@given(st.randoms(use_true_random=False), st.sampled_from([layers, ramp, marked_close]))
def test_the_order_in_which_actions_arrive_does_not_matter(shuffled: Random, maker: Callable[[Day], None]) -> None:
    made = day()
    maker(made)
    mixed = list(made.actions)
    shuffled.shuffle(mixed)
    for name in DETECTORS:
        assert found(name, mixed) == found(name, made.actions)


def test_what_two_people_do_is_never_put_together() -> None:
    made = day()
    layers(made)
    other = UUID(int=8)
    split = [replace(one, owner_id=other) if one.side is Side.SELL else one for one in made.actions]
    assert found("layering", made.actions)
    assert not found("layering", split)


def test_a_wash_needs_nearness_in_time_price_and_quantity() -> None:
    for gap, price, qty, is_found in (
        (60, "100.00", "100", True),
        (60.01, "100.00", "100", False),
        (1, "100.10", "100", True),
        (1, "100.11", "100", False),
        (1, "100.00", "80", True),
        (1, "100.00", "79", False),
    ):
        made = day()
        made.trade(Side.BUY, "100", "100.00", A)
        made.wait(gap - 0.002)
        made.trade(Side.SELL, qty, price, B)
        assert bool(found("wash_trade", made.actions)) == is_found, (gap, price, qty)


def test_orders_cross_only_while_both_work_and_from_equal_prices_on() -> None:
    for price, is_canceled, is_found in (("99.99", False, False), ("100.00", False, True), ("101.00", True, False)):
        made = day()
        resting = made.order(Side.SELL, "10", "100.00", A)
        made.wait(1)
        if is_canceled:
            made.end(resting)
            made.wait(1)
        made.order(Side.BUY, "10", price, B)
        assert bool(found("self_cross", made.actions)) == is_found, price


def test_a_stop_does_not_stand_in_the_book() -> None:
    made = day()
    made.order(Side.SELL, "10", "100.00")
    made.note(ActionKind.NEW, Side.BUY, "10", "101.00", type=OrderType.STOP_LIMIT)
    assert not found("self_cross", made.actions)


def test_layers_that_trade_or_stay_are_no_layers() -> None:
    made = day()
    layers(made)
    staying = [one for one in made.actions if one.kind is not ActionKind.CANCEL]
    assert not found("layering", staying)
    bought = [
        replace(one, event_id=UUID(int=one.event_id.int + 10**9), kind=ActionKind.TRADE, qty=Decimal(100))
        for one in made.actions
        if one.kind is ActionKind.NEW and one.side is Side.BUY
    ]
    assert not found("layering", in_order([*made.actions, *bought]))


def test_a_burst_is_one_finding_and_a_later_one_another() -> None:
    made = day()
    for _ in range(2):
        for _ in range(150):
            made.end(made.order(Side.BUY, "1", "90.00"))
            made.wait(0.001)
        made.wait(600)
    assert len(found("quote_stuffing", made.actions)) == 2


def test_the_close_is_marked_by_the_clock_of_the_venue_and_against_a_price_of_the_session() -> None:
    made = day()
    marked_close(made)
    assert found("marking_close", made.actions)
    late_only = [one for one in made.actions if one.happened_at > CLOSE - timedelta(seconds=300)]
    assert not found("marking_close", late_only)  # no price from before: as with daily bars
    known = [replace(one, reference=Decimal(100), reference_at=CLOSE - timedelta(hours=1)) for one in late_only]
    assert found("marking_close", known)
    yesterday = [replace(one, reference_at=CLOSE - timedelta(days=1)) for one in known]
    assert not found("marking_close", yesterday)
    elsewhere = [replace(one, symbol="BTC/USD") for one in made.actions]
    assert not found("marking_close", elsewhere)


def test_a_price_that_turns_back_is_no_ramp() -> None:
    made = day()
    for price in ("100.00", "100.50", "100.40", "101.00", "101.50", "102.00"):
        made.trade(Side.BUY, "100", price)
        made.wait(10)
    assert not found("ramping", made.actions)
    straight = [
        replace(one, price=Decimal("100.60")) if one.price == Decimal("100.40") else one for one in made.actions
    ]
    assert found("ramping", straight)
