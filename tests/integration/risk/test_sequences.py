"""Random days on real PostgreSQL: what risk holds is at any time what its approved orders may still do."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

import pytest

from alphintra.contracts.risk import ReleaseOrder
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side
from alphintra.risk.service import bookings, decisions
from fixtures.single_service import PowerCutError

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.contracts.approval import OrderTerms
    from integration.risk.desk import Desk

POSITION_MAX = Decimal(60)
SYMBOLS = ("AAPL", "MSFT")


@dataclass(slots=True)
class Living:
    """An approved order as the test keeps count of it."""

    terms: OrderTerms
    price: Decimal
    left: Decimal
    filled: Decimal = Decimal(0)
    is_confirmed: bool = False


class Day:
    """One account's random day, and an account of it kept apart."""

    def __init__(self, desk: Desk, account: UUID, chance: Random) -> None:
        self.desk, self.account, self.chance = desk, account, chance
        self.living: list[Living] = []
        self.position = dict.fromkeys(SYMBOLS, Decimal(0))
        self.approvals = 0

    def pick(self) -> Living | None:
        return self.chance.choice(self.living) if self.living else None

    async def place(self) -> None:
        chance = self.chance
        orders = [
            self.desk.order(
                self.account,
                chance.choice(tuple(Side)),
                str(chance.randint(1, 25)),
                chance.choice([None, "1", "9.5", "10", "30"]),
                symbol=chance.choice(SYMBOLS),
            )
            for _ in range(chance.randint(1, 8))
        ]
        for terms, outcome in zip(orders, await self.desk.assess(*orders), strict=True):
            assert not isinstance(outcome, AlphintraError)
            if outcome.approval is not None:
                assert terms.qty is not None
                price = Decimal("10.5") if terms.limit_price is None else terms.limit_price
                self.living.append(Living(terms, price, terms.qty))
                self.approvals += 1

    async def confirm(self) -> None:
        if (item := self.pick()) is not None:
            (outcome,) = await self.desk.assess(item.terms)
            assert not isinstance(outcome, AlphintraError)
            assert outcome.approval is not None
            await self.desk.confirm(item.terms, outcome.approval)
            item.is_confirmed = True

    async def fill(self) -> None:
        if (item := self.pick()) is not None and item.left:
            qty = min(Decimal(self.chance.randint(1, 10)), item.left)
            await self.desk.fill(item.terms, str(qty), str(item.price))
            item.left -= qty
            item.filled += qty
            item.is_confirmed = True
            self.position[item.terms.symbol] += qty if item.terms.side is Side.BUY else -qty
            if not item.left:
                self.living.remove(item)

    async def close(self) -> None:
        if (item := self.pick()) is not None:
            await self.desk.close(item.terms, filled=str(item.filled))
            self.living.remove(item)

    async def release(self) -> None:
        if (item := self.pick()) is not None:
            reply = await self.desk.endpoints.release_order(ReleaseOrder(order_id=item.terms.order_id), self.desk.owner)
            assert reply.released == (not item.is_confirmed)
            if reply.released:
                self.living.remove(item)

    async def lapse(self) -> None:
        self.desk.clock.pass_time(seconds=61)
        lapsed = await bookings.lapse_reservations(records=self.desk.endpoints._records, at=self.desk.clock.now())
        assert lapsed == sum(not item.is_confirmed for item in self.living)
        self.living = [item for item in self.living if item.is_confirmed]

    def open_of(self, symbol: str, side: Side) -> Decimal:
        return sum(
            (item.left for item in self.living if item.terms.symbol == symbol and item.terms.side is side), Decimal(0)
        )

    async def check(self) -> None:
        """Compare what risk holds with what the orders add up to, and both with the limits."""
        await compare_totals(self.desk)
        state = await self.desk.state(self.account)
        reserved = sum((i.left * i.price for i in self.living if i.terms.side is Side.BUY), Decimal(0))
        assert state.cash == self.desk.cash[self.account]
        assert state.reserved_cash == reserved
        assert state.cash - reserved >= 0
        held = {exposure.symbol: exposure for exposure in state.exposures}
        for symbol in SYMBOLS:
            buys, sells, position = (
                self.open_of(symbol, Side.BUY),
                self.open_of(symbol, Side.SELL),
                self.position[symbol],
            )
            if symbol in held:
                exposure = held[symbol]
                assert exposure.position_qty == position
                assert (exposure.reserved_buy_qty, exposure.reserved_sell_qty) == (buys, sells)
            else:
                assert (position, buys, sells) == (Decimal(0),) * 3
            assert position + buys <= POSITION_MAX
            assert position - sells >= -POSITION_MAX


SUMS = """
    SELECT
        account_id, symbol, count(*) AS open_orders,
        coalesce(sum(counted_qty) FILTER (WHERE side = 'buy' AND NOT is_reducing), 0) AS open_buy_qty,
        coalesce(sum(counted_qty) FILTER (WHERE side = 'sell' AND NOT is_reducing), 0) AS open_sell_qty,
        coalesce(sum(counted_qty) FILTER (WHERE side = 'buy' AND is_reducing), 0) AS close_buy_qty,
        coalesce(sum(counted_qty) FILTER (WHERE side = 'sell' AND is_reducing), 0) AS close_sell_qty,
        coalesce(sum(counted_qty * price) FILTER (WHERE NOT is_reducing), 0) AS open_value,
        coalesce(sum(counted_cash) FILTER (WHERE side = 'buy'), 0) AS reserved_cash
    FROM reservations WHERE open_qty > 0 GROUP BY account_id, symbol
"""
COLUMNS = (
    "account_id, symbol, open_orders, open_buy_qty, open_sell_qty, close_buy_qty, close_sell_qty, open_value, "
    "reserved_cash"
)


async def compare_totals(desk: Desk) -> int:
    """Hold the totals kept to the sums of what is open, in one statement; returns how many pairs have open orders."""
    kept_now = f"SELECT {COLUMNS} FROM reservation_totals"  # noqa: S608 - names of this module
    table = f"({kept_now}) AS t FULL JOIN ({SUMS}) AS s USING (account_id, symbol)"
    amounts = [name.strip() for name in COLUMNS.split(",")[2:]]
    columns = ", ".join(f"coalesce(t.{name}, 0) AS t_{name}, coalesce(s.{name}, 0) AS s_{name}" for name in amounts)
    rows = await desk.stored(table, columns)
    for row in rows:
        kept, summed = {name: row[f"t_{name}"] for name in amounts}, {name: row[f"s_{name}"] for name in amounts}
        assert kept == summed
    return sum(row["s_open_orders"] > 0 for row in rows)


@pytest.mark.parametrize("seed", range(6))
async def test_reservations_are_what_approved_orders_may_still_do(desk: Desk, seed: int) -> None:
    account = await desk.open_account(cash="2000")
    await desk.mark(AAPL="10", MSFT="10")
    await desk.limit(account, position_qty_max=POSITION_MAX, may_short=seed % 2 == 0)
    chance = Random(seed)  # noqa: S311 - a repeatable day, no secret
    day = Day(desk, account, chance)
    steps = [day.place, day.place, day.confirm, day.fill, day.fill, day.close, day.release, day.lapse]
    for _ in range(60):
        await chance.choice(steps)()
        await day.check()
    assert day.approvals > 10


async def test_totals_are_the_sums_after_days_side_by_side_and_power_cuts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.mark(AAPL="10", MSFT="10")
    chance = Random(7)  # noqa: S311 - a repeatable day, no secret
    fails = {"count": 0}

    def cut(name: str) -> None:
        if name in {"risk.before_assess_commit", "risk.before_fill_commit"} and chance.random() < 0.2:
            fails["count"] += 1
            raise PowerCutError(name)

    monkeypatch.setattr(decisions, "fault_point", cut)
    monkeypatch.setattr(bookings, "fault_point", cut)
    accounts = [await desk.open_account(cash="5000") for _ in range(2)]
    for account in accounts:
        await desk.limit(account, position_qty_max=POSITION_MAX, may_short=True)

    async def trade(account: UUID, seed: int) -> None:
        day = Day(desk, account, Random(seed))  # noqa: S311 - a repeatable day, no secret
        steps = [day.place, day.place, day.confirm, day.fill, day.close, day.release]
        for _ in range(25):
            with suppress(PowerCutError):
                await day.chance.choice(steps)()

    await asyncio.gather(*(trade(account, seed) for seed, account in enumerate(accounts * 3)))
    assert fails["count"]
    assert await compare_totals(desk)
