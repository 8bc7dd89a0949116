"""Worth over time, money that comes and goes, books that add up to their account, and splits."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from alphintra.contracts import broker
from alphintra.contracts.books import PriceMark
from alphintra.contracts.prices import ListPrices
from alphintra.contracts.trading import (
    ApplySplit,
    BookCashFlow,
    ClaimCapital,
    GetAccount,
    GetPortfolioHistory,
    GetSummary,
    ListActivities,
    ListBooks,
    ListLedger,
    ListLots,
    ListPositions,
    MarkPortfolios,
    OpenAccount,
    ReleaseBook,
    ReplaceOrder,
    TransferPosition,
)
from alphintra.infrastructure.bus import Bus
from alphintra.kernel.errors import AlphintraError
from alphintra.kernel.messages import Actor, Context
from alphintra.kernel.vocabulary import OrderType, Side, TimeInForce
from fixtures.services import person_context
from integration.trading.desk import new_id, together

if TYPE_CHECKING:
    from uuid import UUID

    from alphintra.contracts.books import ActivityView, BookView
    from integration.trading.desk import Desk

OPERATOR = Context(trace_id="0" * 32, actor=Actor(id="operator"))


def strategy_bus(desk: Desk) -> Bus:
    """Return the bus of strategy, which may ask what no person may."""
    asks = frozenset({"trading.cmd.mark_portfolios", "trading.cmd.claim_capital"})
    return Bus(name="strategy", asks=asks, local=desk.local, nats=None)


async def claim(desk: Desk, book_id: UUID, capital: str, context: Context | None = None) -> str:
    """Claim capital for a book as strategy does for the owner; return the code it is refused with."""
    command = ClaimCapital(account_id=desk.account_id, book_id=book_id, capital=Decimal(capital))
    try:
        await strategy_bus(desk).ask(command, context or desk.owner)
    except AlphintraError as error:
        return error.code
    return "claimed"


async def feed_of(desk: Desk) -> UUID:
    """Return the feed of the account."""
    feed_id = (await desk.ask(GetAccount(account_id=desk.account_id))).feed_id
    assert feed_id is not None
    return feed_id


async def mark(desk: Desk, seq: int, price: str, *, at: datetime) -> int:
    """Take a price of AAPL as strategy tells it; return how many accounts it was kept for."""
    prices = (PriceMark(symbol="AAPL", price=Decimal(price)),)
    command = MarkPortfolios(feed_id=await feed_of(desk), seq=seq, at=at, prices=prices)
    return (await strategy_bus(desk).ask(command, OPERATOR)).accounts


async def hold(desk: Desk, qty: str, price: str, *, side: Side = Side.BUY, book_id: UUID | None = None) -> None:
    """Have something bought or sold."""
    order = await desk.place(f"c-{new_id().hex}", side=side, qty=Decimal(qty), book_id=book_id)
    await desk.hear(desk.filled(order, qty, price))


def flow(desk: Desk, kind: str, amount: str, reference: str = "r-1") -> BookCashFlow:
    """Return a command to book money."""
    return BookCashFlow(account_id=desk.account_id, kind=kind, amount=Decimal(amount), reference=reference)


async def test_a_position_has_the_newest_price_and_the_same_open_profit_as_its_account(desk: Desk) -> None:
    await hold(desk, "10", "100")
    (position,) = (await desk.ask(ListPositions(account_id=desk.account_id))).positions
    assert (position.price, position.market_value, position.unrealized_pnl) == (None, None, None)
    at = desk.clock.now()
    await mark(desk, 1, "101.5", at=at)
    (position,) = (await desk.ask(ListPositions(account_id=desk.account_id))).positions
    assert [position.price, position.market_value] == [Decimal("101.5"), Decimal(1015)]
    assert position.marked_at == at
    summary = await desk.ask(GetSummary(account_id=desk.account_id))
    assert position.unrealized_pnl == summary.unrealized_pnl == Decimal(15)


async def test_prices_are_told_of_the_feeds_of_ones_own_accounts_alone(desk: Desk) -> None:
    await mark(desk, 4, "101.5", at=desk.clock.now())
    (price,) = (await desk.ask(ListPrices(symbols=("AAPL", "NONE")))).prices
    assert [price.feed_id, price.symbol, price.price, price.seq] == [await feed_of(desk), "AAPL", Decimal("101.5"), 4]
    assert (await desk.ask(ListPrices(symbols=("AAPL",)), person_context("trader", user_id=new_id()))).prices == ()
    for symbols in ((), ("AAPL",) * 101):
        with pytest.raises(AlphintraError, match="RANGE"):
            await desk.ask(ListPrices(symbols=symbols))


async def test_history_keeps_the_worth_at_each_mark_and_profit_leaves_deposits_out(desk: Desk) -> None:
    start = desk.clock.now()
    await hold(desk, "10", "100")
    assert await mark(desk, 1, "101", at=start) == 1
    await desk.ask(flow(desk, "deposit", "500"))
    assert await mark(desk, 2, "103", at=start + timedelta(days=1)) == 1
    assert await mark(desk, 2, "999", at=start + timedelta(days=2)) == 0
    assert await mark(desk, 1, "999", at=start + timedelta(days=2)) == 0
    found = await desk.ask(GetPortfolioHistory(account_id=desk.account_id))
    assert found.equity == (Decimal(1_000_010), Decimal(1_000_530))
    assert (found.base_value, found.profit_loss) == (Decimal(1_000_000), (Decimal(10), Decimal(30)))
    assert found.profit_loss_pct == (Decimal("0.00001"), Decimal("0.00003"))
    later = await desk.ask(GetPortfolioHistory(account_id=desk.account_id, start=start + timedelta(hours=1)))
    assert (later.base_value, later.profit_loss) == (Decimal(1_000_010), (Decimal(20),))
    summary = await desk.ask(GetSummary(account_id=desk.account_id))
    assert (summary.equity, summary.last_equity) == (Decimal(1_000_530), Decimal(1_000_010))
    assert (summary.profit, summary.unrealized_pnl, summary.invested) == (Decimal(30), Decimal(30), Decimal(1_000_500))
    assert (summary.cash, summary.long_market_value) == (Decimal(999_500), Decimal(1030))


async def test_a_dated_order_lives_by_the_time_of_its_market_and_not_by_ours(desk: Desk) -> None:
    long_ago = datetime(2019, 3, 1, 20, tzinfo=UTC)
    assert await mark(desk, 1, "100", at=long_ago) == 1
    wish = {"type": OrderType.LIMIT, "limit_price": Decimal(90), "time_in_force": TimeInForce.GTD}
    assert await desk.refusal(desk.order("late", **wish, expire_at=long_ago)) == "EXPIRY_PAST"
    placed = await desk.place("soon", **wish, expire_at=long_ago + timedelta(days=1))
    assert placed.expire_at == long_ago + timedelta(days=1)
    await desk.tell(broker.OrderAcknowledged(order_id=placed.order_id, venue_order_id="v"))
    amended: Any = {"order_id": placed.order_id, "limit_price": Decimal(91)}
    late = ReplaceOrder(**amended, client_order_id="r-1", expire_at=long_ago - timedelta(days=1))
    assert await desk.refusal(late) == "EXPIRY_PAST"
    new = await desk.ask(ReplaceOrder(**amended, client_order_id="r-2", expire_at=long_ago + timedelta(days=2)))
    assert new.status == "pending_new"
    assert await desk.statuses() == {"soon": "pending_replace", "r-2": "pending_new"}


async def test_intervals_show_their_last_mark(desk: Desk) -> None:
    start = desk.clock.now().replace(minute=0, second=0, microsecond=0)
    await hold(desk, "1", "100")
    for seq in range(1, 13):
        await mark(desk, seq, str(100 + seq), at=start + timedelta(minutes=10 * seq))
    hourly = await desk.ask(GetPortfolioHistory(account_id=desk.account_id, timeframe="1H"))
    assert hourly.timestamps == tuple(start + timedelta(hours=hour) for hour in range(3))
    assert hourly.profit_loss == (Decimal(5), Decimal(11), Decimal(12))
    newest = await desk.ask(GetPortfolioHistory(account_id=desk.account_id, timeframe="1H", limit=1))
    assert (newest.base_value, newest.profit_loss) == (Decimal(1_000_011), (Decimal(1),))
    assert await desk.refusal(GetPortfolioHistory(account_id=desk.account_id, timeframe="2H")) == "FIELD_CHOICE"


async def test_a_flow_is_booked_once_with_balanced_lines_and_told(desk: Desk) -> None:
    first = await desk.ask(flow(desk, "deposit", "500"))
    again = await desk.ask(flow(desk, "deposit", "500"))
    assert (first.activity_id, first.net_amount) == (again.activity_id, Decimal(500))
    assert await desk.refusal(flow(desk, "deposit", "501")) == "IDEMPOTENCY_MISMATCH"
    assert (await desk.ask(GetAccount(account_id=desk.account_id))).cash == 1_000_500
    ledger = await desk.ask(ListLedger(account_id=desk.account_id))
    assert {entry.ledger_account: entry.amount for entry in ledger.entries[2:]} == {"cash": 500, "deposits": -500}
    assert await desk.told() == ["cash_booked"]


async def test_owners_cannot_book_what_venues_pay_nor_reset_what_they_hold(desk: Desk) -> None:
    for kind in ("dividend", "interest", "funding", "fee"):
        assert await desk.refusal(flow(desk, kind, "5")) == "FLOW_FORBIDDEN"
    assert await desk.refusal(flow(desk, "gift", "5")) == "FIELD_CHOICE"
    assert await desk.refusal(flow(desk, "deposit", "5", "")) == "IDEMPOTENCY_FORMAT"
    assert await desk.refusal(flow(desk, "withdrawal", "1000001")) == "CASH_SHORT"
    await hold(desk, "1", "100")
    assert await desk.refusal(flow(desk, "reset", "5")) == "NOT_FLAT"
    await hold(desk, "1", "100", side=Side.SELL)
    assert (await desk.ask(flow(desk, "reset", "250"))).net_amount == Decimal(-999_750)
    assert (await desk.ask(flow(desk, "fee", "2", "r-2"), OPERATOR)).net_amount == -2
    account = await desk.ask(GetAccount(account_id=desk.account_id))
    assert (account.cash, account.fees) == (Decimal(248), Decimal(2))


async def test_activities_are_read_page_by_page_without_a_gap_or_a_repetition(desk: Desk) -> None:
    for number in range(3):
        await hold(desk, "1", str(100 + number))
        desk.clock.pass_time(seconds=1)
        await desk.ask(flow(desk, "deposit", str(number + 1), f"r-{number}"))
    for oldest_first in (False, True):
        seen: list[ActivityView] = []
        token = None
        while True:
            command = ListActivities(account_id=desk.account_id, limit=2, page_token=token, oldest_first=oldest_first)
            page = await desk.ask(command)
            seen += page.activities
            token = page.next_page_token
            if token is None:
                break
        assert len(seen) == len({each.activity_id for each in seen}) == 6
        assert [each.booked_at for each in seen] == sorted((e.booked_at for e in seen), reverse=not oldest_first)
        assert sum((each.net_amount for each in seen), Decimal(0)) == -303 + 6
        of_fills = {(each.cum_qty, each.leaves_qty) for each in seen if each.kind == "fill"}
        assert of_fills == {(Decimal(1), Decimal(0))}
    deposits = await desk.ask(ListActivities(account_id=desk.account_id, kinds=("deposit",)))
    assert [each.kind for each in deposits.activities] == ["deposit"] * 3
    for token in ("forged", "2026::x", "20261301000000000000::x"):
        assert await desk.refusal(ListActivities(account_id=desk.account_id, page_token=token)) == "CURSOR_INVALID"


async def books_of(desk: Desk) -> dict[UUID | None, BookView]:
    """Return the books after requiring that they add up to the account."""
    books = (await desk.ask(ListBooks(account_id=desk.account_id))).books
    summary = await desk.ask(GetSummary(account_id=desk.account_id))
    for name in ("cash", "equity", "realized_pnl", "unrealized_pnl", "fees"):
        assert sum((getattr(book, name) for book in books), Decimal(0)) == getattr(summary, name), name
    lines = await desk.rows(
        "select book_id, sum(amount) from ledger_entries where ledger_account = 'cash' and account_id = $1 group by 1",
        desk.account_id,
    )
    assert {(row[0] if row[0].int else None): row[1] for row in lines if row[1]} == {
        book.book_id: book.cash for book in books if book.cash
    }
    return {book.book_id: book for book in books}


async def test_capital_is_claimed_once_and_never_beyond_the_accounts_cash(desk: Desk) -> None:
    one, two = new_id(), new_id()
    assert [await claim(desk, one, "600000") for _ in range(2)] == ["claimed", "claimed"]
    assert (await books_of(desk))[one].cash == 600_000
    assert await claim(desk, two, "400000.000001") == "CAPITAL_EXCEEDS_CASH"
    assert await claim(desk, two, "0") == "QTY_NOT_POSITIVE"
    assert await claim(desk, one, "1") == "BOOK_TAKEN"
    await desk.ask(ReleaseBook(account_id=desk.account_id, book_id=one))
    await desk.ask(ReleaseBook(account_id=desk.account_id, book_id=one))
    found = await books_of(desk)
    assert found[one].status == "released"
    assert (found[one].cash, found[None].cash) == (Decimal(0), Decimal(1_000_000))
    assert await desk.refusal(ReleaseBook(account_id=desk.account_id, book_id=two)) == "BOOK_NOT_FOUND"


async def test_a_claim_of_an_account_without_free_cash_is_refused_in_plain_decimals(desk: Desk) -> None:
    assert await claim(desk, new_id(), "1000000") == "claimed"
    command = ClaimCapital(account_id=desk.account_id, book_id=new_id(), capital=Decimal("250.500000000"))
    with pytest.raises(AlphintraError) as caught:
        await strategy_bus(desk).ask(command, desk.owner)
    assert caught.value.detail == "the capital 250.5 is more than the account's free cash 0"


async def test_many_claims_at_once_never_take_more_than_there_is(desk: Desk) -> None:
    answers = await together(*(claim(desk, new_id(), "300000") for _ in range(6)))
    assert sorted(answers) == ["CAPITAL_EXCEEDS_CASH"] * 3 + ["claimed"] * 3
    assert (await books_of(desk))[None].cash == 100_000


async def test_books_add_up_to_the_account_after_whatever_happens(desk: Desk) -> None:
    chance = random.Random(11)  # noqa: S311 - the same in every run
    books: list[UUID | None] = [None, new_id(), new_id()]
    for book in books[1:]:
        assert book is not None
        assert await claim(desk, book, "100000") == "claimed"
    for step in range(1, 25):
        side = chance.choice(list(Side))
        await hold(
            desk, str(chance.randint(1, 50)), str(chance.randint(50, 150)), side=side, book_id=chance.choice(books)
        )
        giver, taker = chance.sample(books, 2)
        move = TransferPosition(
            account_id=desk.account_id,
            symbol="AAPL",
            qty=Decimal(chance.randint(1, 9)),
            reference=f"t-{step}",
            from_book=giver,
            to_book=taker,
            price=chance.choice([None, Decimal(99)]),
        )
        before = (await desk.ask(GetSummary(account_id=desk.account_id))).equity
        net = await desk.value("select sum(qty) from positions")
        assert await desk.refusal(move) in {"answered BooksView", "TRANSFER_QTY", "TRANSFER_OPPOSITE"}
        assert await desk.value("select sum(qty) from positions") == net
        if step % 5 == 0:
            await mark(desk, step, str(chance.randint(50, 150)), at=desk.clock.now() + timedelta(minutes=step))
        elif await desk.value("select count(*) from marks"):
            assert (await desk.ask(GetSummary(account_id=desk.account_id))).equity == before
        await books_of(desk)
    assert (await desk.ask(ListLedger(account_id=desk.account_id, limit=1))).total == 0


async def test_a_transfer_at_cost_books_no_profit_and_at_a_price_lets_the_books_trade(desk: Desk) -> None:
    book = new_id()
    assert await claim(desk, book, "10000") == "claimed"
    await hold(desk, "10", "100", book_id=book)
    move = TransferPosition(account_id=desk.account_id, symbol="AAPL", qty=Decimal(4), reference="t-1", from_book=book)
    await desk.ask(move)
    await desk.ask(move)
    found = await books_of(desk)
    assert (found[book].realized_pnl, found[book].cash) == (Decimal(0), Decimal(9000))
    await desk.ask(
        TransferPosition(
            account_id=desk.account_id,
            symbol="AAPL",
            qty=Decimal(6),
            reference="t-2",
            from_book=book,
            price=Decimal(110),
        )
    )
    found = await books_of(desk)
    assert (found[book].realized_pnl, found[book].cash, found[None].cash) == (
        Decimal(60),
        Decimal(9660),
        Decimal(989_340),
    )
    held = {p.book_id: p.qty for p in (await desk.ask(ListPositions(account_id=desk.account_id))).positions}
    assert held == {None: 10, book: 0}
    assert (await desk.told()).count("position_transferred") == 2


@pytest.mark.parametrize(("new", "old"), [(7, 1), (2, 1), (3, 2), (1, 10), (1, 3)])
async def test_a_split_changes_quantities_lots_and_price_and_nothing_anybody_earns(
    desk: Desk, new: int, old: int
) -> None:
    book = new_id()
    await hold(desk, "30", "700")
    await hold(desk, "6", "707", book_id=book)
    await mark(desk, 1, "714", at=desk.clock.now())
    working = await desk.place("w-1", qty=Decimal(5))
    before = await desk.ask(GetSummary(account_id=desk.account_id))
    split = ApplySplit(feed_id=await feed_of(desk), symbol="AAPL", new_shares=new, old_shares=old, reference="s-1")
    assert (await desk.ask(split, OPERATOR)).accounts == (desk.account_id,)
    assert (await desk.ask(split, OPERATOR)).accounts == ()
    after = await desk.ask(GetSummary(account_id=desk.account_id))
    for name in ("cash", "cost", "realized_pnl", "fees", "invested"):
        assert getattr(after, name) == getattr(before, name), name
    assert abs(after.equity - before.equity) < Decimal("0.00001")
    positions = {p.book_id: p.qty for p in (await desk.ask(ListPositions(account_id=desk.account_id))).positions}
    assert positions == {None: Decimal(30 * new) / old, book: Decimal(6 * new) / old}
    lots = (await desk.ask(ListLots(account_id=desk.account_id))).lots
    assert {lot.book_id: lot.qty for lot in lots} == positions
    assert (await desk.statuses())[working.client_order_id] == "pending_cancel"
    assert (await desk.told()).count("split_applied") == 1


async def test_a_split_is_told_of_accounts_that_hold_nothing_with_the_step_after_which_it_came(desk: Desk) -> None:
    await mark(desk, 7, "714", at=desk.clock.now())
    feed_id = await feed_of(desk)
    await desk.ask(ApplySplit(feed_id=feed_id, symbol="AAPL", new_shares=2, old_shares=1, reference="s-1"), OPERATOR)
    assert await mark(desk, 8, "357", at=desk.clock.now())
    (row,) = await desk.rows("select payload::json -> 'event' as told from event_log where subject like '%applied'")
    told = json.loads(row["told"])
    assert (told["feed_id"], told["after_seq"], told["reference"], told["books"]) == (str(feed_id), 7, "s-1", [])


async def test_a_split_of_a_feed_without_accounts_is_told_once_and_leaves_whoever_comes_later_alone(desk: Desk) -> None:
    feed_id = new_id()
    split = ApplySplit(feed_id=feed_id, symbol="AAPL", new_shares=4, old_shares=1, reference="s-1")
    for _ in range(2):
        assert (await desk.ask(split, OPERATOR)).accounts == ()
    told = [row["payload"] for row in await desk.rows("select payload from event_log where subject like '%feed_split'")]
    (event,) = [msgspec.json.decode(payload)["event"] for payload in told]
    assert (event["feed_id"], event["symbol"], event["new_shares"], event["reference"]) == (
        str(feed_id),
        "AAPL",
        4,
        "s-1",
    )
    later = await desk.ask(OpenAccount(name="Later", starting_cash=Decimal(1000), feed_id=feed_id))
    assert (await desk.ask(split, OPERATOR)).accounts == (), "what it holds is in new shares already"
    assert await desk.value("select count(*) from activities where account_id = $1", later.account_id) == 0
    other = msgspec.structs.replace(split, new_shares=2)
    assert await desk.refusal(other, OPERATOR) == "IDEMPOTENCY_MISMATCH"


async def test_only_the_operator_splits_and_only_by_a_ratio(desk: Desk) -> None:
    feed_id = await feed_of(desk)
    split = ApplySplit(feed_id=feed_id, symbol="AAPL", new_shares=2, old_shares=1, reference="s-1")
    assert await desk.refusal(split) == "SPLIT_FORBIDDEN"
    for new, old in ((1, 1), (0, 1), (2, 10_001)):
        wrong = ApplySplit(feed_id=feed_id, symbol="AAPL", new_shares=new, old_shares=old, reference="s-2")
        assert await desk.refusal(wrong, OPERATOR) == "SPLIT_RATIO"


async def test_an_account_is_opened_once_per_key(desk: Desk) -> None:
    command = OpenAccount(name="Keyed", starting_cash=Decimal(5), feed_id=new_id(), key="k-1")
    answers = await together(*(desk.ask(command) for _ in range(4)))
    assert len({answer.account_id for answer in answers}) == 1
    other = OpenAccount(name="Keyed", starting_cash=Decimal(6), feed_id=command.feed_id, key="k-1")
    assert await desk.refusal(other) == "IDEMPOTENCY_MISMATCH"
    assert await desk.refusal(OpenAccount(name="B", starting_cash=Decimal(5), feed_id=new_id(), key="")) == (
        "IDEMPOTENCY_FORMAT"
    )
    stranger = person_context("trader", user_id=new_id())
    assert (await desk.ask(command, stranger)).account_id != answers[0].account_id


async def test_other_peoples_money_looks_as_if_it_were_not_there(desk: Desk) -> None:
    stranger = person_context("trader", user_id=new_id())
    account_id = desk.account_id
    for command in (
        GetSummary(account_id=account_id),
        GetPortfolioHistory(account_id=account_id),
        ListActivities(account_id=account_id),
        ListBooks(account_id=account_id),
        flow(desk, "deposit", "5"),
        ReleaseBook(account_id=account_id, book_id=new_id()),
    ):
        assert await desk.refusal(command, stranger) == "ACCOUNT_NOT_FOUND"
    assert await claim(desk, new_id(), "5", stranger) == "ACCOUNT_NOT_FOUND"
