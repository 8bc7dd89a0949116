"""What the paper venue takes an account to hold follows what trading books beside executions, each once."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from alphintra.contracts.trading import CashBooked, SplitApplied
from fixtures.single_service import delivery_of
from integration.broker.desk import bar, new_id

if TYPE_CHECKING:
    from integration.broker.desk import Desk


async def held(desk: Desk) -> dict[str, Decimal]:
    return {row["symbol"]: row["qty"] for row in await desk.rows("select symbol, qty from paper_positions")}


async def bought(desk: Desk) -> None:
    for number, symbol in enumerate(("AAPL", "MSFT"), start=1):
        await desk.place(symbol=symbol)
        await desk.step(number, bar(number, "10 11 9 10", symbol=symbol))
    assert await held(desk) == {"AAPL": Decimal(10), "MSFT": Decimal(10)}


async def test_an_account_that_is_set_back_holds_nothing_at_the_paper_venue(desk: Desk) -> None:
    await bought(desk)
    for kind, expected in (("deposit", Decimal(10)), ("reset", Decimal(0))):
        event = CashBooked(
            owner_id=desk.owner_id,
            account_id=desk.account_id,
            activity_id=new_id(),
            kind=kind,
            symbol="",
            change=Decimal(0),
            cash=Decimal(1000),
        )
        delivery = delivery_of(event, aggregate_id=desk.account_id)
        await desk.endpoints.on_cash_booked(delivery)
        assert set((await held(desk)).values()) == {expected}
    await desk.place()
    await desk.step(3, bar(3, "10 11 9 10"))
    await desk.endpoints.on_cash_booked(delivery)  # heard again: what was bought since stays
    assert (await held(desk))["AAPL"] == Decimal(10)


async def test_a_split_is_counted_once_and_in_its_symbol_alone(desk: Desk) -> None:
    await bought(desk)
    event = SplitApplied(
        owner_id=desk.owner_id,
        account_id=desk.account_id,
        symbol="AAPL",
        new_shares=2,
        old_shares=1,
        account_qty=Decimal(20),
        account_change=Decimal(10),
        books=(),
    )
    delivery = delivery_of(event, aggregate_id=desk.account_id)
    for _ in range(2):
        await desk.endpoints.on_split_applied(delivery)
    assert await held(desk) == {"AAPL": Decimal(20), "MSFT": Decimal(10)}
