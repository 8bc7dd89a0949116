"""The use case of a split: other quantities at other prices, and no profit."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from alphintra.contracts.books import BookQuantity, SplitAppliedView
from alphintra.contracts.feed_splits import FeedSplit
from alphintra.contracts.trading import SplitApplied
from alphintra.engine.holding import Holding, split_holding
from alphintra.infrastructure.events import append_audit, append_event
from alphintra.infrastructure.faults import fault_point
from alphintra.kernel.errors import AlphintraError, Kind
from alphintra.kernel.ids import AccountId, BookId
from alphintra.kernel.vocabulary import Side
from alphintra.trading.domain.booking import UNASSIGNED_BOOK, HoldingKey
from alphintra.trading.domain.orders import Reason
from alphintra.trading.repository.booking import HoldingChanges
from alphintra.trading.service.flows import require_reference, stored_activity
from alphintra.trading.service.reports import request_cancels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alphintra.contracts.trading import ApplySplit
    from alphintra.kernel.ids import IdSource
    from alphintra.kernel.messages import Context
    from alphintra.trading.domain.accounts import Account
    from alphintra.trading.repository.books import Books, BooksTransaction

__all__ = ["apply_split"]

SHARES_MAX = 10_000
_ALL = dict.fromkeys(Side, Decimal(10) ** 17)  # more than any holding: every lot is read
_encode = msgspec.json.Encoder(decimal_format="string", order="sorted").encode


async def apply_split(
    command: ApplySplit, context: Context, *, books: Books, ids: IdSource, at: datetime
) -> SplitAppliedView:
    """Apply a split to every account a feed has, in one transaction; under the same reference again nothing changes.

    Quantities of positions, lots and round trips are multiplied, costs stay, and so does what the accounts are worth:
    the newest price of the feed is divided with them. Working orders of the symbol are asked to be canceled. It is told
    where the feed has no account, too: who trades there later has to know that the prices before were of old shares.

    Raises SPLIT_RATIO, SPLIT_FORBIDDEN or IDEMPOTENCY_*.
    """
    _require_may_split(command, context)
    changed: list[AccountId] = []
    async with books.transaction() as tx:
        rows = await tx.session.rows("accounts.on_feed", command.feed_id)
        accounts = await tx.lock_accounts([row["account_id"] for row in rows])
        is_new = await _note_split(tx, command, at=at)
        after_seq: int = await tx.session.value("marks.seq", command.feed_id, command.symbol) or 0
        for account in accounts.values():
            # An account that was opened since a split was noted holds new shares already.
            if await stored_activity(tx, account, command) is None and is_new:
                await _split_account(tx, account, command, context, after_seq=after_seq, ids=ids, at=at)
                changed.append(account.account_id)
        if is_new:
            ratio = (command.new_shares, command.old_shares)
            await tx.session.execute("marks.split", command.feed_id, command.symbol, *map(Decimal, ratio))
            await _tell_feed(tx, command, context, after_seq=after_seq, ids=ids, at=at)
        fault_point("trading.before_split_commit")
    return SplitAppliedView(accounts=tuple(changed))


async def _note_split(tx: BooksTransaction, command: ApplySplit, *, at: datetime) -> bool:
    """Note a split of a feed, and tell whether it is new. Raises IDEMPOTENCY_MISMATCH for another ratio."""
    key = (command.feed_id, command.symbol, command.reference)
    ratio = (command.new_shares, command.old_shares)
    if await tx.session.value("splits_of_feeds.note", *key, *ratio, at) is not None:
        return True
    noted = await tx.session.row("splits_of_feeds.ratio", *key)
    if noted is not None and (noted["new_shares"], noted["old_shares"]) != ratio:
        message = f"reference {command.reference} was used for a split by another ratio: choose a new one"
        raise AlphintraError("IDEMPOTENCY_MISMATCH", message, kind=Kind.CONFLICT, pointer="/reference")
    return False


async def _tell_feed(
    tx: BooksTransaction, command: ApplySplit, context: Context, *, after_seq: int, ids: IdSource, at: datetime
) -> None:
    told = FeedSplit(
        feed_id=command.feed_id,
        symbol=command.symbol,
        new_shares=command.new_shares,
        old_shares=command.old_shares,
        after_seq=after_seq,
        reference=command.reference,
    )
    await append_event(tx.session, told, ids=ids, aggregate_id=command.feed_id, context=context, at=at)
    subject = f"feed:{command.feed_id}"
    await append_audit(tx.session, "feed.split", subject, told, ids=ids, context=context, at=at)


async def _split_account(  # noqa: PLR0913 - a split is these
    tx: BooksTransaction,
    account: Account,
    command: ApplySplit,
    context: Context,
    *,
    after_seq: int,
    ids: IdSource,
    at: datetime,
) -> None:
    account_id = account.account_id
    rows = await tx.session.rows("positions.of_symbol", account_id, command.symbol)
    keys = [HoldingKey(account_id, row["book_id"], command.symbol) for row in rows]
    before = await tx.held(dict.fromkeys(keys, _ALL)) if keys else {}
    before = {key: holding for key, holding in before.items() if holding.position.qty}
    ratio = {"numerator": command.new_shares, "denominator": command.old_shares}
    after = {key: split_holding(holding, **ratio) for key, holding in before.items()}
    changes = HoldingChanges()
    changes.holdings = dict(after)
    changes.lots = {(key, lot.number): lot for key, holding in after.items() for lot in holding.lots}
    await tx.save_holdings(changes, at=at)
    working = [order for order in await tx.lock_open_orders(account_id) if order.symbol == command.symbol]
    await request_cancels(tx, working, context, code=Reason.SPLIT, ids=ids, at=at)
    told = _told(account, command, before, after, after_seq=after_seq)
    await tx.session.execute(
        "activities.insert",
        ids.new(),
        account_id,
        command.reference,
        "split",
        command.symbol,
        told.account_change,
        Decimal(0),
        account.currency,
        f"{command.new_shares} for {command.old_shares}",
        _encode(command).decode(),
        at,
    )
    # Also of an account that holds nothing: what its strategies have seen is in old shares.
    await append_event(tx.session, told, ids=ids, aggregate_id=account_id, context=context, at=at)
    subject = f"account:{account_id}"
    await append_audit(tx.session, "split.apply", subject, told, ids=ids, context=context, at=at)


def _told(
    account: Account,
    command: ApplySplit,
    before: Mapping[HoldingKey, Holding],
    after: Mapping[HoldingKey, Holding],
    *,
    after_seq: int,
) -> SplitApplied:
    quantities = tuple(
        BookQuantity(
            book_id=None if key.book_id == UNASSIGNED_BOOK else BookId(key.book_id),
            qty=holding.position.qty,
            cost=holding.position.cost,
            change=holding.position.qty - before[key].position.qty,
        )
        for key, holding in after.items()
    )
    return SplitApplied(
        owner_id=account.owner_id,
        account_id=account.account_id,
        symbol=command.symbol,
        new_shares=command.new_shares,
        old_shares=command.old_shares,
        account_qty=sum((each.qty for each in quantities), Decimal(0)),
        account_change=sum((each.change for each in quantities), Decimal(0)),
        books=quantities,
        feed_id=command.feed_id,
        after_seq=after_seq,
        reference=command.reference,
    )


def _require_may_split(command: ApplySplit, context: Context) -> None:
    require_reference(command.reference)
    for name, shares in (("new_shares", command.new_shares), ("old_shares", command.old_shares)):
        if not 1 <= shares <= SHARES_MAX:
            raise AlphintraError("SPLIT_RATIO", f"{name} is 1 to {SHARES_MAX}", pointer=f"/{name}")
    if command.new_shares == command.old_shares:
        raise AlphintraError("SPLIT_RATIO", "as many new shares as old ones change nothing", pointer="/new_shares")
    if context.actor.user_id is not None and not {"owner", "operator"} & set(context.actor.roles):
        message = "a split concerns every account of a feed: the operator applies it"
        raise AlphintraError("SPLIT_FORBIDDEN", message, kind=Kind.FORBIDDEN)
