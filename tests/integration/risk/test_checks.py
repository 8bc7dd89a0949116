"""An order that is only asked about: every control answers, and nothing is left behind."""

from __future__ import annotations

from decimal import Decimal

import pytest

from alphintra.contracts.order_checks import CheckOrder
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.vocabulary import Side
from fixtures.single_service import acting
from integration.risk.desk import Desk, codes_of

BUY, SELL = Side.BUY, Side.SELL
TABLES = ("assessments", "reservations", "event_log", "audit_events")


async def written(desk: Desk) -> int:
    """Return how many decisions, reservations, events and audit rows there are."""
    counts = " + ".join(f"(SELECT count(*) FROM {name})" for name in TABLES)  # noqa: S608 - names above
    async with desk.database.session() as session:
        return int(await session._connection.fetchval(f"SELECT {counts}"))


async def test_a_check_says_what_placing_the_order_would_and_keeps_nothing(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    for terms in (
        desk.order(account, BUY, "4", "100"),
        desk.order(account, BUY, "11", "100"),
        desk.order(account, SELL, "1"),
        desk.order(account, BUY, "1", symbol="TSLA"),
    ):
        before = await written(desk)
        checked = await desk.endpoints.check_order(CheckOrder(terms=terms), desk.owner)
        assert await written(desk) == before
        (placed,) = await desk.assess(terms)
        assert [finding.code for finding in checked.findings] == codes_of(placed)


async def test_a_check_tells_the_worst_price_and_what_a_purchase_would_hold(desk: Desk) -> None:
    account = await desk.open_account(cash="1000")
    await desk.mark(AAPL="100")
    for _ in range(2):
        checked = await desk.endpoints.check_order(CheckOrder(terms=desk.order(account, BUY, "4", "100")), desk.owner)
        figures = [checked.price, checked.qty, checked.value, checked.cash, checked.free_cash, checked.position_qty]
        assert figures == [Decimal(text) for text in ("100", "4", "400", "400", "1000", "0")]
    await desk.approved(desk.order(account, BUY, "4", "100"))
    checked = await desk.endpoints.check_order(CheckOrder(terms=desk.order(account, BUY, "4")), desk.owner)
    assert [checked.price, checked.free_cash] == [Decimal(105), Decimal(600)]


async def test_another_persons_account_is_not_there_to_be_asked_about(desk: Desk) -> None:
    account = await desk.open_account()
    await desk.mark(AAPL="100")
    stranger = acting(desk.ids.new())
    with pytest.raises(AlphintraError, match="ACCOUNT_NOT_FOUND"):
        await desk.endpoints.check_order(CheckOrder(terms=desk.order(account, BUY, "1")), stranger)
